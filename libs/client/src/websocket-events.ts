import type { EventFilter, EventTransport } from './event-transport.js';
import { asProblemDocument, GatewayProblem } from './gateway-problem.js';
import { readJson } from './lossless-json.js';
import { socketAddress, SocketInbox, webSocketOf, whyNoSocket } from './socket-inbox.js';
import { Watchdog } from './watchdog.js';

const pingMs = 15_000;
/** Silence for three pings means a lost connection. */
const silenceMs = 3 * pingMs;

/** Events over `/v1/ws`, JSON-RPC 2.0, one connection for each stream. */
export const webSocketEvents: EventTransport = async function* ({ http, WebSocket }, filter, after, signal) {
  const Constructor = webSocketOf(WebSocket);
  const { url, protocols } = await socketAddress(http, '/v1/ws', 'qmp-gateway.v1');
  const watchdog = new Watchdog(signal);
  const connection = new SocketInbox(new Constructor(url, protocols), watchdog, silenceMs);
  const pings = setInterval(
    () => connection.send(JSON.stringify({ jsonrpc: '2.0', id: 'ping', method: 'ping' })),
    pingMs,
  );
  try {
    if (!(await connection.opened)) await whyNoSocket(http, silenceMs, signal);
    connection.send(
      JSON.stringify({ jsonrpc: '2.0', id: 'subscribe', method: 'subscribe', params: subscribeParams(filter, after) }),
    );
    for (;;) {
      const text = await connection.next();
      if (text === undefined) break;
      if (typeof text !== 'string') continue;
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

function subscribeParams({ vm, event, label, coalesce }: EventFilter, after: string | undefined): object {
  return {
    ...(vm.length === 0 ? {} : { vm }),
    ...(event.length === 0 ? {} : { event }),
    ...(label.length === 0 ? {} : { label }),
    ...(coalesce === undefined ? {} : { coalesce }),
    ...(after === undefined ? {} : { after }),
  };
}

const problemError = -32000;

function problemOf({ code, message, data }: NonNullable<Message['error']>): Error {
  const problem = code === problemError ? asProblemDocument(data) : undefined;
  if (problem !== undefined) return new GatewayProblem(problem);
  // HTTP's answer to the same fault.
  const common = { code: 'invalid-request', status: 400, outcome: 'not-sent', retryable: false } as const;
  return new GatewayProblem({ ...common, detail: message, ...(data as object | undefined) });
}
