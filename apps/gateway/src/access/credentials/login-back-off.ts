import { systemClock, type Clock } from '@qmp-gateway/qmp';
import { isIPv6 } from 'node:net';
import { BoundedMap } from '../../bounds/bounded-map.js';

/** Refusals that go out at once: for typing errors, and for a client whose token was just replaced. */
const promptRefusals = 5;
const firstDelayMs = 100;
const longestDelayMs = 5_000;
const forgottenMs = 10 * 60_000;
/** Number of senders to remember; the one that failed longest ago is forgotten first. */
const mostSenders = 10_000;

/**
 * Slows down attempts at credentials. Only the refusal is delayed, depending on the number of earlier ones from the
 * same address: valid credentials are never delayed, so nobody can be locked out by somebody else's attempts.
 */
export class LoginBackOff {
  readonly #refusals = new BoundedMap<string, { count: number; last: number }>(mostSenders);

  constructor(private readonly clock: Clock = systemClock) {}

  /**
   * Counts a refusal.
   * @param address of the sender; undefined for unix sockets
   * @returns milliseconds to wait before it goes out
   */
  refused(address: string | undefined): number {
    const sender = networkOf(address ?? '');
    const now = this.clock.now();
    const before = this.#refusals.get(sender);
    const count = before === undefined || now - before.last > forgottenMs ? 1 : before.count + 1;
    this.#refusals.delete(sender);
    this.#refusals.set(sender, { count, last: now });
    const excess = count - promptRefusals;
    return excess <= 0 ? 0 : Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(excess - 1, 16));
  }
}

/** One sender may have 2^64 IPv6 addresses. */
function networkOf(address: string): string {
  return isIPv6(address) && !address.startsWith('::ffff:') ? address.split(':').slice(0, 4).join(':') : address;
}
