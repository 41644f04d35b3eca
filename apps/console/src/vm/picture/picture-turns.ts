/** Pictures that are being taken at once, over all VMs. */
const atOnce = 2;

/** Whoever wants a picture waits for a turn: each makes its VM draw the screen. */
export class PictureTurns {
  #taking = 0;
  readonly #waiting: (() => void)[] = [];

  /** Runs when it is its turn. Rejects with the reason of `signal`, or as `take` does. */
  async run<T>(take: () => Promise<T>, signal: AbortSignal): Promise<T> {
    if (this.#taking >= atOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#taking++;
    try {
      signal.throwIfAborted();
      return await take();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#taking--;
      else next();
    }
  }
}
