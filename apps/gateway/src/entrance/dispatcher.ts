import { askForBody } from './expect-continue.js';
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '@qmp-gateway/qmp';
import { presentsCredentials, type Authenticator, type Identified } from '../access/credentials/authenticator.js';
import { checkFrontDoor, noCorsHeaders, preflightHeaders, type BrowserRules } from '../access/front-door.js';
import type { HandedConnection, HandedRequest } from '../access/handed-connection.js';
import type { LoginBackOff } from '../access/credentials/login-back-off.js';
import type { Principal } from '../access/principal.js';
import type { RequestLimiter } from '../access/request-limiter.js';
import { urlCredentials } from '../access/credentials/url-credentials.js';
import type { Lane } from '../commands/lane.js';
import type { ReplyBudget } from '../http/reply-budget.js';
import { asProblem, Problem } from '../problems/problem.js';
import { writeProblem } from '../http/answer.js';
import { serveWithoutUpgrade } from './ignored-upgrade.js';
import type { Listener } from './listener.js';
import type { OpenConnections } from '../http/open-connections.js';
import { answerParserError, writeRawProblem } from './raw-answers.js';
import { mayHaveBody } from '../http/read-body.js';
import { logged, type RequestContext } from '../http/request-context.js';
import { type AuthenticatedContext, type GatewayRequest } from '../access/authenticated-request.js';
import type { RouteTable } from '../http/route-table.js';
import { readTraceparent } from '../http/traceparent.js';
import { withoutBase } from '../settings/public-url.js';

/** Takes an upgrade whose sender is known; answers with the problem when the path is none of its own. */
export interface UpgradeRouter {
  route(request: IncomingMessage, socket: Duplex, head: Buffer, context: AuthenticatedContext): Problem | undefined;
}

/** The parts of access control a request passes on its way in. */
export interface Entry {
  readonly rules: BrowserRules;
  readonly authenticator: Authenticator;
  readonly backOff: LoginBackOff;
  /** Only when there is a limit. */
  readonly limiter: RequestLimiter | undefined;
}

/** Takes what is for a VM of another node; without a fleet there is none. */
export interface Elsewhere {
  /** @returns false when it is for this node. @throws Problem */
  take(request: IncomingMessage, response: ServerResponse, context: AuthenticatedContext): boolean;
  /** As `take`. @param refuse answers with a problem */
  takeUpgrade(
    upgrade: Pick<Upgrade, 'request' | 'socket' | 'head'>,
    context: AuthenticatedContext,
    refuse: (problem: Problem) => void,
  ): boolean;
}

export interface DispatcherParts {
  readonly elsewhere?: Elsewhere | undefined;
  readonly entry: Entry;
  readonly lane: Pick<Lane, 'handle'>;
  readonly sockets: UpgradeRouter;
  readonly connections: Pick<OpenConnections, 'claim'>;
  readonly replies: ReplyBudget;
  readonly routes: Pick<RouteTable, 'isPublic' | 'isNearPublic'>;
  readonly log: { error(fields: object, message: string): void };
  readonly clock: Clock;
  /** What may stand before the path of a request (`publicUrl`); empty for nothing. */
  readonly base: string;
}

/** A request to speak another protocol, and the connection that Node has left to whoever takes it. */
interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What came behind the request. */
  readonly head: Buffer;
  readonly context: RequestContext;
}

const requestIdPattern = /^[A-Za-z0-9._-]{1,128}$/;
/**
 * The way of every request into the gateway: front door (Host, Origin), credentials, then the command lane, and for
 * whatever is not the lane's, Nest. All listeners hand their `request` and `upgrade` here.
 */
export class Dispatcher {
  #draining = false;
  #express: RequestListener = (_request, response) => response.destroy();
  #requests = 0;
  /** Requests that expect what the gateway cannot do. */
  readonly #unmet = new WeakSet<IncomingMessage>();
  /** Makes request ids unique over restarts. */
  readonly #idPrefix = `${randomBytes(5).toString('hex')}-`;

  readonly #parts: DispatcherParts;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
  }

  /** Where requests go that are not the lane's. */
  handOthersTo(express: RequestListener): void {
    this.#express = express;
  }

  /** From now on new requests are answered `shutting-down`. */
  drain(): void {
    this.#draining = true;
  }

  /** Connects a listener's server to this dispatcher. */
  attach(listener: Listener): void {
    const { server } = listener;
    server.on('request', (request, response) => this.#request(listener, request, response));
    server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      askForBody(listener, request, response);
      server.emit('request', request, response);
    });
    // Without a listener Node would answer 417 with no body.
    server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
      this.#unmet.add(request);
      server.emit('request', request, response);
    });
    const takeOver = (request: IncomingMessage, stream: Duplex, head: Buffer) =>
      this.#takeOver(listener, request, stream, head);
    server.on('upgrade', takeOver);
    // Without a listener Node would cut off whoever asks for it, and the answers before.
    server.on('connect', takeOver);
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) =>
      answerParserError(listener, error, socket),
    );
  }

  /**
   * Connects a server whose connections other nodes hand over: each is a {@link HandedConnection}, and whoever asks has
   * passed the front door there.
   */
  attachHanded(server: Server): void {
    server.on('request', (request, response) => this.#handed(request, response));
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on('error', destroyItself);
      const context = this.#context(request);
      try {
        const handed = (socket as HandedConnection).claim(context.path, context.query);
        if (this.#draining) throw new Problem('shutting-down', 'The gateway is stopping.');
        const authenticated = { ...context, principal: handed.principal, handed };
        const refusal = this.#parts.sockets.route(request, socket, head, authenticated);
        if (refusal !== undefined) throw refusal;
      } catch (error) {
        this.#refuseUpgrade({ request, socket, head, context }, error);
      }
    });
    server.on('clientError', (_error, socket) => socket.destroy());
  }

  #handed(request: IncomingMessage, response: ServerResponse): void {
    const received = this.#context(request);
    // Its bytes go on as they are: where the answer ends is told beside them.
    response.removeHeader('Transfer-Encoding');
    try {
      const handed = (request.socket as unknown as HandedConnection).claim(received.path, received.query);
      const context = received as RequestContext & { principal: Principal; handed: HandedRequest };
      context.principal = handed.principal;
      context.handed = handed;
      if (this.#draining) throw new Problem('shutting-down', 'The gateway is stopping.');
      if (!this.#parts.lane.handle(request, response, context)) this.#toExpress(request, response, context);
    } catch (error) {
      this.#refuse(request, response, received, error);
    }
  }

  #request(listener: Listener, request: IncomingMessage, response: ServerResponse): void {
    this.#takeOffBase(request);
    let context: RequestContext = this.#context(request);
    try {
      const cors = checkFrontDoor(request, listener.door, this.#parts.entry.rules);
      if (cors instanceof Problem) throw cors;
      if (cors !== noCorsHeaders) context = { ...context, answerHeaders: cors };
      if (request.headers.expect !== undefined && this.#unmet.has(request)) throw expectationFailed(request);
      if (request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined) {
        request.resume();
        response.writeHead(204, preflightHeaders(cors)).end();
        return;
      }
      if (this.#draining && context.path !== '/livez') throw new Problem('shutting-down', 'The gateway is stopping.');
      const leak = urlCredentials(context.query);
      if (leak !== undefined) throw leak;
      if (this.#parts.routes.isPublic(request.method, context.path)) this.#toExpress(request, response, context);
      else this.#enter(listener, request, response, context);
    } catch (error) {
      this.#refuse(request, response, context, error);
    }
  }

  #enter(listener: Listener, request: IncomingMessage, response: ServerResponse, context: RequestContext): void {
    const identified = this.#parts.entry.authenticator.authenticate(request, listener.address, context.path);
    if (!(identified instanceof Promise)) this.#admit(request, response, context, identified);
    else
      identified
        .then((later) => this.#admit(request, response, context, later))
        .catch((error: unknown) => this.#refuse(request, response, context, error));
  }

  #admit(request: IncomingMessage, response: ServerResponse, context: RequestContext, identified: Identified): void {
    const { entry, connections, lane, routes } = this.#parts;
    if (identified instanceof Problem) {
      // No handler has it: it is answered 404 or 405 whoever asks.
      if (routes.isNearPublic(request.method, context.path)) this.#toExpress(request, response, context);
      else this.#late(request, identified, () => this.#refuse(request, response, context, identified));
      return;
    }
    const { limiter } = entry;
    const tooMany = connections.claim(request.socket, identified.id);
    if (tooMany !== undefined) {
      this.#refuse(request, response, context, tooMany);
      return;
    }
    if (limiter !== undefined) {
      const { refusal, headers } = limiter.take(identified.id);
      context = { ...context, answerHeaders: { ...context.answerHeaders, ...headers } };
      if (refusal !== undefined) {
        this.#refuse(request, response, context, refusal);
        return;
      }
    }
    const authenticated = context as RequestContext & { principal: Principal };
    authenticated.principal = identified;
    if (this.#isElsewhere(request, response, authenticated)) return;
    if (!lane.handle(request, response, authenticated)) this.#toExpress(request, response, authenticated);
  }

  #isElsewhere(request: IncomingMessage, response: ServerResponse, context: AuthenticatedContext): boolean {
    const { elsewhere } = this.#parts;
    if (elsewhere === undefined) return false;
    try {
      return elsewhere.take(request, response, context);
    } catch (error) {
      this.#refuse(request, response, context, error);
      return true;
    }
  }

  /** Refuses wrong credentials the later, the more of them came from the same address. */
  #late(request: IncomingMessage, { code }: Problem, refuse: () => void): void {
    const { entry, clock } = this.#parts;
    const guessed = code === 'unauthenticated' && presentsCredentials(request);
    const delayMs = guessed ? entry.backOff.refused(request.socket.remoteAddress) : 0;
    if (delayMs === 0) refuse();
    else clock.schedule(delayMs, refuse);
  }

  #refuse(request: IncomingMessage, response: ServerResponse, context: RequestContext, error: unknown): void {
    if (!(error instanceof Problem)) this.#parts.log.error({ err: error, ...logged(context) }, 'request failed');
    request.resume();
    writeProblem(response, asProblem(error), context);
  }

  #toExpress(request: IncomingMessage, response: ServerResponse, context: RequestContext): void {
    (request as GatewayRequest).gateway = context as AuthenticatedContext;
    response.setHeader('X-Request-Id', context.requestId);
    response.setHeader('X-Content-Type-Options', 'nosniff');
    if (context.path.startsWith('/v1')) response.setHeader('Cache-Control', 'no-store');
    for (const [name, value] of Object.entries(context.answerHeaders)) response.setHeader(name, value);
    this.#express(request, response);
  }

  /** Node has nothing to do with this connection any more but for the answers before: it waits for those. */
  #takeOver(listener: Listener, request: IncomingMessage, stream: Duplex, head: Buffer): void {
    stream.on('error', destroyItself);
    listener.inTurn(request.socket, undefined, () => {
      const ignored = request.method !== 'CONNECT' && request.headers.upgrade?.toLowerCase() !== 'websocket';
      if (ignored) {
        stream.off('error', destroyItself);
        serveWithoutUpgrade(listener, request, stream, head);
        return;
      }
      this.#takeOffBase(request);
      this.#upgrade(listener, { request, socket: stream, head, context: this.#context(request) });
    });
  }

  /** From here on it has the path that routes have. */
  #takeOffBase(request: IncomingMessage): void {
    const { base } = this.#parts;
    if (base !== '' && request.url !== undefined) request.url = withoutBase(request.url, base);
  }

  #upgrade(listener: Listener, upgrade: Upgrade): void {
    const { request, context } = upgrade;
    const { entry } = this.#parts;
    try {
      const cors = checkFrontDoor(request, listener.door, entry.rules);
      if (cors instanceof Problem) throw cors;
      if (mayHaveBody(request)) throw new Problem('invalid-request', 'A WebSocket handshake has no body.');
      if (this.#draining) throw new Problem('shutting-down', 'The gateway is stopping.');
      const leak = urlCredentials(context.query);
      if (leak !== undefined) throw leak;
      const identified = entry.authenticator.authenticate(request, listener.address, context.path);
      if (!(identified instanceof Promise)) this.#admitUpgrade(upgrade, identified);
      else
        identified
          .then((later) => this.#admitUpgrade(upgrade, later))
          .catch((error: unknown) => this.#refuseUpgrade(upgrade, error));
    } catch (error) {
      this.#refuseUpgrade(upgrade, error);
    }
  }

  #refuseUpgrade({ socket, context }: Upgrade, error: unknown): void {
    if (!(error instanceof Problem)) this.#parts.log.error({ err: error, ...logged(context) }, 'upgrade failed');
    writeRawProblem(socket, asProblem(error), context.requestId);
  }

  #admitUpgrade({ request, socket, head, context }: Upgrade, identified: Identified): void {
    const { connections, entry, sockets, elsewhere } = this.#parts;
    if (identified instanceof Problem) {
      this.#late(request, identified, () => writeRawProblem(socket, identified, context.requestId));
      return;
    }
    const tooMany = connections.claim(request.socket, identified.id) ?? entry.limiter?.take(identified.id).refusal;
    if (tooMany !== undefined) throw tooMany;
    const authenticated = { ...context, principal: identified };
    const refuse = (problem: Problem) => writeRawProblem(socket, problem, context.requestId);
    if (elsewhere?.takeUpgrade({ request, socket, head }, authenticated, refuse) === true) return;
    const refusal = sockets.route(request, socket, head, authenticated);
    if (refusal !== undefined) throw refusal;
  }

  #context(request: IncomingMessage): RequestContext {
    const url = request.url ?? '/';
    const mark = url.indexOf('?');
    const sent = request.headers['x-request-id'];
    const sentTrace = request.headers['traceparent'];
    return {
      requestId:
        typeof sent === 'string' && requestIdPattern.test(sent)
          ? sent
          : this.#idPrefix + (this.#requests++).toString(36),
      traceparent: sentTrace === undefined ? undefined : readTraceparent(sentTrace),
      arrivedAt: this.#parts.clock.now(),
      path: mark < 0 ? url : url.slice(0, mark),
      query: mark < 0 ? '' : url.slice(mark + 1),
      answerHeaders: noCorsHeaders,
      replies: this.#parts.replies,
    };
  }
}

function expectationFailed({ headers: { expect = '' } }: IncomingMessage): Problem {
  const shown = JSON.stringify(expect.slice(0, 200));
  return new Problem('expectation-failed', `The gateway cannot meet Expect: ${shown}; it knows 100-continue only.`);
}

function destroyItself(this: Duplex): void {
  this.destroy();
}
