import { gatewayEvent, type EventName, type GatewayEvent, type OwnEvent } from './events.js';
import type { OrOther } from './commands.js';
import type { GatewayHttp } from './gateway-http.js';
import { GatewayProblem, GatewayUnreachable } from './gateway-problem.js';
import { serverSentEvents } from './server-sent-events.js';
import { webSocketEvents, type WebSocketConstructor } from './websocket-events.js';

export interface EventStreamOptions {
  /** Ids of VMs, as globs. Default: all that the caller may see. */
  readonly vm?: string | readonly string[] | undefined;
  /** Names of events, as globs (`BLOCK_*`). Default: all. */
  readonly event?:
    OrOther<EventName | OwnEvent['event']> | readonly OrOther<EventName | OwnEvent['event']>[] | undefined;
  readonly label?: Readonly<Record<string, string>> | undefined;
  /** Only what comes after this position; `oldest`: all that is kept. Default: from now on. */
  readonly after?: string | undefined;
  /** Of equal events of a VM within this time (`200ms`), only the newest is sent. */
  readonly coalesce?: string | undefined;
  /** Default `sse`: `fetch`, which reads no faster than the consumer. */
  readonly transport?: 'sse' | 'websocket' | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What streams are made with. */
export interface EventSurroundings {
  readonly http: GatewayHttp;
  readonly WebSocket: WebSocketConstructor | undefined;
  /** Between 0 and 1; default `Math.random`. */
  readonly random?: () => number;
  /** Resolves after so many milliseconds, or early when `signal` is aborted. Default: `setTimeout`. */
  readonly sleep?: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
}

/** What to ask the gateway for, the same over both transports. */
export interface EventFilter {
  readonly vm: readonly string[];
  readonly event: readonly string[];
  /** `key=value` */
  readonly label: readonly string[];
  readonly coalesce: string | undefined;
}

/** A step of one connection: a position, and the event that is there. */
export interface StreamStep {
  readonly cursor: string;
  /** As the gateway writes it. */
  readonly event?: unknown;
}

/** One connection, from a position on; ends or throws when it is lost. */
export type EventTransport = (
  surroundings: EventSurroundings,
  filter: EventFilter,
  after: string | undefined,
  signal: AbortSignal | undefined,
) => AsyncGenerator<StreamStep, void, undefined>;

const transports: Readonly<Record<'sse' | 'websocket', EventTransport>> = {
  sse: serverSentEvents,
  websocket: webSocketEvents,
};

const firstDelayMs = 250;
const longestDelayMs = 10_000;

/** Events over as many connections as it takes, each from where the one before was lost. */
export async function* events(
  surroundings: EventSurroundings,
  options: EventStreamOptions,
): AsyncGenerator<GatewayEvent, void, undefined> {
  const { signal, transport = 'sse' } = options;
  const { random = Math.random, sleep = sleepUnlessAborted } = surroundings;
  const filter = readFilter(options);
  let cursor = options.after;
  let wasConnected = false;
  for (let failures = 0; ; failures++) {
    try {
      let steps = 0;
      for await (const step of transports[transport](surroundings, filter, cursor, signal)) {
        wasConnected = true;
        cursor = step.cursor;
        // The first step only tells the position: a gateway that ends every stream at once is not asked faster for it.
        if (++steps > 1) failures = 0;
        if (step.event !== undefined) yield gatewayEvent(step.event);
      }
    } catch (error) {
      if (signal?.aborted === true || !wasConnected || !isLoss(error)) throw error;
    }
    await sleep(Math.min(longestDelayMs, firstDelayMs * 2 ** failures) * (0.5 + random() / 2), signal);
    signal?.throwIfAborted();
  }
}

function isLoss(error: unknown): boolean {
  return error instanceof GatewayUnreachable || (error instanceof GatewayProblem && error.retryable);
}

function readFilter({ vm = [], event = [], label = {}, coalesce }: EventStreamOptions): EventFilter {
  return {
    vm: [vm].flat(),
    event: [event].flat(),
    label: Object.entries(label).map(([key, value]) => `${key}=${value}`),
    coalesce,
  };
}

function sleepUnlessAborted(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    if (signal?.aborted === true) done();
    else signal?.addEventListener('abort', done);
  });
}
