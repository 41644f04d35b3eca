import type { Principal } from '../../access/principal.js';
import { Problem } from '../../problems/problem.js';
import type { Vm } from '../../vms/vm.js';
import type { Clock } from '@qmp-gateway/qmp';
import type { FleetLink } from '../fleet-link.js';
import { isSuperseded, type FleetView, type NodeSight, type RemoteVm } from '../fleet-view.js';

/** The node of a VM, as it can be asked now. */
export interface Owner {
  readonly vm: RemoteVm;
  readonly sight: NodeSight;
  /** Its monotonic clock now, never ahead of the truth; undefined while nothing was heard of it. */
  readonly clockMs: number | undefined;
}

/** Until when an owner may begin a request by whose clock nothing can be said: it refuses it, and says its clock. */
export const alreadyOver = -1;

export interface PlaceParts {
  readonly link: Pick<FleetLink, 'connected' | 'node'>;
  readonly view: FleetView;
  readonly registry: { get(id: string): Vm | undefined };
  readonly clock: Pick<Clock, 'now'>;
}

/** Says where a VM is served: here, by another node, or nowhere that the caller may know of. */
export class RemotePlaces {
  /** What owners said of their clocks when they refused a request, by node: how far they are ahead of this one's. */
  readonly #told = new Map<string, { readonly run: string; readonly aheadMs: number }>();

  constructor(private readonly parts: PlaceParts) {}

  /** An owner told its clock a moment ago. It cannot be behind that now. */
  learn({ node }: RemoteVm, run: string, at: number): void {
    this.#told.set(node, { run, aheadMs: at - this.parts.clock.now() });
  }

  /**
   * The other node that serves a VM.
   * @param node the caller's choice where several claim it
   * @returns undefined when it is to be found here, or nowhere
   * @throws Problem `vm-ambiguous`; `vm-not-found` when the chosen node, another than this, has none
   */
  find(principal: Principal, id: string, node: string | undefined): RemoteVm | undefined {
    const { link, view, registry } = this.parts;
    const own = registry.get(id);
    const found = view.find(id);
    const [only] = found;
    // Nearly always.
    if (own === undefined && node === undefined && found.length === 1 && only !== undefined)
      return principal.sees(only) ? only : undefined;
    const claims = found.filter((vm) => principal.sees(vm));
    const isOwn = own !== undefined && principal.sees(own) && !claims.some((vm) => isSuperseded(own, vm));
    const others = isOwn ? claims.filter((vm) => !isSuperseded(vm, own)) : claims;
    if (node !== undefined) {
      const chosen = others.find((vm) => vm.node === node);
      if (chosen !== undefined || (isOwn && node === link.node)) return chosen;
      if (node === link.node && others.length === 0) return undefined;
      const told =
        `Node ${JSON.stringify(node.slice(0, 128))} serves no VM ${JSON.stringify(id.slice(0, 128))}; ` +
        'one is registered at the node that is to serve it.';
      throw new Problem('vm-not-found', told, { vm: id.slice(0, 128) });
    }
    if (others.length + (isOwn ? 1 : 0) <= 1) return others[0];
    const nodes = [...(isOwn ? [link.node] : []), ...others.map((vm) => vm.node)].sort();
    const told = `Nodes ${nodes.join(', ')} each serve a VM of this id: choose one with ?node=.`;
    throw new Problem('vm-ambiguous', told, { vm: id, suggestions: nodes });
  }

  /** What is known of the node of a VM. */
  sight({ node }: RemoteVm): NodeSight | undefined {
    return this.parts.view.node(node);
  }

  /** VMs of other nodes. */
  others(): IterableIterator<RemoteVm> {
    return this.parts.view.all();
  }

  /** Whether it is served here. */
  isOwn(id: string): boolean {
    return this.parts.registry.get(id) !== undefined;
  }

  /** Whether something can be handed to its node now. */
  isInReach({ node }: RemoteVm): boolean {
    const sight = this.parts.view.node(node);
    return this.parts.link.connected && sight?.reachable === true && sight.clock() !== undefined;
  }

  /** @throws Problem `fleet-unavailable`, `vm-unavailable`: nothing can be handed to its node now */
  require(vm: RemoteVm): Owner {
    const { link, view } = this.parts;
    if (!link.connected)
      throw new Problem('fleet-unavailable', 'This node has lost its connection with NATS; its own VMs can be used.', {
        vm: vm.id,
      });
    const sight = view.node(vm.node);
    if (sight?.reachable !== true) throw unheard(vm, sight);
    const told = this.#told.get(vm.node);
    const byAnswer = told?.run === sight.run ? told.aheadMs + this.parts.clock.now() : undefined;
    const byHeartbeat = sight.clock();
    // Each is never ahead of the truth, so the later one is nearer to it.
    const clockMs = byAnswer === undefined || (byHeartbeat ?? -Infinity) > byAnswer ? byHeartbeat : byAnswer;
    return { vm, sight, clockMs };
  }
}

/** A node that is not there, or was not heard. */
export function unheard({ id, node }: RemoteVm, sight: NodeSight | undefined): Problem {
  const heard = sight === undefined ? 'not heard yet' : `last heard at ${new Date(sight.heard).toISOString()}`;
  return new Problem('vm-unavailable', `Node ${node}, which serves it, cannot be reached; it was ${heard}.`, {
    vm: id,
  });
}
