import { randomBytes } from 'node:crypto';
import { STATUS_CODES, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Authenticator } from '../access/authenticator.js';
import { checkFrontDoor, preflightHeaders, type BrowserRules } from '../access/front-door.js';
import type { Lane } from '../commands/lane.js';
import { asProblem, Problem, problemBody } from '../problems/problem.js';
import { writeProblem } from './answer.js';
import type { Listener } from './listener.js';
import type { AuthenticatedContext, GatewayRequest, RequestContext } from './request-context.js';

/** Takes an upgrade whose sender is known; answers with the problem when the path is none of its own. */
export interface UpgradeRouter {
  route(request: IncomingMessage, socket: Duplex, head: Buffer, context: AuthenticatedContext): Problem | undefined;
}

const requestIdPattern = /^[A-Za-z0-9._-]{1,128}$/;
const noHeaders: Readonly<Record<string, string>> = Object.freeze({});

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
    private readonly rules: BrowserRules,
    private readonly authenticator: Authenticator,
    private readonly lane: Lane,
    private readonly sockets: UpgradeRouter,
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
    server.on('upgrade', (request, socket, head) => this.#upgrade(listener, request, socket, head));
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => answerParserError(error, socket));
  }

  #request(listener: Listener, request: IncomingMessage, response: ServerResponse): void {
    let context: RequestContext = this.#context(request, noHeaders);
    try {
      const cors = checkFrontDoor(request, listener.door, this.rules);
      if (cors instanceof Problem) throw cors;
      if (Object.keys(cors).length > 0) context = { ...context, corsHeaders: cors };
      if (request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined) {
        request.resume();
        response.writeHead(204, preflightHeaders(cors)).end();
        return;
      }
      if (this.#draining && context.path !== '/livez')
        throw new Problem('shutting-down', 'The gateway is stopping.', { headers: { Connection: 'close' } });
      this.#enter(listener, request, response, context);
    } catch (error) {
      if (!(error instanceof Problem)) this.log.error({ err: error, request: context.requestId }, 'request failed');
      request.resume();
      writeProblem(response, asProblem(error), context);
    }
  }

  #enter(listener: Listener, request: IncomingMessage, response: ServerResponse, context: RequestContext): void {
    if (!needsCredentials(request.method, context.path)) {
      this.#toExpress(request, response, context);
      return;
    }
    const principal = this.authenticator.authenticate(request, listener.address);
    if (principal instanceof Problem) throw principal;
    const authenticated = Object.assign(context, { principal });
    if (!this.lane.handle(request, response, authenticated)) this.#toExpress(request, response, authenticated);
  }

  #toExpress(request: IncomingMessage, response: ServerResponse, context: RequestContext): void {
    (request as GatewayRequest).gateway = context as AuthenticatedContext;
    response.setHeader('X-Request-Id', context.requestId);
    for (const [name, value] of Object.entries(context.corsHeaders)) response.setHeader(name, value);
    this.#express(request, response);
  }

  #upgrade(listener: Listener, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
      serveWithoutUpgrade(listener, request, socket, head);
      return;
    }
    socket.on('error', () => socket.destroy());
    const context = this.#context(request, noHeaders);
    try {
      const cors = checkFrontDoor(request, listener.door, this.rules);
      if (cors instanceof Problem) throw cors;
      if (this.#draining) throw new Problem('shutting-down', 'The gateway is stopping.');
      const principal = this.authenticator.authenticate(request, listener.address);
      if (principal instanceof Problem) throw principal;
      const refusal = this.sockets.route(request, socket, head, { ...context, principal });
      if (refusal !== undefined) throw refusal;
    } catch (error) {
      if (!(error instanceof Problem)) this.log.error({ err: error, request: context.requestId }, 'upgrade failed');
      writeRawProblem(socket, asProblem(error), context.requestId);
    }
  }

  #context(request: IncomingMessage, corsHeaders: Readonly<Record<string, string>>): RequestContext {
    const url = request.url ?? '/';
    const mark = url.indexOf('?');
    const sent = request.headers['x-request-id'];
    return {
      requestId:
        typeof sent === 'string' && requestIdPattern.test(sent)
          ? sent
          : this.#idPrefix + (this.#requests++).toString(36),
      arrivedAt: performance.now(),
      path: mark < 0 ? url : url.slice(0, mark),
      query: mark < 0 ? '' : url.slice(mark + 1),
      corsHeaders,
    };
  }
}

/** Everything below `/v1` but its front page, and the metrics; the rest holds no VM's data. */
function needsCredentials(method: string | undefined, path: string): boolean {
  if (path === '/metrics') return true;
  if (path === '/v1' || path === '/v1/') return method !== 'GET' && method !== 'HEAD';
  return path.startsWith('/v1/');
}

/** A refused upgrade is a plain HTTP answer. */
function writeRawProblem(socket: Duplex, problem: Problem, requestId: string | undefined): void {
  const body = JSON.stringify(problemBody(problem));
  const headers = {
    ...problem.headers,
    ...(requestId === undefined ? {} : { 'X-Request-Id': requestId }),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'Content-Type': 'application/problem+json',
    'Content-Length': String(Buffer.byteLength(body)),
    Connection: 'close',
  };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}\r\n${head.join('')}\r\n${body}`);
}

/** What Node's parser refuses is answered as a problem too. */
function answerParserError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? new Problem('headers-too-large', 'The head of the request is over 16 KiB.')
      : new Problem(
          'invalid-request',
          error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'The request did not arrive in time.' : 'This is not HTTP/1.1.',
        );
  writeRawProblem(socket, problem, undefined);
}

/**
 * An upgrade we do not offer (`h2c` of Java's HttpClient and curl --http2) is ignored, as RFC 9110 section 7.8 has it:
 * the request is played once more to the server without its upgrade headers. Node took it out of its parser already.
 */
function serveWithoutUpgrade(listener: Listener, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const lines = [`${request.method ?? 'GET'} ${request.url ?? '/'} HTTP/${request.httpVersion}`];
  const { rawHeaders } = request;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (!/^(?:upgrade|connection|http2-settings)$/i.test(name)) lines.push(`${name}: ${rawHeaders[i + 1] ?? ''}`);
  }
  socket.removeAllListeners();
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  listener.server.emit(listener.door.secure ? 'secureConnection' : 'connection', socket);
}
