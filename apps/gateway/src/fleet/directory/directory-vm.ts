import type { SnapshotVm } from '@qmp-gateway/fleet-protocol';
import type { RemoteVm } from '../fleet-view.js';

/** The node that a VM is at, as far as the VM's view needs it. */
export interface VmOwner {
  readonly node: string;
  readonly run: string;
  readonly reachable: boolean;
  /** When it was last heard, milliseconds since 1970. */
  readonly heard: number;
  /** When it became unreachable, milliseconds since 1970. */
  readonly silentSince: number;
}

/** As a view begins whose VM is had under a lease. */
const leasePattern = /^\{"id":"[^"]*","lease":(\d{1,15})[,}]/;

/** A VM of another node: there are 100,000 of them, so it holds only what it must. */
export class DirectoryVm implements RemoteVm {
  readonly id: string;
  labels: Readonly<Record<string, string>>;
  epoch: string | null;
  #full: string;
  #reduced: string;

  constructor(
    vm: SnapshotVm,
    private readonly owner: VmOwner,
  ) {
    this.id = vm.id;
    this.labels = vm.labels;
    this.epoch = vm.epoch;
    this.#full = vm.full;
    this.#reduced = vm.reduced;
  }

  get node(): string {
    return this.owner.node;
  }

  get run(): string {
    return this.owner.run;
  }

  get lease(): number | undefined {
    const found = leasePattern.exec(this.#full)?.[1];
    return found === undefined ? undefined : Number(found);
  }

  /** @returns false when nothing in it is new */
  become({ labels, epoch, full, reduced }: SnapshotVm): boolean {
    if (full === this.#full && reduced === this.#reduced) return false;
    this.labels = labels;
    this.epoch = epoch;
    this.#full = full;
    this.#reduced = reduced;
    return true;
  }

  /** The view as its node told it; while the node is not heard, as one of a VM that nobody can say anything of. */
  view(reduced: boolean): string {
    const told = reduced ? this.#reduced : this.#full;
    return this.owner.reachable ? told : unreachable(told, this.owner.silentSince);
  }

  render(reduced: boolean): string {
    return withHeard(this.view(reduced), this.owner.heard);
  }
}

/**
 * The row of a list: the view, which names its node, with when that was last heard.
 * @param view a JSON object with at least one member
 * @param heard milliseconds since 1970
 */
export function withHeard(view: string, heard: number): string {
  return `${view.slice(0, -1)},"heard":"${isoTime(heard)}"}`;
}

function unreachable(view: string, since: number): string {
  const { retryAt: _, ...told } = JSON.parse(view) as Record<string, unknown>;
  return JSON.stringify({
    ...told,
    state: 'unreachable',
    health: null,
    runState: null,
    since: new Date(since).toISOString(),
  });
}

let lastTime = NaN;
let lastIso = '';

/** Rows of one node follow each other often, and share its time. */
function isoTime(milliseconds: number): string {
  if (milliseconds !== lastTime) {
    lastTime = milliseconds;
    lastIso = new Date(milliseconds).toISOString();
  }
  return lastIso;
}
