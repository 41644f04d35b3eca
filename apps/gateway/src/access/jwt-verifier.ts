import { hash } from 'node:crypto';
import { errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { Problem } from '../problems/problem.js';
import type { JwtSettings } from '../settings/access-settings.js';
import { isVmPattern } from './grant.js';
import { openJwks } from './jwks.js';
import { levels, Principal, type Level } from './principal.js';

/** Tokens whose signature was checked; the oldest go first. */
const mostRemembered = 10_000;
/** So long a key that the issuer withdrew still counts for tokens seen before. */
const rememberedMs = 5 * 60_000;
const clockToleranceS = 5;
/** Anybody can send tokens; the log is told of missing keys no more often than this. */
const troubleEveryMs = 60_000;

/** What jose says when the issuer does not answer, or not with keys. */
const unreachable: ReadonlySet<string> = new Set(['ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID', 'ERR_JOSE_GENERIC']);

interface Remembered {
  readonly principal: Principal;
  readonly until: number;
}

/** Three parts of base64url: what can be a JSON Web Token, and never is a token of our own. */
export function looksLikeJwt(token: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]*$/.test(token);
}

/**
 * Tokens of another issuer: signature, issuer, audience, expiry, then level and VMs out of its claims. A token that was
 * checked is remembered, so that only the first request with it waits for a signature.
 */
export class JwtVerifier {
  readonly #remembered = new Map<string, Remembered>();
  #keys: JWTVerifyGetKey;
  #troubledAt = -Infinity;
  #withdrawn = false;

  /** @throws SettingsError for a key file that can't be used */
  constructor(
    private readonly settings: Readonly<JwtSettings>,
    private readonly now: () => number = Date.now,
    /** Told when a token can't be checked for want of keys. */
    private readonly trouble: (message: string) => void = () => undefined,
  ) {
    this.#keys = openJwks(settings.jwks);
  }

  /** Reads the keys anew and forgets what was checked with the old ones. @throws SettingsError; the old keys stay then */
  reload(): void {
    this.#keys = openJwks(this.settings.jwks);
    this.#remembered.clear();
  }

  /** Another verifier takes its place: whom this one let in must come again. */
  withdraw(): void {
    this.#withdrawn = true;
    this.#remembered.clear();
  }

  /** At once for a token seen before. Never rejects. */
  authenticate(token: string): Principal | Problem | Promise<Principal | Problem> {
    const digest = hash('sha256', token, 'base64url');
    const known = this.#remembered.get(digest);
    if (known !== undefined && known.until > this.now()) return known.principal;
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
        currentDate: new Date(this.now()),
      }));
    } catch (error) {
      return this.#refusal(error);
    }
    const principal = this.#principal(payload);
    if (principal instanceof Problem) return principal;
    this.#remember(digest, principal);
    return principal;
  }

  /** Which part of it is wrong is for the log of its sender's administrator to find out, but for the lifetime. */
  #refusal(error: unknown): Problem {
    if (!(error instanceof errors.JOSEError) || unreachable.has(error.code)) {
      if (this.now() - this.#troubledAt >= troubleEveryMs) {
        this.#troubledAt = this.now();
        this.trouble(error instanceof Error ? error.message : String(error));
      }
      return invalid('The keys of the issuer cannot be had now, so the token cannot be checked.');
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
    const stillValid = () => !this.#withdrawn && this.now() < expires + clockToleranceS * 1000;
    return new Principal(`jwt:${sub}`, sub, { level: level as Level, vms }, stillValid, expires);
  }

  #remember(digest: string, principal: Principal): void {
    if (this.#remembered.size >= mostRemembered) {
      const [oldest] = this.#remembered.keys();
      if (oldest !== undefined) this.#remembered.delete(oldest);
    }
    const until = Math.min(principal.expires, this.now() + rememberedMs);
    this.#remembered.set(digest, { principal, until });
  }
}

function invalid(detail: string): Problem {
  return new Problem('unauthenticated', detail, { headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' } });
}

/** A claim by its name; where there is none, by the names between its dots. */
function claimOf(payload: JWTPayload, name: string): unknown {
  if (Object.hasOwn(payload, name)) return payload[name];
  let value: unknown = payload;
  for (const part of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}

/** What is no pattern means no VM. */
function vmPatterns(claim: unknown): string[] {
  const list: unknown[] = Array.isArray(claim) ? claim : [claim];
  return list.filter((entry): entry is string => typeof entry === 'string' && isVmPattern(entry));
}
