/** Both bounds of a ring. */
export interface RingBounds {
  readonly items: number;
  /** Sum of the weights of all items; a single item over it is kept alone. */
  readonly weight: number;
}

/** The newest items within two bounds; the oldest go first. Reading by index, adding and dropping take constant time. */
export class BoundedRing<Item> {
  readonly #items: (Item | undefined)[] = [];
  readonly #weights: number[] = [];
  #start = 0;
  #length = 0;
  #weight = 0;
  #added = 0;

  constructor(private readonly bounds: RingBounds) {}

  get length(): number {
    return this.#length;
  }

  /** How many items were ever added since the last `clear`. */
  get added(): number {
    return this.#added;
  }

  /** How many were dropped for the bounds. */
  get dropped(): number {
    return this.#added - this.#length;
  }

  /** @param weight its share of the bound, at least 0 */
  push(item: Item, weight: number): void {
    while (this.#length > 0 && (this.#length === this.bounds.items || this.#weight + weight > this.bounds.weight))
      this.#shift();
    const at = this.#index(this.#length);
    this.#items[at] = item;
    this.#weights[at] = weight;
    this.#weight += weight;
    this.#length++;
    this.#added++;
  }

  /** @param index from 0, the oldest; undefined where there is none */
  at(index: number): Item | undefined {
    return index < 0 || index >= this.#length ? undefined : this.#items[this.#index(index)];
  }

  /** All, the oldest first. */
  toArray(): Item[] {
    return Array.from({ length: this.#length }, (_, index) => this.#items[this.#index(index)] as Item);
  }

  clear(): void {
    this.#items.length = 0;
    this.#weights.length = 0;
    this.#start = this.#length = this.#weight = this.#added = 0;
  }

  #shift(): void {
    this.#weight -= this.#weights[this.#start] ?? 0;
    this.#items[this.#start] = undefined;
    this.#start = this.#index(1);
    this.#length--;
  }

  #index(offset: number): number {
    return (this.#start + offset) % this.bounds.items;
  }
}
