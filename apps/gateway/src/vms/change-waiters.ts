/** Who waits for the next change of something, to be told once. */
export class ChangeWaiters {
  readonly #waiters = new Set<() => void>();

  /** @returns a function that takes the wish back */
  add(callback: () => void): () => void {
    this.#waiters.add(callback);
    return () => this.#waiters.delete(callback);
  }

  wake(): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) waiter();
  }
}
