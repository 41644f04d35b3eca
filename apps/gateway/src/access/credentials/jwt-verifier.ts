import { hash } from 'node:crypto';
import { systemClock, type Clock } from '@qmp-gateway/qmp';
import { errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { BoundedMap } from '../../bounds/bounded-map.js';
import { Problem } from '../../problems/problem.js';
import type { JwtSettings } from '../../settings/access-settings.js';
import { isVmPattern } from '../../settings/vm-pattern.js';
import { openJwks } from './jwks.js';
import { levels, Principal, type Level } from '../principal.js';

/** Number of tokens with a verified signature to remember; the oldest are dropped first. */
const mostRemembered = 10_000;
/** How long a withdrawn key stays valid for tokens seen before. */
const rememberedMs = 5 * 60_000;
const clockToleranceS = 5;
/** Anybody can send tokens, so missing keys are reported no more often than this. */
const complainEveryMs = 60_000;

/** The errors of jose if the issuer does not answer, or answers without keys. */
const unreachable: ReadonlySet<string> = new Set(['ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID', 'ERR_JOSE_GENERIC']);

/** Hears that a token could not be checked for want of keys. */
export interface KeySetObserver {
  keysUnavailable(error: string): void;
}

interface Remembered {
  readonly principal: Principal;
  readonly until: number;
}

/** Three parts of base64url: the form of a JSON Web Token, which a token of the gateway's own never has. */
export function looksLikeJwt(token: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]*$/.test(token);
}

/**
 * Verifies tokens of another issuer: signature, issuer, audience, expiry, then level and VMs from their claims.
 * Verified tokens are remembered, so that only the first request with a token waits for a signature.
 */
export class JwtVerifier {
  readonly #remembered = new BoundedMap<string, Remembered>(mostRemembered);
  #keys: JWTVerifyGetKey;
  #complainedAt = -Infinity;
  #withdrawn = false;

  /** @throws SettingsError for a key file that cannot be used */
  constructor(
    private readonly settings: Readonly<JwtSettings>,
    private readonly clock: Clock = systemClock,
    private readonly observer?: KeySetObserver,
  ) {
    this.#keys = openJwks(settings.jwks);
  }

  /**
   * Reads the keys again and forgets tokens verified with the old ones. @throws SettingsError; the old keys stay then
   */
  reload(): void {
    this.#keys = openJwks(this.settings.jwks);
    this.#remembered.clear();
  }

  /** Another verifier replaces this one: principals of this one must authenticate again. */
  withdraw(): void {
    this.#withdrawn = true;
    this.#remembered.clear();
  }

  /** Immediate for a token seen before. Never rejects. */
  authenticate(token: string): Principal | Problem | Promise<Principal | Problem> {
    const digest = hash('sha256', token, 'base64url');
    const known = this.#remembered.get(digest);
    if (known !== undefined && known.until > this.clock.wall()) return known.principal;
    return this.#verify(token, digest);
  }

  async #verify(token: string, digest: string): Promise<Principal | Problem> {
    const { issuer, audience, algorithms } = this.settings;
    let payload: JWTPayload;
    try {
      ({ payload } = await jwtVerify(token, this.#keys, {
        issuer,
        audience,
        algorithms,
        requiredClaims: ['sub', 'exp'],
        clockTolerance: clockToleranceS,
        currentDate: new Date(this.clock.wall()),
      }));
    } catch (error) {
      return this.#refusal(error);
    }
    const principal = this.#principal(payload);
    if (principal instanceof Problem) return principal;
    this.#remember(digest, principal);
    return principal;
  }

  /** Does not say which part is wrong, except the lifetime: the sender's administrator can find out. */
  #refusal(error: unknown): Problem {
    if (!(error instanceof errors.JOSEError) || unreachable.has(error.code)) {
      if (this.clock.wall() - this.#complainedAt >= complainEveryMs) {
        this.#complainedAt = this.clock.wall();
        this.observer?.keysUnavailable(error instanceof Error ? error.message : String(error));
      }
      return invalid('The keys of the issuer are not available now, so the token cannot be verified.');
    }
    if (error instanceof errors.JWTExpired) return invalid('The token has expired.');
    if (error instanceof errors.JWTClaimValidationFailed)
      return invalid(`The token's claim ${error.claim} is not right.`);
    return invalid('The token is not one this gateway takes.');
  }

  #principal(payload: JWTPayload): Principal | Problem {
    const { levelClaim, vmsClaim } = this.settings;
    const level = claimOf(payload, levelClaim);
    if (!levels.includes(level as Level))
      return new Problem('forbidden', `The token's claim ${levelClaim} is none of ${levels.join(', ')}.`);
    const { sub = '', exp = 0 } = payload;
    const vms = vmPatterns(claimOf(payload, vmsClaim));
    const expires = exp * 1000;
    const stillValid = () => !this.#withdrawn && this.clock.wall() < expires + clockToleranceS * 1000;
    return new Principal(`jwt:${sub}`, sub, { level: level as Level, vms }, { stillValid, expires });
  }

  #remember(digest: string, principal: Principal): void {
    const until = Math.min(principal.expires, this.clock.wall() + rememberedMs);
    this.#remembered.set(digest, { principal, until });
  }
}

function invalid(detail: string): Problem {
  return new Problem('unauthenticated', detail, { headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' } });
}

/** A claim by its name; if there is none, by the names between its dots. */
function claimOf(payload: JWTPayload, name: string): unknown {
  if (Object.hasOwn(payload, name)) return payload[name];
  let value: unknown = payload;
  for (const part of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}

/** Entries that are not patterns select nothing. */
function vmPatterns(claim: unknown): string[] {
  const list: unknown[] = Array.isArray(claim) ? claim : [claim];
  return list.filter((entry): entry is string => typeof entry === 'string' && isVmPattern(entry));
}
