import { hash } from 'node:crypto';
import {
  classifyByName,
  classRange,
  commandKnowledge,
  meantKey,
  type ClassSettings,
  type CommandClass,
  type CommandKnowledge,
  type ServerKind,
} from '@qmp-gateway/catalog';
import { hasFeature, type Command, type QapiModel, type ValidationOptions } from '@qmp-gateway/qapi';

/** All that is known of one command of one schema. */
export interface SchemaCommand {
  readonly name: string;
  readonly definition: Command;
  readonly knowledge: CommandKnowledge;
  /** Class by name; arguments can raise or lower it, so policy decides anew for each command. GET goes by this one. */
  readonly class: CommandClass;
  /** What arguments can make of it. */
  readonly lowestClass: CommandClass;
  readonly highestClass: CommandClass;
  readonly validation: ValidationOptions;
  readonly deprecated: boolean;
}

/** What decides how a VM's schema is read, besides its introspection. */
export interface SchemaOrigin {
  readonly kind: ServerKind;
  readonly version: string;
  readonly package: string;
}

/**
 * Schemas that are built for one server, beyond those that others have too: one that describes itself anew in each session
 * (as no honest one does) costs the gateway a tenth of a second for each.
 */
export const schemaBuilds = { perSecond: 1 / 60, burst: 3 };
/** Commands whose arguments name keys. */
const takesKeys: ReadonlySet<string> = new Set(['send-key', 'input-send-event', 'x-input-send-event']);

/** What a schema is made of besides its model. */
export interface SchemaParts {
  /** The catalog that gave names and widths is of exactly this release. */
  readonly exact: boolean;
  /** The operator's own classes of commands. */
  readonly classes: ClassSettings;
  /** Definitions of the server that have no usable name; default 0. */
  readonly leftOut?: number;
}

/** The commands and events of one build of a server; shared by all VMs that run it, never changed. */
export class VmSchema {
  readonly commands: ReadonlyMap<string, SchemaCommand>;
  readonly exact: boolean;
  readonly leftOut: number;

  /**
   * @param hash of what the server said of itself, as `sha256:…`
   */
  constructor(
    readonly hash: string,
    readonly origin: SchemaOrigin,
    readonly model: QapiModel,
    { exact, classes, leftOut = 0 }: SchemaParts,
  ) {
    this.exact = exact;
    this.leftOut = leftOut;
    this.commands = new Map(
      [...model.commands.values()].map((definition) => {
        const { name } = definition;
        const knowledge = commandKnowledge(origin.kind, name, origin.version);
        const openMembers = knowledge.openArguments || definition.gen === false;
        const { lowest, highest } = classRange(origin.kind, name, classes, origin.version);
        return [
          name,
          {
            name,
            definition,
            knowledge,
            class: classifyByName(origin.kind, name, classes, origin.version).class,
            lowestClass: lowest.class,
            highestClass: highest.class,
            validation: { openMembers, enforceWidths: exact, ...(takesKeys.has(name) ? { meantValue: meantKey } : {}) },
            deprecated: hasFeature(definition, 'deprecated'),
          },
        ];
      }),
    );
  }
}

/** `sha256:<hex>` of introspection bytes. */
export function schemaHash(bytes: Buffer | string): string {
  return `sha256:${hash('sha256', bytes, 'hex')}`;
}
