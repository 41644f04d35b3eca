/** Initial and largest ceiling of the wait between dials, in milliseconds. */
const firstMs = 100;
const longestMs = 5000;

/** Exponential back-off with full jitter, so that monitors lost at the same time are not dialled at the same time. */
export class Backoff {
  readonly #random: () => number;
  #attempts = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Milliseconds to wait before the next dial; each call doubles the ceiling for the next one, up to the largest. */
  next(): number {
    const ceiling = Math.min(longestMs, firstMs * 2 ** this.#attempts);
    if (ceiling < longestMs) this.#attempts++;
    return this.#random() * ceiling;
  }

  reset(): void {
    this.#attempts = 0;
  }
}
