import type { Principal, VmIdentity } from '../access/principal.js';
import type { Problem } from '../problems/problem.js';
import type { VmSelector } from '../vms/vm-selector.js';

/** Which VMs there are, as events and sockets need to know it. */
export interface VmDirectory {
  find(id: string): VmIdentity | undefined;
  /** The answer to an id that is no VM's, or none that the principal may see. */
  notFound(principal: Principal, id: string): Problem;
  /** JSON of each selected VM the principal sees, in the form its level allows, from memory. */
  list(principal: Principal, selector: VmSelector): readonly string[];
}

export const VM_DIRECTORY = Symbol('VmDirectory');
