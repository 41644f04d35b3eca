import { systemClock, type Clock } from '@qmp-gateway/qmp';
import { hash, randomBytes } from 'node:crypto';
import { Principal } from '../principal.js';

export const sessionCookie = 'qmpgw_session';
const longestMs = 12 * 3_600_000;
/** Cookies in all, and of one principal; past it the principal's oldest (or the oldest of all) ends. */
const mostCookies = 10_000;
const mostOfOne = 100;

interface Cookie {
  readonly principal: Principal;
  readonly ownerId: string;
}

/**
 * Cookies for what can send no header: EventSource and pictures. A cookie ends with the credentials it was made with,
 * after 12 hours, or with the process; it is kept by hash, so that nothing here can be presented as a cookie.
 */
export class CookieStore {
  /** Oldest first. */
  readonly #cookies = new Map<string, Cookie>();

  constructor(private readonly clock: Clock = systemClock) {}

  /** @returns the cookie's value, and its lifetime in whole seconds */
  create(owner: Principal): { value: string; maxAgeS: number } {
    this.#makeRoom(owner);
    const value = randomBytes(32).toString('base64url');
    // The clock is read once: with a second reading, a whole life would sometimes come out one second short.
    const madeAt = this.clock.wall();
    const expires = Math.min(owner.expires, madeAt + longestMs);
    const stillValid = () => this.clock.wall() < expires && owner.stillValid();
    const principal = new Principal(owner.id, owner.name, owner.grant, { stillValid, expires });
    this.#cookies.set(keyOf(value), { principal, ownerId: owner.id });
    return { value, maxAgeS: Math.max(0, Math.floor((expires - madeAt) / 1000)) };
  }

  /** The principal of a cookie; undefined if it is unknown or no longer valid. */
  authenticate(value: string): Principal | undefined {
    const key = keyOf(value);
    const cookie = this.#cookies.get(key);
    if (cookie === undefined) return undefined;
    if (cookie.principal.stillValid()) return cookie.principal;
    this.#cookies.delete(key);
    return undefined;
  }

  #makeRoom(owner: Principal): void {
    const own = [...this.#cookies].filter(([, { ownerId }]) => ownerId === owner.id);
    const [oldest] = own.length >= mostOfOne ? own : this.#cookies.size >= mostCookies ? this.#cookies : [];
    if (oldest !== undefined) this.#cookies.delete(oldest[0]);
  }
}

function keyOf(value: string): string {
  return hash('sha256', value, 'base64url');
}
