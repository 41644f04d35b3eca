import {
  classRange,
  classifyCommand,
  secretPropertyName,
  type ClassRange,
  type ClassSettings,
  type Ruling,
} from '@qmp-gateway/catalog';
import type { JsonNode } from '@qmp-gateway/qapi';
import { Problem } from '../problems/problem.js';
import type { SchemaCommand, VmSchema } from '../schemas/vm-schema.js';
import type { VmDefinition } from '../settings/settings.js';
import { textOf } from './argument-members.js';
import { matchesAnyGlob } from './glob.js';
import { aimsAtOwnMonitor, mayAimAtOwnMonitor, type OwnMonitor } from './own-monitor.js';
import type { Level, Principal } from './principal.js';

/** Who may run what, and by which rule: allowed or not, nothing is left unexplained. */
export interface Decision {
  readonly allowed: boolean;
  readonly class: Level;
  /** Stable name of the rule that decided. */
  readonly rule: string;
  readonly reason: string;
}

/** What is known of a command before its arguments are. */
export interface Outlook {
  /** True or false only where that holds for all arguments; without any, `decision` holds. */
  readonly allowed: boolean | 'by-arguments';
  /** Of the command without arguments. */
  readonly decision: Decision;
  readonly range: ClassRange;
}

/** What policy asks of a VM. */
export interface GovernedVm {
  readonly definition: Pick<VmDefinition, 'hostCommands'>;
  readonly ownMonitor: OwnMonitor;
  /** Properties that are secrets in this VM, beyond those the catalog knows. */
  readonly secretProperties?: ReadonlySet<string>;
}

/** Decides about commands (DESIGN section 11): the class by name and arguments, the principal's level, its globs, `hostCommands`. */
export class Policy {
  constructor(
    private readonly settings: { readonly hostCommands: boolean },
    private readonly classes: ClassSettings,
  ) {}

  /**
   * @param args the arguments as they came, not yet validated; undefined when there are none
   * @param ruling in place of the class by name and arguments, see `CommandRequest.ruling`
   */
  decide(
    principal: Principal,
    schema: VmSchema,
    command: SchemaCommand,
    args: JsonNode | undefined,
    vm: GovernedVm,
    ruling: Ruling = this.#ruling(schema, command, args, vm),
  ): Decision {
    const { allow, deny } = principal.grant.commands ?? {};
    if (deny !== undefined && matchesAnyGlob(deny, command.name))
      return refusal(ruling, 'grant:deny', `the credentials exclude ${command.name}`);
    if (allow !== undefined && !matchesAnyGlob(allow, command.name))
      return refusal(ruling, 'grant:allow', `the credentials do not include ${command.name}`);
    if (ruling.class === 'host' && !(this.settings.hostCommands && vm.definition.hostCommands !== false))
      return refusal(ruling, 'hostCommands', 'commands of class host are switched off (hostCommands: false)');
    if (!principal.reaches(ruling.class))
      return refusal(
        ruling,
        ruling.rule,
        `${ruling.reason}; it needs level ${ruling.class}, and the credentials have ${principal.level}`,
      );
    const own = aimsAtOwnMonitor(command.name, args, vm.ownMonitor);
    if (own !== undefined)
      return refusal(ruling, 'own-monitor', `${JSON.stringify(own)} carries the gateway's own connection to this VM`);
    return { allowed: true, ...ruling };
  }

  /** Whether a command is allowed whatever its arguments, with none, or with some only. */
  outlook(principal: Principal, schema: VmSchema, command: SchemaCommand, vm: GovernedVm): Outlook {
    const range = classRange(schema.origin.kind, command.name, this.classes, schema.origin.version);
    const allows = (ruling: Ruling) => this.decide(principal, schema, command, undefined, vm, ruling).allowed;
    const always = allows(range.highest) && !mayAimAtOwnMonitor(command.name, vm.ownMonitor);
    return {
      allowed: always || (allows(range.lowest) ? 'by-arguments' : false),
      decision: this.decide(principal, schema, command, undefined, vm),
      range,
    };
  }

  #ruling(schema: VmSchema, command: SchemaCommand, args: JsonNode | undefined, vm: GovernedVm): Ruling {
    const { kind, version } = schema.origin;
    const ruling = classifyCommand(kind, command.name, args, this.classes, version);
    if (command.name !== 'qom-get' || ruling.class === 'host') return ruling;
    if (vm.secretProperties?.has(textOf(args, 'property') ?? '') !== true) return ruling;
    return { class: 'host', rule: 'qom-get:secret', reason: 'this VM has secrets with a property of this name' };
  }
}

/** Is a property of this name a secret in this VM? */
export function isSecretProperty(name: string, { secretProperties }: Pick<GovernedVm, 'secretProperties'>): boolean {
  return secretPropertyName.test(name) || secretProperties?.has(name) === true;
}

function refusal(ruling: Ruling, rule: string, reason: string): Decision {
  return { allowed: false, class: ruling.class, rule, reason };
}

/** The answer to a command that was not allowed. */
export function forbidden(command: string, decision: Decision): Problem {
  return new Problem('forbidden', `${command} is refused by rule ${decision.rule}: ${decision.reason}.`);
}
