import type { VmIdentity } from '../access/principal.js';

/** A place in a list of VMs, in the order of ids, and of nodes where several have one. */
export interface RowPlace {
  readonly id: string;
  readonly node: string;
}

/** A VM of another node as lists show it. */
export interface FleetRow extends VmIdentity {
  readonly node: string;
  /** JSON. @param reduced for principals below level `configure` */
  render(reduced: boolean): string;
}

/** The VMs of other nodes: what a fleet adds to lists. */
export interface FleetRows {
  /** In the order of lists, behind a place. */
  after(place: RowPlace | undefined): Iterable<FleetRow>;
  /** A row of this node's own. */
  own(view: string): string;
}
