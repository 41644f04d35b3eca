import type { VmIdentity } from '../access/principal.js';

/**
 * One message of the event stream as this node received it: in the order of the stream, each once. An empty one is a
 * heartbeat.
 */
export interface ReceivedBatch {
  /** Its place in the stream, from 1. */
  readonly sequence: number;
  readonly node: string;
  /** The run of the node that sent it. */
  readonly run: string;
  /** The first and the last of the node's own event numbers in it; `last` is `first - 1` in an empty one. */
  readonly first: number;
  readonly last: number;
  /** Monotonic milliseconds of the sender when it was sent; undefined where it was read later, from the stream. */
  readonly sentAt: number | undefined;
  /** What else stood in its header. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Its events, one JSON text each. */
  readonly lines: readonly string[];
}

/** A VM that another node of the fleet serves, as this node knows it. */
export interface RemoteVm extends VmIdentity {
  readonly node: string;
  /** Of the node when it told of the VM. */
  readonly run: string;
  /** Under which its node has it, where its endpoint is shared. */
  readonly lease: number | undefined;
  /** JSON of what this node knows of it. @param reduced for principals below level `configure` */
  render(reduced: boolean): string;
}

/** Whether `one` stands for what `other` has under a later lease: its node is gone, or does not know yet that it lost it. */
export function isSuperseded(
  one: { readonly lease: number | undefined },
  other: { readonly lease: number | undefined },
): boolean {
  return one.lease !== undefined && other.lease !== undefined && one.lease < other.lease;
}

/** What this node knows of another one. */
export interface NodeSight {
  readonly node: string;
  readonly run: string;
  /** False once it was not heard for `unreachableAfter`. */
  readonly reachable: boolean;
  /** When it was last heard, milliseconds since 1970. */
  readonly heard: number;
  /**
   * Its monotonic clock now, never ahead of the truth: what expires by it expires too early rather than too late.
   * Undefined while none of its heartbeats was heard as it came.
   */
  clock(): number | undefined;
}

/** Where VMs and nodes are found: what the directory offers to whoever sends commands. */
export interface FleetView {
  /** The VMs of this id at other nodes: several when more than one node claims it. */
  find(id: string): readonly RemoteVm[];
  node(name: string): NodeSight | undefined;
  /** All VMs of other nodes. */
  all(): IterableIterator<RemoteVm>;
}
