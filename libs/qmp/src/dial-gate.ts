/**
 * A bound on dials in progress over all monitors that share it. A dial is in progress until it is connected (TLS
 * handshake included) or has failed; a monitor whose greeting does not come holds no place here.
 */
export class DialGate {
  readonly #limit: number;
  readonly #waiting = new Set<() => void>();
  #active = 0;

  /** @param limit dials in progress at most; at least 1. */
  constructor(limit: number) {
    if (!Number.isInteger(limit) || limit < 1) throw new RangeError('dial limit must be a positive integer');
    this.#limit = limit;
  }

  /** Dials in progress. */
  get active(): number {
    return this.#active;
  }

  /** Calls `dial` when a place is free, in the order asked; each call must be matched by one `leave()`. */
  enter(dial: () => void): void {
    if (this.#active < this.#limit) {
      this.#active++;
      dial();
    } else {
      this.#waiting.add(dial);
    }
  }

  /** Withdraws a dial that has not been called. Returns whether it was waiting; if not, it must `leave()`. */
  withdraw(dial: () => void): boolean {
    return this.#waiting.delete(dial);
  }

  leave(): void {
    this.#active--;
    const [next] = this.#waiting;
    if (next === undefined) return;
    this.#waiting.delete(next);
    this.#active++;
    next();
  }
}
