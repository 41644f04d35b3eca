import type { IncomingMessage } from 'node:http';
import type { Settings } from '../settings/settings.js';
import type { ListenerAddress } from '../settings/listener-address.js';
import { Problem } from '../problems/problem.js';
import { Principal } from './principal.js';
import type { TokenStore } from './token-store.js';

/** Sub-protocol by which browsers send a token in a WebSocket handshake, where they can set no header. */
const bearerProtocol = 'bearer.';
const forwardedHeader = /^(?:forwarded|via|x-forwarded-.*)$/;

/** From a request to who sends it (DESIGN section 11). */
export class Authenticator {
  readonly #everyone: Principal | undefined;

  constructor(
    settings: Pick<Settings, 'auth' | 'allowHost'>,
    private readonly tokens: TokenStore,
  ) {
    if (settings.auth === 'none')
      this.#everyone = new Principal('everyone', 'everyone (auth: none)', {
        level: settings.allowHost ? 'host' : 'configure',
        vms: ['*'],
      });
  }

  /** The sender, or the problem to answer. */
  authenticate(request: IncomingMessage, listener: ListenerAddress): Principal | Problem {
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
    if (bearer !== undefined) return this.tokens.authenticate(bearer) ?? invalidCredentials();
    if (listener.kind === 'unix' && listener.level !== undefined)
      return listenerPrincipal(listener.path, listener.level);
    return new Problem('unauthenticated', 'Send a token: Authorization: Bearer qmpgw_…');
  }
}

function invalidCredentials(): Problem {
  return new Problem('unauthenticated', 'The token is unknown, expired or revoked.', {
    headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
  });
}

function bearerOf(request: IncomingMessage): string | undefined | Problem {
  const header = request.headers.authorization;
  if (header !== undefined) {
    const match = /^bearer +(\S+) *$/i.exec(header);
    return match?.[1] ?? new Problem('unauthenticated', 'The Authorization header is not of the form: Bearer TOKEN');
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

function listenerPrincipal(path: string, level: Principal['level']): Principal {
  const key = `${level} ${path}`;
  let principal = listenerPrincipals.get(key);
  if (principal === undefined) {
    principal = new Principal(`listener:${path}`, path, { level, vms: ['*'] });
    listenerPrincipals.set(key, principal);
  }
  return principal;
}
