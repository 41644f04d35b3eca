import { snapshotOf, timestampOf, type EventParts } from '../../events/event-record.js';
import type { DirectoryVm } from './directory-vm.js';

/** What a reader keeps of a VM that is gone. */
interface Removed {
  readonly vm: DirectoryVm;
  /** The VM of the same id at another node, which is there still: readers keep rows by id. */
  readonly other: DirectoryVm | undefined;
}

/**
 * What this entry finds out by itself about VMs of other nodes, for its own streams of events. Each VM waits at most
 * once, so that there are no more of them than VMs, and is told as it is when its turn comes: of a node that was away
 * for a moment nothing is told that was true only then.
 */
export class Tellings {
  readonly #changed = new Set<DirectoryVm>();
  readonly #removed = new Map<string, Removed>();
  #news: () => void = () => undefined;

  /** Called when there is something to tell. */
  onNews(news: () => void): void {
    this.#news = news;
  }

  changed(vms: Iterable<DirectoryVm>): void {
    for (const vm of vms) {
      this.#changed.add(vm);
      this.#removed.delete(vm.id);
    }
    if (this.#changed.size > 0) this.#news();
  }

  removed(vm: DirectoryVm, other: DirectoryVm | undefined): void {
    this.#changed.delete(vm);
    this.#removed.set(vm.id, { vm, other });
    this.#news();
  }

  /** Takes out what is to be told. @param wall milliseconds since 1970 */
  take(most: number, wall: number): EventParts[] {
    const told: EventParts[] = [];
    for (const [id, { vm, other }] of this.#removed) {
      if (told.length === most) return told;
      this.#removed.delete(id);
      if (other === undefined) told.push(eventOf(vm, 'vm-removed', wall));
      else this.#changed.add(other);
    }
    for (const vm of this.#changed) {
      if (told.length === most) break;
      this.#changed.delete(vm);
      told.push(eventOf(vm, 'vm-changed', wall));
    }
    return told;
  }
}

function eventOf(vm: DirectoryVm, name: 'vm-changed' | 'vm-removed', wall: number): EventParts {
  const views =
    name === 'vm-changed'
      ? { data: vm.render(false), reducedData: vm.render(true) }
      : { data: JSON.stringify({ id: vm.id, node: vm.node }) };
  return { source: snapshotOf(vm), name, ...views, timestamp: timestampOf(wall), receivedAt: wall };
}
