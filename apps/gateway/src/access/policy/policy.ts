import {
  classRange,
  classifyCommand,
  secretPropertyName,
  type ClassRange,
  type ClassSettings,
  type Ruling,
  type ServerKind,
} from '@qmp-gateway/catalog';
import type { JsonNode } from '@qmp-gateway/qapi';
import { Problem } from '../../problems/problem.js';
import type { VmDefinition } from '../../settings/vm-definition.js';
import { textOf } from './argument-members.js';
import { matchesAnyGlob } from '../glob.js';
import { aimsAtOwnMonitor, mayAimAtOwnMonitor, type OwnMonitor } from './own-monitor.js';
import type { Level, Principal } from '../principal.js';

/** A decision about a command, with the rule behind it, whether it is allowed or not. */
export interface Decision {
  readonly allowed: boolean;
  readonly class: Level;
  /** Stable name of the deciding rule. */
  readonly rule: string;
  /** Why the rule gives the command this class, or refuses it. */
  readonly reason: string;
  /** Only where the level is too low: which one is needed, and which one the credentials have. */
  readonly shortfall?: string;
}

/** What is known about a command before its arguments. */
export interface Outlook {
  /** True or false only if that applies to all arguments; without arguments, `decision` applies. */
  readonly allowed: boolean | 'by-arguments';
  /** For the command without arguments. */
  readonly decision: Decision;
  readonly range: ClassRange;
}

/** What policy needs from a command. */
export interface GovernedCommand {
  readonly name: string;
}

/** What policy needs from a VM's schema: the rules for the classes of its commands. */
export interface GovernedSchema {
  readonly origin: { readonly kind: ServerKind; readonly version: string };
}

/** What policy needs from a VM. */
export interface GovernedVm {
  readonly definition: Pick<VmDefinition, 'hostCommands'>;
  readonly ownMonitor: OwnMonitor;
  /** Properties that are secrets in this VM, beyond those the catalog knows. */
  readonly secretProperties?: ReadonlySet<string>;
}

/** A command of a VM, found in its schema: what policy decides about. */
export interface Governed {
  readonly vm: GovernedVm;
  readonly schema: GovernedSchema;
  readonly command: GovernedCommand;
}

/**
 * Decides who may run a command: its class, by name and arguments, must not exceed the principal's level; the globs of the
 * principal's grant must let it pass; and for class `host`, `hostCommands` must be on.
 */
export class Policy {
  constructor(
    private readonly settings: { readonly hostCommands: boolean },
    private readonly classes: ClassSettings,
  ) {}

  /**
   * @param args the arguments as received, not validated yet; undefined if there are none
   * @param ruling in place of the class by name and arguments, see `CommandRequest.ruling`
   */
  decide(
    principal: Principal,
    governed: Governed,
    args: JsonNode | undefined,
    ruling: Ruling = this.#ruling(governed, args),
  ): Decision {
    const { vm, command } = governed;
    const { allow, deny } = principal.grant.commands ?? {};
    if (deny !== undefined && matchesAnyGlob(deny, command.name))
      return refusal(ruling, 'grant:deny', `the credentials exclude ${command.name}`);
    if (allow !== undefined && !matchesAnyGlob(allow, command.name))
      return refusal(ruling, 'grant:allow', `the credentials do not include ${command.name}`);
    if (ruling.class === 'host' && !(this.settings.hostCommands && vm.definition.hostCommands !== false))
      return refusal(ruling, 'hostCommands', 'commands of class host are switched off (hostCommands: false)');
    if (!principal.reaches(ruling.class))
      return {
        ...refusal(ruling, ruling.rule, ruling.reason),
        shortfall: `needs level ${ruling.class}; the credentials have level ${principal.level}`,
      };
    const own = aimsAtOwnMonitor(command.name, args, vm.ownMonitor);
    if (own !== undefined)
      return refusal(ruling, 'own-monitor', `${JSON.stringify(own)} carries the gateway's own connection to this VM`);
    return { allowed: true, ...ruling };
  }

  /** Whether a command is allowed with any arguments, with none, or only with some. */
  outlook(principal: Principal, governed: Governed): Outlook {
    const { vm, schema, command } = governed;
    const range = classRange(schema.origin.kind, command.name, this.classes, schema.origin.version);
    const allows = (ruling: Ruling) => this.decide(principal, governed, undefined, ruling).allowed;
    const always = allows(range.highest) && !mayAimAtOwnMonitor(command.name, vm.ownMonitor);
    return {
      allowed: always || (allows(range.lowest) ? 'by-arguments' : false),
      decision: this.decide(principal, governed, undefined),
      range,
    };
  }

  #ruling({ vm, schema, command }: Governed, args: JsonNode | undefined): Ruling {
    const ruling = classifyCommand(schema.origin, command.name, args, this.classes);
    if (command.name !== 'qom-get' || ruling.class === 'host') return ruling;
    if (vm.secretProperties?.has(textOf(args, 'property') ?? '') !== true) return ruling;
    return { class: 'host', rule: 'qom-get:secret', reason: 'this VM has secrets with a property of this name' };
  }
}

/** Whether a property with this name is a secret in this VM. */
export function isSecretProperty(name: string, { secretProperties }: Pick<GovernedVm, 'secretProperties'>): boolean {
  return secretPropertyName.test(name) || secretProperties?.has(name) === true;
}

function refusal(ruling: Ruling, rule: string, reason: string): Decision {
  return { allowed: false, class: ruling.class, rule, reason };
}

/** The answer to a command that was not allowed. */
export function forbidden(command: string, { rule, reason, shortfall = 'is refused' }: Decision): Problem {
  return new Problem('forbidden', `${command} ${shortfall} (rule ${rule}: ${reason}).`);
}
