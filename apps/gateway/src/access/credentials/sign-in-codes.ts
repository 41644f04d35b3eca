import { systemClock, type Clock } from '@qmp-gateway/qmp';
import { hash, randomBytes } from 'node:crypto';
import { BoundedMap } from '../../bounds/bounded-map.js';
import type { Principal } from '../principal.js';

/** How long a code may be exchanged. */
export const codeLifeMs = 60_000;
/** Codes that were not exchanged yet; past it the oldest ends. More than one principal and all its tokens can have. */
const mostCodes = 10_000;
/** Of one principal. */
export const mostOfOne = 10;
const prefix = 'qmpgwc_';

interface SignInCode {
  readonly principal: Principal;
  readonly expires: number;
}

/** By its form, whoever's it is. */
export function looksLikeCode(bearer: string): boolean {
  return bearer.startsWith(prefix);
}

/**
 * Codes for one way in: each stands once, within a minute, for whoever it was made by. An address with such a code may be
 * printed or sent, as it is worth nothing once it was followed. Kept by hash and in memory alone.
 */
export class SignInCodes {
  readonly #codes = new BoundedMap<string, SignInCode>(mostCodes);
  /** The last ones of each principal, whether they were exchanged or not; the oldest first. */
  readonly #keysOf = new BoundedMap<string, readonly string[]>(mostCodes);

  constructor(private readonly clock: Clock = systemClock) {}

  /** @returns the code, which cannot be retrieved again, and when it ends: milliseconds since 1970 */
  create(owner: Principal): { code: string; expires: number } {
    const code = prefix + randomBytes(32).toString('base64url');
    const expires = this.clock.wall() + codeLifeMs;
    const key = keyOf(code);
    const own = [...(this.#keysOf.get(owner.id) ?? []), key];
    for (const oldest of own.splice(0, own.length - mostOfOne)) this.#codes.delete(oldest);
    this.#keysOf.delete(owner.id);
    this.#keysOf.set(owner.id, own);
    this.#codes.set(key, { principal: owner, expires });
    return { code, expires };
  }

  /** Whose code it is; it is over with that. Undefined if it is unknown, was used, or is too old. */
  take(code: string): Principal | undefined {
    const key = keyOf(code);
    const found = this.#codes.get(key);
    this.#codes.delete(key);
    if (found === undefined || found.expires <= this.clock.wall()) return undefined;
    const { principal } = found;
    return principal.stillValid() ? principal : undefined;
  }
}

function keyOf(code: string): string {
  return hash('sha256', code, 'base64url');
}
