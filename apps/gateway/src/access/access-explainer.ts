import type { CommandTarget } from '../commands/command-path.js';
import type { Decision, Policy } from './policy.js';
import type { Level, Principal } from './principal.js';

export interface GrantView {
  readonly principal: string;
  readonly level: Level;
  readonly vms: readonly string[];
  readonly commands: { readonly allow: readonly string[]; readonly deny: readonly string[] };
}

/** Says what a principal was granted, and asks policy about a command without running it. */
export class AccessExplainer {
  constructor(
    private readonly commands: { resolve(principal: Principal, vm: string, command: string): CommandTarget },
    private readonly policy: Policy,
  ) {}

  grantOf({ id, grant }: Principal): GrantView {
    const { level, vms, commands } = grant;
    return { principal: id, level, vms, commands: { allow: commands?.allow ?? ['*'], deny: commands?.deny ?? [] } };
  }

  /**
   * By name alone: arguments can raise or lower the class, and a dry run of the command tells about those.
   * @throws Problem `vm-not-found`, `command-not-found`, `vm-unavailable`
   */
  explain(principal: Principal, vmId: string, name: string): Decision {
    const { vm, schema, command } = this.commands.resolve(principal, vmId, name);
    const decision = this.policy.decide(principal, schema, command, undefined, vm);
    const { offered } = command.knowledge;
    if (offered === true) return decision;
    return { allowed: false, class: decision.class, rule: 'not-offered', reason: offered.reason };
  }
}
