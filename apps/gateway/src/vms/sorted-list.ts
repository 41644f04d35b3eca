/** Changes that are made one by one; with more of them waiting, all is put in order at once. */
const oneByOne = 64;

/**
 * Things in an order that is kept while they come and go. Changes are gathered until somebody reads: thousands of them
 * cost one pass over the list. As long as there are things: its owner bounds them.
 */
export class SortedList<T> {
  #items: T[] = [];
  readonly #added = new Set<T>();
  readonly #removed = new Set<T>();

  /** @param compare a total order: two things that are equal in it are the same thing */
  constructor(private readonly compare: (a: T, b: T) => number) {}

  add(item: T): void {
    if (!this.#removed.delete(item)) this.#added.add(item);
  }

  /** @param item the very thing that was added */
  delete(item: T): void {
    if (!this.#added.delete(item)) this.#removed.add(item);
  }

  get size(): number {
    return this.#items.length + this.#added.size - this.#removed.size;
  }

  /** The things in order, from the first for which `isAfter` holds; it must hold for all that follow. */
  *from(isAfter: (item: T) => boolean = () => true): Generator<T> {
    this.#settle();
    const items = this.#items;
    for (let at = firstWhere(items, isAfter); at < items.length; at++) yield items[at] as T;
  }

  #settle(): void {
    if (this.#added.size + this.#removed.size <= oneByOne) {
      for (const item of this.#removed) this.#items.splice(this.#placeOf(item), 1);
      for (const item of this.#added) this.#items.splice(this.#placeOf(item), 0, item);
    } else {
      const stayed = this.#removed.size === 0 ? this.#items : this.#items.filter((item) => !this.#removed.has(item));
      this.#items = [...stayed, ...this.#added].sort(this.compare);
    }
    this.#added.clear();
    this.#removed.clear();
  }

  #placeOf(item: T): number {
    return firstWhere(this.#items, (each) => this.compare(each, item) >= 0);
  }
}

/** The index of the first for which it holds, where it holds for all that follow; the length when for none. */
function firstWhere<T>(items: readonly T[], holds: (item: T) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(items[middle] as T)) high = middle;
    else low = middle + 1;
  }
  return low;
}
