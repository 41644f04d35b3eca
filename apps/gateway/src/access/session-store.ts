import { hash, randomBytes } from 'node:crypto';
import { Principal } from './principal.js';

export const sessionCookie = 'qmpgw_session';
const longestMs = 12 * 3_600_000;
/** Sessions in all, and of one principal; past it the principal's oldest (or the oldest of all) ends. */
const mostSessions = 10_000;
const mostOfOne = 100;

interface Session {
  readonly principal: Principal;
  readonly ownerId: string;
}

/**
 * Cookies for what can send no header: EventSource and pictures. A session ends with the credentials it was made with,
 * after 12 hours, or with the process; it is kept by hash, so that nothing here can be presented as a cookie.
 */
export class SessionStore {
  /** Oldest first. */
  readonly #sessions = new Map<string, Session>();

  constructor(private readonly now: () => number = Date.now) {}

  /** @returns the cookie's value, and for how many whole seconds it holds */
  create(owner: Principal): { value: string; maxAgeS: number } {
    this.#makeRoom(owner);
    const value = randomBytes(32).toString('base64url');
    // One look at the clock: with a second, a whole life would now and then be told as one second less.
    const madeAt = this.now();
    const expires = Math.min(owner.expires, madeAt + longestMs);
    const stillValid = () => this.now() < expires && owner.stillValid();
    const principal = new Principal(owner.id, owner.name, owner.grant, stillValid, expires);
    this.#sessions.set(keyOf(value), { principal, ownerId: owner.id });
    return { value, maxAgeS: Math.max(0, Math.floor((expires - madeAt) / 1000)) };
  }

  /** Whom a cookie stands for; undefined when it never was one of ours or no longer is. */
  authenticate(value: string): Principal | undefined {
    const key = keyOf(value);
    const session = this.#sessions.get(key);
    if (session === undefined) return undefined;
    if (session.principal.stillValid()) return session.principal;
    this.#sessions.delete(key);
    return undefined;
  }

  #makeRoom(owner: Principal): void {
    const own = [...this.#sessions].filter(([, { ownerId }]) => ownerId === owner.id);
    const [oldest] = own.length >= mostOfOne ? own : this.#sessions.size >= mostSessions ? this.#sessions : [];
    if (oldest !== undefined) this.#sessions.delete(oldest[0]);
  }
}

function keyOf(value: string): string {
  return hash('sha256', value, 'base64url');
}
