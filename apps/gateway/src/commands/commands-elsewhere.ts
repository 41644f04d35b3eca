import type { AuthenticatedContext } from '../access/authenticated-request.js';
import type { VmIdentity } from '../access/principal.js';
import type { CommandAsker, CommandRequest } from './command-request.js';

/** {@link CommandsElsewhere} as a dependency, null without a fleet: who serves it is above this room. */
export const CommandsElsewhereToken = Symbol('commandsElsewhere');

/** VMs that other nodes serve, and commands for them. */
export interface CommandsElsewhere {
  all(): IterableIterator<VmIdentity>;
  /** @returns false, and does nothing, when the VM is not at another node */
  execute(request: CommandRequest, asker: CommandAsker): boolean;
  /**
   * Asks what `POST /v1/access` asks at the node of the VM, which alone decides.
   * @param json the body
   * @returns the answer, and whose; undefined when the VM is not at another node
   * @throws Problem `vm-ambiguous`; rejects with the node's own
   */
  askAccess(
    context: AuthenticatedContext,
    vm: string,
    json: string,
  ): Promise<{ readonly node: string; readonly json: string }> | undefined;
}
