import type { IncomingMessage } from 'node:http';
import type { Settings } from '../../settings/settings.js';
import type { ListenerAddress } from '../../settings/listener-address.js';
import { Problem } from '../../problems/problem.js';
import type { ClientCertificates } from './client-certificates.js';
import { looksLikeJwt, type JwtVerifier } from './jwt-verifier.js';
import { Principal } from '../principal.js';
import { sessionCookie, type CookieStore } from './cookie-store.js';
import { looksLikeCode, type SignInCodes } from './sign-in-codes.js';
import type { TokenStore } from '../tokens/token-store.js';

/** Sub-protocol with which browsers send a token in a WebSocket handshake, because they cannot set a header there. */
const bearerProtocol = 'bearer.';
const usualScheme = 'Bearer ';
const forwardedHeader = /^(?:forwarded|via|x-forwarded-.*)$/;

/** The sender, or the problem to answer with. */
export type Identified = Principal | Problem;

/** Sources of principals other than the gateway's own tokens. */
export interface CredentialSources {
  readonly cookies: CookieStore;
  readonly codes: SignInCodes;
  readonly jwt?: JwtVerifier;
  readonly certificates?: ClientCertificates;
}

/** Says where credentials count that do not count everywhere. */
export interface CredentialRoutes {
  traits(
    method: string | undefined,
    path: string,
  ): {
    /** The session cookie: on what EventSource and `<img>` get, which can send no header. */
    readonly takesCookie: boolean;
    /** A one-time code, in place of a bearer token. */
    readonly takesCode: boolean;
  };
}

/** Finds out who sends a request, by its credentials or by the listener it came in by. */
export class Authenticator {
  readonly #everyone: Principal | undefined;

  constructor(
    settings: Pick<Settings, 'auth' | 'allowHost'>,
    private readonly tokens: TokenStore,
    private readonly sources: CredentialSources,
    private readonly routes: CredentialRoutes,
  ) {
    if (settings.auth === 'none')
      this.#everyone = new Principal('everyone', 'everyone (auth: none)', {
        level: settings.allowHost ? 'host' : 'configure',
        vms: ['*'],
      });
  }

  /**
   * The first credentials found decide: a bearer token, the cookie where it is accepted, a client certificate, the
   * listener. Only a JSON Web Token that was never seen before makes the caller wait; the promise never rejects.
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
    if (bearer !== undefined) return this.#ofBearer(bearer, request, path);
    return (
      this.#ofCookie(request, path) ??
      this.sources.certificates?.authenticate(request) ??
      ofListener(listener) ??
      new Problem(
        'unauthenticated',
        `Send a token: Authorization: Bearer qmpgw_…${path === '/' ? '; without one, /docs is there to read.' : ''}`,
      )
    );
  }

  #ofBearer(bearer: string, { method, socket }: IncomingMessage, path: string): Identified | Promise<Identified> {
    const { jwt, codes } = this.sources;
    if (jwt !== undefined && looksLikeJwt(bearer)) return jwt.authenticate(bearer);
    // Elsewhere it is no credential, and stays what it is: a slip does not use it up.
    if (looksLikeCode(bearer))
      return (this.routes.traits(method, path).takesCode ? codes.take(bearer) : undefined) ?? invalidCredentials();
    return this.tokens.authenticate(bearer, socket) ?? invalidCredentials();
  }

  #ofCookie(request: IncomingMessage, path: string): Principal | undefined {
    const { cookie } = request.headers;
    if (cookie === undefined || request.method !== 'GET') return undefined;
    if (!this.routes.traits('GET', path).takesCookie) return undefined;
    const value = sessionCookieOf(cookie);
    return value === undefined ? undefined : this.sources.cookies.authenticate(value);
  }
}

/** True if the request has credentials that are invented or stolen, false if it has none. */
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
    // The usual form; the owner of the token form checks the token itself.
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
