import type { AuditLog } from '../access/audit/audit-log.js';
import type { AuthenticatedContext } from '../access/authenticated-request.js';
import type { Principal, VmIdentity } from '../access/principal.js';
import type { FleetMember } from '../fleet/fleet-member.js';
import { Problem } from '../problems/problem.js';
import type { GatewayIdentity } from '../state/gateway-identity.js';
import type { VmDirectory } from '../vms/vm-directory.js';
import type { VmRegistry } from '../vms/vm-registry.js';
import type { NodeShape } from './node-shapes.js';

/** The nodes of the fleet as clients see them: of a gateway without a fleet, itself. */
export class FleetNodes {
  constructor(
    private readonly member: FleetMember | null,
    private readonly identity: GatewayIdentity,
    private readonly vms: { readonly registry: VmRegistry; readonly directory: VmDirectory },
    private readonly audit: AuditLog,
  ) {}

  /** This node first, then the others in the order of their names. */
  list(principal: Principal): NodeShape[] {
    const { run, version } = this.identity;
    const { registry, directory } = this.vms;
    const own: NodeShape = {
      ...{ node: directory.node, state: 'reachable', heard: new Date().toISOString(), run, version },
      ...{ speaks: this.member === null ? [] : [1], vms: seenBy(principal, registry.all(), registry.size) },
    };
    const others = (this.member?.directory?.nodes() ?? []).map(
      ({ node, reachable, heard, run, version, speaks, vms }): NodeShape => ({
        ...{ node, state: reachable ? 'reachable' : 'unreachable', heard: new Date(heard).toISOString() },
        ...{ run, version, speaks, vms: seenBy(principal, vms.values(), vms.size) },
      }),
    );
    return [own, ...others.sort((a, b) => (a.node < b.node ? -1 : 1))];
  }

  /**
   * Forgets a node that is not heard, at all entries.
   * @throws Problem `forbidden`, `route-not-found`, `node-reachable`, `fleet-unavailable`, `audit-unavailable`
   */
  async remove(caller: AuthenticatedContext, name: string): Promise<void> {
    const { principal } = caller;
    if (!principal.reaches('host'))
      throw new Problem('forbidden', `Forgetting a node needs level host; the credentials have ${principal.level}.`);
    const directory = this.member?.directory;
    const node = directory?.node(name);
    if (name === this.vms.directory.node || node?.reachable === true)
      throw new Problem('node-reachable', `Node ${name} is heard: stop its gateway instead.`);
    if (directory === undefined || node === undefined)
      throw new Problem('route-not-found', `This gateway knows no other node ${JSON.stringify(name.slice(0, 128))}.`);
    this.audit.requireWritable();
    try {
      await directory.remove(name);
    } catch (error) {
      throw new Problem('fleet-unavailable', `NATS did not take it: ${(error as Error).message}.`);
    }
    this.audit.change(principal, caller, 'node-removed', { node: name });
  }
}

function seenBy(principal: Principal, vms: Iterable<VmIdentity>, all: number): number {
  if (principal.seesAll) return all;
  let seen = 0;
  for (const vm of vms) if (principal.sees(vm)) seen++;
  return seen;
}
