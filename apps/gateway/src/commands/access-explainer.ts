import type { Ruling } from '@qmp-gateway/catalog';
import { readJson } from '@qmp-gateway/qapi';
import type { CommandTarget } from './command-target.js';
import type { Decision, Policy } from '../access/policy/policy.js';
import type { Level, Principal } from '../access/principal.js';

export interface GrantView {
  readonly principal: string;
  readonly level: Level;
  readonly vms: readonly string[];
  readonly commands: { readonly allow: readonly string[]; readonly deny: readonly string[] };
}

/** Which command is asked about. */
export interface CommandQuestion {
  readonly vm: string;
  /** Of the guest agent, not of the monitor. */
  readonly agent: boolean;
  readonly command: string;
}

/** A decision whose reason says everything. */
export type ExplainedDecision = Omit<Decision, 'shortfall'>;

/** Of a command whatever its arguments; `class`, `rule` and `reason` are those of the command without any. */
export interface OutlookView extends Omit<ExplainedDecision, 'allowed'> {
  readonly allowed: boolean | 'by-arguments';
  readonly lowestClass: Level;
  readonly highestClass: Level;
  /** The rules about arguments, each with the class it comes to. */
  readonly argumentRules: readonly Ruling[];
}

/** Says what a principal was granted, and asks policy about a command without running it. */
export class AccessExplainer {
  constructor(
    private readonly commands: {
      resolve(principal: Principal, vm: string, command: string, agent?: boolean): CommandTarget;
    },
    private readonly policy: Policy,
  ) {}

  grantOf({ id, grant }: Principal): GrantView {
    const { level, vms, commands } = grant;
    return { principal: id, level, vms, commands: { allow: commands?.allow ?? ['*'], deny: commands?.deny ?? [] } };
  }

  /**
   * What can be said of a command before its arguments are known.
   * @throws Problem `vm-not-found`, `route-not-found` (it has no agent), `command-not-found`, `vm-unavailable`
   */
  outlook(principal: Principal, { vm: vmId, agent, command: name }: CommandQuestion): OutlookView {
    const target = this.commands.resolve(principal, vmId, name, agent);
    const { allowed, decision, range } = this.policy.outlook(principal, target);
    return {
      ...explained(decision),
      allowed,
      lowestClass: range.lowest.class,
      highestClass: range.highest.class,
      argumentRules: range.byArguments,
      ...notOffered(target.command.knowledge.offered),
    };
  }

  /**
   * What a command with these arguments would be told. They are judged as policy judges them, before anything asks
   * whether they fit the command's schema: a dry run tells that.
   * @throws Problem as `outlook`
   */
  decide(
    principal: Principal,
    { vm: vmId, agent, command: name }: CommandQuestion,
    args: object | undefined,
  ): ExplainedDecision {
    const target = this.commands.resolve(principal, vmId, name, agent);
    const node = args === undefined ? undefined : readJson(JSON.stringify(args)).root;
    const decision = this.policy.decide(principal, target, node);
    return { ...explained(decision), ...notOffered(target.command.knowledge.offered) };
  }
}

/** With the level in the reason, where it decides. */
function explained({ shortfall, ...decision }: Decision): ExplainedDecision {
  return shortfall === undefined ? decision : { ...decision, reason: `${shortfall}: ${decision.reason}` };
}

function notOffered(
  offered: true | { readonly reason: string },
): Pick<Decision, 'allowed' | 'rule' | 'reason'> | object {
  return offered === true ? {} : { allowed: false, rule: 'not-offered', reason: offered.reason };
}
