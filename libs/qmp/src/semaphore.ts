/** So many places, for what may be under way at once; who finds none free waits, in the order asked. */
export class Semaphore {
  readonly #places: number;
  readonly #waiting = new Set<() => void>();
  #taken = 0;

  /** @param places at least 1. */
  constructor(places: number) {
    if (!Number.isInteger(places) || places < 1) throw new RangeError('a semaphore has a positive number of places');
    this.#places = places;
  }

  /** Places taken. */
  get taken(): number {
    return this.#taken;
  }

  /** Those who wait for a place. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Takes a place if one is free; without one, nobody waits. Each place must be given back by one `leave()`. */
  tryEnter(): boolean {
    if (this.#taken >= this.#places) return false;
    this.#taken++;
    return true;
  }

  /** Calls `begin` with a place taken, at once if one is free; each call must be matched by one `leave()`. */
  enter(begin: () => void): void {
    if (this.tryEnter()) begin();
    else this.#waiting.add(begin);
  }

  /** Takes back a wish for a place. Returns whether it was waiting; if not, it must `leave()`. */
  withdraw(begin: () => void): boolean {
    return this.#waiting.delete(begin);
  }

  /** Hands the place to whoever waits longest; it is never free in between. */
  leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#taken--;
      return;
    }
    this.#waiting.delete(next);
    next();
  }

  /** Runs the task when there is a place for it. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (!this.tryEnter()) await new Promise<void>((resolve) => this.#waiting.add(resolve));
    try {
      return await task();
    } finally {
      this.leave();
    }
  }
}
