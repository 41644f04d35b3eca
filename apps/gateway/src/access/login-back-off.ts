import { isIPv6 } from 'node:net';

/** Wrong credentials that are told at once: typing errors, and a client whose token was just replaced. */
const freeFailures = 5;
const firstDelayMs = 100;
const longestDelayMs = 5_000;
const forgottenMs = 10 * 60_000;
/** Senders remembered; the one that failed longest ago is forgotten first. */
const mostSenders = 10_000;

/**
 * Slows down whoever tries credentials. Only the refusal is late, told by how many came before it from the same
 * address: valid credentials are never held up, so nobody can be locked out by somebody else's attempts.
 */
export class LoginBackOff {
  readonly #failures = new Map<string, { count: number; last: number }>();

  constructor(private readonly now: () => number = () => performance.now()) {}

  /**
   * Counts a refusal.
   * @param address of the sender; undefined for unix sockets
   * @returns milliseconds to wait before it is told
   */
  refused(address: string | undefined): number {
    const sender = networkOf(address ?? '');
    const now = this.now();
    const before = this.#failures.get(sender);
    const count = before === undefined || now - before.last > forgottenMs ? 1 : before.count + 1;
    this.#failures.delete(sender);
    this.#failures.set(sender, { count, last: now });
    if (this.#failures.size > mostSenders) {
      const [oldest] = this.#failures.keys();
      if (oldest !== undefined) this.#failures.delete(oldest);
    }
    const excess = count - freeFailures;
    return excess <= 0 ? 0 : Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(excess - 1, 16));
  }
}

/** One sender has 2^64 addresses of version 6. */
function networkOf(address: string): string {
  return isIPv6(address) && !address.startsWith('::ffff:') ? address.split(':').slice(0, 4).join(':') : address;
}
