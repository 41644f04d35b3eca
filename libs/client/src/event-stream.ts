import { gatewayEvent, type EventName, type GatewayEvent, type OwnEvent } from './events.js';
import type { OrOther } from './commands.js';
import { GatewayProblem, GatewayUnreachable } from './gateway-problem.js';
import type { EventFilter, EventSurroundings, EventTransport } from './event-transport.js';
import { retryDelay, sleepUnlessAborted } from './retry-delay.js';
import { serverSentEvents } from './server-sent-events.js';
import { webSocketEvents } from './websocket-events.js';

export interface EventStreamOptions {
  /** Ids of VMs, as globs. Default: all that the caller may see. */
  readonly vm?: string | readonly string[] | undefined;
  /** Names of events, as globs (`BLOCK_*`). Default: all. */
  readonly event?:
    OrOther<EventName | OwnEvent['event']> | readonly OrOther<EventName | OwnEvent['event']>[] | undefined;
  readonly label?: Readonly<Record<string, string>> | undefined;
  /** Only events after this cursor; `oldest`: the whole history first. Default: new events only. */
  readonly after?: string | undefined;
  /** Sends only the newest of equal events of a VM within this time (`200ms`). */
  readonly coalesce?: string | undefined;
  /** Default `sse`: `fetch`, which reads no faster than the consumer. */
  readonly transport?: 'sse' | 'websocket' | undefined;
  /**
   * Hears when there is a connection, and when it was lost; `error` is then the reason, absent where the gateway ended the
   * stream. The first step of a connection counts, so that a connection which never gets going is none.
   */
  readonly onConnection?: ((open: boolean, error?: unknown) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

const transports: Readonly<Record<'sse' | 'websocket', EventTransport>> = {
  sse: serverSentEvents,
  websocket: webSocketEvents,
};

/** Events over as many connections as necessary, each of which resumes where the one before was lost. */
export async function* events(
  surroundings: EventSurroundings,
  options: EventStreamOptions,
): AsyncGenerator<GatewayEvent, void, undefined> {
  const { signal, transport = 'sse', onConnection } = options;
  const { random, sleep = sleepUnlessAborted } = surroundings;
  const filter = readFilter(options);
  let cursor = options.after;
  let wasConnected = false;
  for (let failures = 0; ; failures++) {
    let loss: unknown;
    try {
      let steps = 0;
      for await (const step of transports[transport](surroundings, filter, cursor, signal)) {
        wasConnected = true;
        cursor = step.cursor;
        // The first step only has the cursor; it does not reset the wait, so a gateway that ends every stream at once
        // is not called more often.
        if (++steps > 1) failures = 0;
        else onConnection?.(true);
        if (step.event !== undefined) yield gatewayEvent(step.event);
      }
    } catch (error) {
      if (signal?.aborted === true || !wasConnected || !isLoss(error)) throw error;
      loss = error;
    }
    onConnection?.(false, loss);
    await sleep(retryDelay(failures, random), signal);
    signal?.throwIfAborted();
  }
}

function isLoss(error: unknown): boolean {
  return error instanceof GatewayUnreachable || (error instanceof GatewayProblem && error.retryable);
}

/** The same selection as a query, for requests other than streams. */
export function eventQuery(options: Pick<EventStreamOptions, 'vm' | 'event' | 'label' | 'after'>): URLSearchParams {
  const { coalesce: _, ...filter } = readFilter(options);
  const query = new URLSearchParams(options.after === undefined ? {} : { after: options.after });
  for (const [name, values] of Object.entries(filter)) for (const value of values) query.append(name, value);
  return query;
}

function readFilter({ vm = [], event = [], label = {}, coalesce }: EventStreamOptions): EventFilter {
  return {
    vm: [vm].flat(),
    event: [event].flat(),
    label: Object.entries(label).map(([key, value]) => `${key}=${value}`),
    coalesce,
  };
}
