/** Heartbeats that count. */
const kept = 3;

/**
 * What another node's monotonic clock shows now, from what it said and when that came. A message takes time, so what
 * it says is always too early when it comes: the largest difference of the last few is the nearest, and never ahead of
 * the truth but for how far two clocks drift apart within three heartbeats.
 */
export class RemoteClock {
  readonly #differences: number[] = [];

  /** @param sentAt by the other clock @param receivedAt by the own, both milliseconds */
  heard(sentAt: number, receivedAt: number): void {
    this.#differences.push(sentAt - receivedAt);
    if (this.#differences.length > kept) this.#differences.shift();
  }

  /** Another run has another clock. */
  forget(): void {
    this.#differences.length = 0;
  }

  /** @param now by the own clock @returns undefined before anything was heard */
  read(now: number): number | undefined {
    return this.#differences.length === 0 ? undefined : Math.max(...this.#differences) + now;
  }
}
