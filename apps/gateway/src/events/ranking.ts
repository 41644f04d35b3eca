/** One holder's place in a {@link Ranking}. */
export class Standing<T> {
  weight = 0;
  slot = -1;

  constructor(readonly holder: T) {}
}

/** Who holds most: an indexed binary heap, so that a change of weight costs O(log n) and the top nothing. */
export class Ranking<T> {
  readonly #heap: Standing<T>[] = [];

  get top(): Standing<T> | undefined {
    return this.#heap[0];
  }

  /** Enters the standing when it is new. */
  weigh(standing: Standing<T>, weight: number): void {
    const before = standing.weight;
    standing.weight = weight;
    if (standing.slot < 0) {
      standing.slot = this.#heap.push(standing) - 1;
      this.#rise(standing);
    } else if (weight > before) this.#rise(standing);
    else this.#sink(standing);
  }

  remove(standing: Standing<T>): void {
    const { slot } = standing;
    const last = this.#heap.pop();
    standing.slot = -1;
    if (last === undefined || last === standing) return;
    this.#place(last, slot);
    this.#rise(last);
    this.#sink(last);
  }

  #rise(standing: Standing<T>): void {
    let slot = standing.slot;
    while (slot > 0) {
      const parentSlot = (slot - 1) >> 1;
      const parent = this.#heap[parentSlot];
      if (parent === undefined || parent.weight >= standing.weight) break;
      this.#place(parent, slot);
      slot = parentSlot;
    }
    this.#place(standing, slot);
  }

  #sink(standing: Standing<T>): void {
    let slot = standing.slot;
    for (;;) {
      const left = this.#heap[2 * slot + 1];
      const right = this.#heap[2 * slot + 2];
      const child = right !== undefined && left !== undefined && right.weight > left.weight ? right : left;
      if (child === undefined || child.weight <= standing.weight) break;
      const childSlot = child.slot;
      this.#place(child, slot);
      slot = childSlot;
    }
    this.#place(standing, slot);
  }

  #place(standing: Standing<T>, slot: number): void {
    this.#heap[slot] = standing;
    standing.slot = slot;
  }
}
