/** Tells listeners that something changed, as `useSyncExternalStore` takes it. */
export class Signal {
  readonly #listeners = new Set<() => void>();

  /** @returns how to stop hearing it */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
