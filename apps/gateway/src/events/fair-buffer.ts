import { Ranking, Standing } from './ranking.js';

/** What a fair buffer keeps: things of a VM, in rising order of their number. */
export interface Kept {
  readonly n: number;
  readonly vm: string;
  readonly bytes: number;
}

export interface Bounds {
  readonly events: number;
  readonly bytes: number;
}

/** The kept things of one VM, oldest first. */
export class VmQueue<T extends Kept> {
  #items: T[] = [];
  #head = 0;
  bytes = 0;
  readonly byCount = new Standing<VmQueue<T>>(this);
  readonly byBytes = new Standing<VmQueue<T>>(this);

  constructor(readonly vm: string) {}

  get length(): number {
    return this.#items.length - this.#head;
  }

  at(index: number): T | undefined {
    return this.#items[this.#head + index];
  }

  push(item: T): void {
    this.#items.push(item);
    this.bytes += item.bytes;
  }

  shift(): T | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) return undefined;
    this.bytes -= item.bytes;
    this.#head++;
    // Half of the array is behind us: moving the other half costs less than what made it so.
    if (this.#head > 64 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** Index of the first item with a number above `n`. */
  indexAfter(n: number): number {
    return this.firstWhere((item) => item.n > n);
  }

  /** Index of the first item of which this is true, where it is true of all after that; the length if it is of none. */
  firstWhere(isPast: (item: T) => boolean): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const item = this.at(middle);
      if (item === undefined || isPast(item)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/**
 * A queue per VM inside bounds for all together. When they are reached, the VM that holds most gives up its oldest:
 * a flooding VM costs only itself. Every operation is O(log VMs) at most.
 */
export class FairBuffer<T extends Kept> {
  readonly #queues = new Map<string, VmQueue<T>>();
  readonly #byCount = new Ranking<VmQueue<T>>();
  readonly #byBytes = new Ranking<VmQueue<T>>();
  #count = 0;
  #bytes = 0;

  constructor(
    readonly bounds: Bounds,
    /** Called for each thing that is dropped, the oldest of its VM first. */
    readonly dropped: (item: T) => void,
  ) {}

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get queues(): ReadonlyMap<string, VmQueue<T>> {
    return this.#queues;
  }

  push(item: T): void {
    if (item.bytes > this.bounds.bytes) {
      this.skip(item);
      return;
    }
    while (this.#count >= this.bounds.events) this.#drop(this.#heaviest(this.#byCount, item.vm, 1));
    while (this.#bytes + item.bytes > this.bounds.bytes) this.#drop(this.#heaviest(this.#byBytes, item.vm, item.bytes));
    let queue = this.#queues.get(item.vm);
    if (queue === undefined) {
      queue = new VmQueue(item.vm);
      this.#queues.set(item.vm, queue);
    }
    queue.push(item);
    this.#count++;
    this.#bytes += item.bytes;
    this.#reweigh(queue);
  }

  /** Takes out the oldest thing of a VM. */
  shift(queue: VmQueue<T>): T | undefined {
    const item = queue.shift();
    if (item === undefined) return undefined;
    this.#count--;
    this.#bytes -= item.bytes;
    this.#reweigh(queue);
    return item;
  }

  #reweigh(queue: VmQueue<T>): void {
    if (queue.length > 0) {
      this.#byCount.weigh(queue.byCount, queue.length);
      this.#byBytes.weigh(queue.byBytes, queue.bytes);
    } else {
      this.#byCount.remove(queue.byCount);
      this.#byBytes.remove(queue.byBytes);
      this.#queues.delete(queue.vm);
    }
  }

  /** The new item counts for its own VM, so that it never pushes out items of a VM that holds no more than its own. */
  #heaviest(ranking: Ranking<VmQueue<T>>, vm: string, weight: number): VmQueue<T> | undefined {
    const { top } = ranking;
    const own = this.#queues.get(vm);
    if (own === undefined || top === undefined) return top?.holder;
    const ownWeight = ranking === this.#byCount ? own.length : own.bytes;
    return ownWeight + weight >= top.weight ? own : top.holder;
  }

  #drop(queue: VmQueue<T> | undefined): void {
    const item = queue === undefined ? undefined : this.shift(queue);
    if (item === undefined) throw new Error('a fair buffer over its bounds holds nothing');
    this.dropped(item);
  }

  /** For what exceeds a bound alone: it is not kept; neither may older things of its VM stay, or order would be lost. */
  skip(item: T): void {
    const queue = this.#queues.get(item.vm);
    while (queue !== undefined && queue.length > 0) this.#drop(queue);
    this.dropped(item);
  }
}
