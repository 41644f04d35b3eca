/**
 * A map of at most so many entries: a new key beyond drops the entry that was set first. `get` is that of a plain map;
 * an entry that is to count as young again is deleted before it is set.
 */
export class BoundedMap<K, V> extends Map<K, V> {
  readonly #most: number;
  /**
   * Walks along the keys in the order they were set. All that it has passed was deleted, so the next one is the oldest;
   * asking a new iterator each time would step over every hole that earlier deletions left.
   */
  #oldest: Iterator<K> | undefined;

  /** @param most entries; at least 1 */
  constructor(most: number) {
    super();
    if (!Number.isInteger(most) || most < 1) throw new RangeError('a bounded map holds at least one entry');
    this.#most = most;
  }

  override set(key: K, value: V): this {
    if (this.size >= this.#most && !this.has(key)) {
      this.#oldest ??= this.keys();
      const { value: oldest } = this.#oldest.next() as IteratorYieldResult<K>;
      this.delete(oldest);
    }
    return super.set(key, value);
  }
}
