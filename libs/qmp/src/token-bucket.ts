/** Paces what may happen so many times a second, and a few times at once: messages, requests, lines of a log. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #filledAt: number;

  /** @param now monotonic milliseconds. */
  constructor(rate: { readonly perSecond: number; readonly burst: number }, now: number) {
    this.#perSecond = rate.perSecond;
    this.#burst = rate.burst;
    this.#tokens = rate.burst;
    this.#filledAt = now;
  }

  /** Tokens left when one was last asked for; below zero for those that were taken ahead. */
  get tokens(): number {
    return this.#tokens;
  }

  /** Takes one token if there is one; otherwise nothing changes. */
  tryTake(now: number): boolean {
    this.#fill(now);
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** Takes one token. @returns milliseconds to wait before using it: 0 if the bucket was not empty. */
  take(now: number): number {
    this.#fill(now);
    this.#tokens--;
    return this.#tokens >= 0 ? 0 : Math.ceil((-this.#tokens * 1000) / this.#perSecond);
  }

  #fill(now: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#filledAt) * this.#perSecond) / 1000);
    this.#filledAt = now;
  }
}
