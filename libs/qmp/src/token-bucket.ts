/** Paces what may happen so many times a second: messages of a dialect whose server refuses more, work that a server causes. */
export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #filledAt: number;

  /** @param now monotonic milliseconds. */
  constructor(rate: { readonly perSecond: number; readonly burst: number }, now: number) {
    this.#perMs = rate.perSecond / 1000;
    this.#burst = rate.burst;
    this.#tokens = rate.burst;
    this.#filledAt = now;
  }

  /** Takes one token when there is one: without, nothing is owed. */
  tryTake(now: number): boolean {
    this.#fill(now);
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** Takes one token. @returns milliseconds to wait before using it: 0 when the bucket was not empty. */
  take(now: number): number {
    this.#fill(now);
    this.#tokens--;
    return this.#tokens >= 0 ? 0 : Math.ceil(-this.#tokens / this.#perMs);
  }

  #fill(now: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#filledAt) * this.#perMs);
    this.#filledAt = now;
  }
}
