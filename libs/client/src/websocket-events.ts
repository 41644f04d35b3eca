import type { EventFilter, EventTransport } from './event-stream.js';
import type { GatewayHttp } from './gateway-http.js';
import { asProblemDocument, GatewayProblem, GatewayUnreachable } from './gateway-problem.js';
import { readJson } from './lossless-json.js';
import { Watchdog } from './watchdog.js';

/** What is used of a WebSocket; the browser's, Node's and that of the package `ws` fit. */
export interface WebSocketLike {
  send(data: string): void;
  close(): void;
  addEventListener(type: 'open' | 'message' | 'close' | 'error', listener: (event: object) => void): void;
}

export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;

const pingMs = 15_000;
/** Nothing for three pings: the connection is lost. */
const silenceMs = 3 * pingMs;
/** Characters the consumer has not taken. Past it the connection is given up, and set up again once all is taken. */
const inboxBound = 16 * 1024 * 1024;

/** Events over `/v1/ws`, JSON-RPC 2.0, one connection for each stream. */
export const webSocketEvents: EventTransport = async function* ({ http, WebSocket }, filter, after, signal) {
  const Constructor = WebSocket ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket;
  if (Constructor === undefined) throw new TypeError('there is no global WebSocket: pass one to GatewayClient');
  const token = await http.currentToken();
  const protocols = ['qmp-gateway.v1', ...(token === undefined ? [] : [`bearer.${token}`])];
  const socket = new Constructor(`${http.url.replace(/^http/, 'ws')}/v1/ws`, protocols);
  const watchdog = new Watchdog(signal);
  const connection = new Connection(socket, watchdog);
  const pings = setInterval(() => connection.send({ jsonrpc: '2.0', id: 'ping', method: 'ping' }), pingMs);
  try {
    if (!(await connection.opened)) await refused(http, signal);
    connection.send({ jsonrpc: '2.0', id: 'subscribe', method: 'subscribe', params: subscribeParams(filter, after) });
    for (;;) {
      const text = await connection.next();
      if (text === undefined) break;
      const { id, method, params, result, error } = readJson(text) as Message;
      if (error !== undefined) throw problemOf(error);
      if (method === 'event' && params !== undefined) {
        const { subscription: _, ...event } = params;
        yield { cursor: event.cursor, event };
      } else if (id === 'subscribe' && result !== undefined) yield { cursor: result.cursor };
    }
  } catch (error) {
    throw watchdog.explain(error);
  } finally {
    clearInterval(pings);
    watchdog.end();
  }
  signal?.throwIfAborted();
};

interface Message {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: { readonly subscription: number; readonly cursor: string };
  readonly result?: { readonly cursor: string };
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

/** Messages of one socket, kept until they are taken. */
class Connection {
  /** False: there will be none. */
  readonly opened: Promise<boolean>;
  readonly #inbox: string[] = [];
  #inboxSize = 0;
  #taken = 0;
  #state: 'connecting' | 'open' | 'closed' = 'connecting';
  #arrived: () => void = () => undefined;

  constructor(
    private readonly socket: WebSocketLike,
    private readonly watchdog: Watchdog,
  ) {
    watchdog.arm(silenceMs);
    this.opened = new Promise((resolve) => {
      socket.addEventListener('open', () => {
        if (this.#state === 'connecting') this.#state = 'open';
        resolve(this.#state === 'open');
      });
      const ended = (): void => {
        this.#end();
        resolve(false);
      };
      socket.addEventListener('error', ended);
      socket.addEventListener('close', ended);
      watchdog.signal.addEventListener('abort', ended);
      if (watchdog.signal.aborted) ended();
    });
    socket.addEventListener('message', (event) => this.#receive((event as { data?: unknown }).data));
  }

  send(message: object): void {
    if (this.#state === 'open') this.socket.send(JSON.stringify(message));
  }

  /** The next message; undefined when the connection is gone and all is taken. */
  async next(): Promise<string | undefined> {
    if (this.#taken === this.#inbox.length && this.#state === 'open') {
      this.watchdog.arm(silenceMs);
      await new Promise<void>((resolve) => (this.#arrived = resolve));
    }
    this.watchdog.disarm();
    if (this.watchdog.signal.aborted) throw new GatewayUnreachable('the connection was given up');
    const text = this.#inbox[this.#taken];
    if (text === undefined) return undefined;
    this.#inboxSize -= text.length;
    this.#taken++;
    if (this.#taken === this.#inbox.length) {
      this.#inbox.length = 0;
      this.#taken = 0;
    }
    return text;
  }

  #receive(data: unknown): void {
    if (this.#state !== 'open' || typeof data !== 'string') return;
    this.#inbox.push(data);
    this.#inboxSize += data.length;
    if (this.#inboxSize > inboxBound) this.#end();
    this.#arrived();
  }

  #end(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.socket.close();
    this.#arrived();
  }
}

function subscribeParams({ vm, event, label, coalesce }: EventFilter, after: string | undefined): object {
  return {
    ...(vm.length === 0 ? {} : { vm }),
    ...(event.length === 0 ? {} : { event }),
    ...(label.length === 0 ? {} : { label }),
    ...(coalesce === undefined ? {} : { coalesce }),
    ...(after === undefined ? {} : { after }),
  };
}

/**
 * Why there is no WebSocket: browsers don't tell, so the same credentials ask over HTTP.
 * @throws always
 */
async function refused(http: GatewayHttp, signal: AbortSignal | undefined): Promise<never> {
  await http.request({ method: 'GET', path: '/v1/access', deadlineMs: silenceMs, signal });
  throw new GatewayUnreachable('the WebSocket could not be opened');
}

const problemError = -32000;

function problemOf({ code, message, data }: NonNullable<Message['error']>): Error {
  const problem = code === problemError ? asProblemDocument(data) : undefined;
  if (problem !== undefined) return new GatewayProblem(problem);
  // What HTTP answers to the same fault.
  const common = { code: 'invalid-request', status: 400, outcome: 'not-sent', retryable: false } as const;
  return new GatewayProblem({ ...common, detail: message, ...(data as object | undefined) });
}
