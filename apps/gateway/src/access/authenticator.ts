import type { IncomingMessage } from 'node:http';
import type { Settings } from '../settings/settings.js';
import type { ListenerAddress } from '../settings/listener-address.js';
import { Problem } from '../problems/problem.js';
import type { ClientCertificates } from './client-certificates.js';
import { looksLikeJwt, type JwtVerifier } from './jwt-verifier.js';
import { Principal } from './principal.js';
import { sessionCookie, type SessionStore } from './session-store.js';
import type { TokenStore } from './token-store.js';

/** Sub-protocol by which browsers send a token in a WebSocket handshake, where they can set no header. */
const bearerProtocol = 'bearer.';
const usualScheme = 'Bearer ';
const forwardedHeader = /^(?:forwarded|via|x-forwarded-.*)$/;

/** Where the session cookie counts: what EventSource and `<img>` get, which can send no header. */
const cookiePaths = /^\/v1\/(?:events|vms\/[^/]+\/(?:events|screen\.png))$/;

/** The sender, or the problem to answer. */
export type Identified = Principal | Problem;

/** Where else than in the gateway's own tokens principals come from. */
export interface CredentialSources {
  readonly sessions: SessionStore;
  readonly jwt?: JwtVerifier;
  readonly certificates?: ClientCertificates;
}

/** From a request to who sends it (DESIGN section 11). */
export class Authenticator {
  readonly #everyone: Principal | undefined;

  constructor(
    settings: Pick<Settings, 'auth' | 'allowHost'>,
    private readonly tokens: TokenStore,
    private readonly sources: CredentialSources,
  ) {
    if (settings.auth === 'none')
      this.#everyone = new Principal('everyone', 'everyone (auth: none)', {
        level: settings.allowHost ? 'host' : 'configure',
        vms: ['*'],
      });
  }

  /**
   * The first credentials found decide: a bearer token, the cookie where it counts, a client certificate, the listener.
   * Only a JSON Web Token never seen before makes the caller wait; the promise never rejects.
   */
  authenticate(request: IncomingMessage, listener: ListenerAddress, path: string): Identified | Promise<Identified> {
    const bearer = bearerOf(request);
    if (bearer instanceof Problem) return bearer;
    if (this.#everyone !== undefined) {
      for (const name in request.headers)
        if (forwardedHeader.test(name))
          return new Problem(
            'forbidden',
            `auth is none, and the request came through a proxy (header ${name}): a loopback address says nothing about its sender. Use tokens behind a proxy.`,
          );
      return this.#everyone;
    }
    if (bearer !== undefined) return this.#ofBearer(bearer, request.socket);
    return (
      this.#ofCookie(request, path) ??
      this.sources.certificates?.authenticate(request) ??
      ofListener(listener) ??
      new Problem('unauthenticated', 'Send a token: Authorization: Bearer qmpgw_…')
    );
  }

  #ofBearer(bearer: string, connection: object): Identified | Promise<Identified> {
    const { jwt } = this.sources;
    if (jwt !== undefined && looksLikeJwt(bearer)) return jwt.authenticate(bearer);
    return this.tokens.authenticate(bearer, connection) ?? invalidCredentials();
  }

  #ofCookie(request: IncomingMessage, path: string): Principal | undefined {
    const { cookie } = request.headers;
    if (cookie === undefined || request.method !== 'GET' || !cookiePaths.test(path)) return undefined;
    const value = sessionCookieOf(cookie);
    return value === undefined ? undefined : this.sources.sessions.authenticate(value);
  }
}

/** True when the request shows credentials that were made up or stolen, not when it shows none. */
export function presentsCredentials({ headers }: IncomingMessage): boolean {
  return headers.authorization !== undefined || headers['sec-websocket-protocol']?.includes(bearerProtocol) === true;
}

function sessionCookieOf(cookie: string): string | undefined {
  const prefix = `${sessionCookie}=`;
  return cookie
    .split(';')
    .map((pair) => pair.trim())
    .find((pair) => pair.startsWith(prefix))
    ?.slice(prefix.length);
}

function invalidCredentials(): Problem {
  return new Problem('unauthenticated', 'The token is unknown, expired or revoked.', {
    headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
  });
}

function malformedBearer(): Problem {
  return new Problem('unauthenticated', 'The Authorization header is not of the form: Bearer TOKEN');
}

function bearerOf(request: IncomingMessage): string | undefined | Problem {
  const header = request.headers.authorization;
  if (header !== undefined) {
    // How nearly all of them come; the token itself is checked by whoever it belongs to.
    if (header.startsWith(usualScheme) && !header.includes(' ', usualScheme.length))
      return header.length > usualScheme.length ? header.slice(usualScheme.length) : malformedBearer();
    const match = /^bearer +(\S+) *$/i.exec(header);
    return match?.[1] ?? malformedBearer();
  }
  if (request.headers.upgrade === undefined) return undefined;
  const protocols = request.headers['sec-websocket-protocol'];
  return protocols
    ?.split(',')
    .map((protocol) => protocol.trim())
    .find((protocol) => protocol.startsWith(bearerProtocol))
    ?.slice(bearerProtocol.length);
}

const listenerPrincipals = new Map<string, Principal>();

function ofListener(listener: ListenerAddress): Principal | undefined {
  if (listener.kind !== 'unix' || listener.level === undefined) return undefined;
  const { path, level } = listener;
  const key = `${level} ${path}`;
  let principal = listenerPrincipals.get(key);
  if (principal === undefined) {
    principal = new Principal(`listener:${path}`, path, { level, vms: ['*'] });
    listenerPrincipals.set(key, principal);
  }
  return principal;
}
