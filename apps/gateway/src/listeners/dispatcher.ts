import { randomBytes } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { presentsCredentials, type Authenticator, type Identified } from '../access/authenticator.js';
import { checkFrontDoor, noCorsHeaders, preflightHeaders, type BrowserRules } from '../access/front-door.js';
import type { LoginBackOff } from '../access/login-back-off.js';
import type { RequestLimiter } from '../access/request-limiter.js';
import { urlCredentials } from '../access/url-credentials.js';
import type { Lane } from '../commands/lane.js';
import type { ReplyBudget } from '../commands/reply-budget.js';
import { asProblem, Problem } from '../problems/problem.js';
import { writeProblem } from './answer.js';
import { serveWithoutUpgrade } from './ignored-upgrade.js';
import type { Listener } from './listener.js';
import type { OpenConnections } from './open-connections.js';
import { answerParserError, writeRawProblem } from './raw-answers.js';
import { mayHaveBody } from './read-body.js';
import { logged, type AuthenticatedContext, type GatewayRequest, type RequestContext } from './request-context.js';
import { readTraceparent } from './traceparent.js';

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

const requestIdPattern = /^[A-Za-z0-9._-]{1,128}$/;
/**
 * The way of every request into the gateway: front door (Host, Origin), credentials, then the command lane, and for
 * whatever is not the lane's, Nest. All listeners hand their `request` and `upgrade` here.
 */
export class Dispatcher {
  #draining = false;
  #express: RequestListener = (_request, response) => response.destroy();
  #requests = 0;
  /** Makes request ids unique over restarts. */
  readonly #idPrefix = `${randomBytes(5).toString('hex')}-`;

  constructor(
    private readonly entry: Entry,
    private readonly lane: Lane,
    private readonly sockets: UpgradeRouter,
    private readonly connections: Pick<OpenConnections, 'claim'>,
    private readonly replies: ReplyBudget,
    private readonly log: { error(fields: object, message: string): void },
  ) {}

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
      this.#askForBody(listener, request, response);
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

  /** Node would write it into the head of the request's own answer when others come before. */
  #askForBody(listener: Listener, request: IncomingMessage, response: ServerResponse): void {
    listener.inTurn(request.socket, undefined, () => {
      if (!request.complete && !response.headersSent) response.writeContinue();
    });
  }

  #request(listener: Listener, request: IncomingMessage, response: ServerResponse): void {
    let context: RequestContext = this.#context(request);
    try {
      const cors = checkFrontDoor(request, listener.door, this.entry.rules);
      if (cors instanceof Problem) throw cors;
      if (cors !== noCorsHeaders) context = { ...context, answerHeaders: cors };
      if (request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined) {
        request.resume();
        response.writeHead(204, preflightHeaders(cors)).end();
        return;
      }
      if (this.#draining && context.path !== '/livez') throw new Problem('shutting-down', 'The gateway is stopping.');
      const leak = urlCredentials(context.query);
      if (leak !== undefined) throw leak;
      if (isPublic(request.method, context.path)) this.#toExpress(request, response, context);
      else this.#enter(listener, request, response, context);
    } catch (error) {
      this.#refuse(request, response, context, error);
    }
  }

  #enter(listener: Listener, request: IncomingMessage, response: ServerResponse, context: RequestContext): void {
    const identified = this.entry.authenticator.authenticate(request, listener.address, context.path);
    if (!(identified instanceof Promise)) this.#admit(request, response, context, identified);
    else
      void identified.then((later) => {
        try {
          this.#admit(request, response, context, later);
        } catch (error) {
          this.#refuse(request, response, context, error);
        }
      });
  }

  #admit(request: IncomingMessage, response: ServerResponse, context: RequestContext, identified: Identified): void {
    if (identified instanceof Problem) {
      this.#late(request, identified, () => this.#refuse(request, response, context, identified));
      return;
    }
    const { limiter } = this.entry;
    const tooMany = this.connections.claim(request.socket, identified.id);
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
    const authenticated = Object.assign(context, { principal: identified });
    if (!this.lane.handle(request, response, authenticated)) this.#toExpress(request, response, authenticated);
  }

  /** Tells wrong credentials the later, the more of them came from there. */
  #late(request: IncomingMessage, { code }: Problem, tell: () => void): void {
    const guessed = code === 'unauthenticated' && presentsCredentials(request);
    const delayMs = guessed ? this.entry.backOff.refused(request.socket.remoteAddress) : 0;
    if (delayMs === 0) tell();
    else setTimeout(tell, delayMs);
  }

  #refuse(request: IncomingMessage, response: ServerResponse, context: RequestContext, error: unknown): void {
    if (!(error instanceof Problem)) this.log.error({ err: error, ...logged(context) }, 'request failed');
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
      } else this.#upgrade(listener, request, stream, head);
    });
  }

  #upgrade(listener: Listener, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const context = this.#context(request);
    const guarded = (step: () => void): void => {
      try {
        step();
      } catch (error) {
        if (!(error instanceof Problem)) this.log.error({ err: error, ...logged(context) }, 'upgrade failed');
        writeRawProblem(socket, asProblem(error), context.requestId);
      }
    };
    guarded(() => {
      const cors = checkFrontDoor(request, listener.door, this.entry.rules);
      if (cors instanceof Problem) throw cors;
      if (mayHaveBody(request)) throw new Problem('invalid-request', 'A WebSocket handshake has no body.');
      if (this.#draining) throw new Problem('shutting-down', 'The gateway is stopping.');
      const leak = urlCredentials(context.query);
      if (leak !== undefined) throw leak;
      const admit = (identified: Identified) => this.#admitUpgrade(request, socket, head, context, identified);
      const identified = this.entry.authenticator.authenticate(request, listener.address, context.path);
      if (identified instanceof Promise) void identified.then((later) => guarded(() => admit(later)));
      else admit(identified);
    });
  }

  #admitUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    context: RequestContext,
    identified: Identified,
  ): void {
    if (identified instanceof Problem) {
      this.#late(request, identified, () => writeRawProblem(socket, identified, context.requestId));
      return;
    }
    const refusal =
      this.connections.claim(request.socket, identified.id) ??
      this.entry.limiter?.take(identified.id).refusal ??
      this.sockets.route(request, socket, head, { ...context, principal: identified });
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
      arrivedAt: performance.now(),
      path: mark < 0 ? url : url.slice(0, mark),
      query: mark < 0 ? '' : url.slice(mark + 1),
      answerHeaders: noCorsHeaders,
      replies: this.replies,
    };
  }
}

function destroyItself(this: Duplex): void {
  this.destroy();
}

const publicPaths = /^\/(?:v1\/?|openapi\.json|asyncapi\.json|livez|readyz|docs(?:\/.*)?|problems\/[^/]+)$/;

/**
 * What anybody may read: no VM's data is in it. A list of what is open, not of what is closed, so that no spelling that
 * a router takes for a path of ours (case, a whole URL) can come in without credentials.
 */
function isPublic(method: string | undefined, path: string): boolean {
  return (method === 'GET' || method === 'HEAD') && publicPaths.test(path);
}
