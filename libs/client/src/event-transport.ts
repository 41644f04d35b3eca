import type { GatewayHttp } from './gateway-http.js';

/** The used part of a WebSocket; the browser's, Node.js's and that of the package `ws` match. */
export interface WebSocketLike {
  /** How binary frames arrive: `arraybuffer` is set. */
  binaryType?: string;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(): void;
  addEventListener(type: 'open' | 'message' | 'close' | 'error', listener: (event: object) => void): void;
}

export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;

/** What event streams need. */
export interface EventSurroundings {
  readonly http: GatewayHttp;
  readonly WebSocket: WebSocketConstructor | undefined;
  /** Between 0 and 1; default `Math.random`. */
  readonly random?: () => number;
  /** Resolves after this many milliseconds, or early when `signal` is aborted. Default: `setTimeout`. */
  readonly sleep?: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
}

/** The query to the gateway, the same over both transports. */
export interface EventFilter {
  readonly vm: readonly string[];
  readonly event: readonly string[];
  /** `key=value` */
  readonly label: readonly string[];
  readonly coalesce: string | undefined;
}

/** A step of one connection: a cursor, and the event there. */
export interface StreamStep {
  readonly cursor: string;
  /** As written by the gateway. */
  readonly event?: unknown;
}

/** One connection, from a cursor on; ends or throws when it is lost. */
export type EventTransport = (
  surroundings: EventSurroundings,
  filter: EventFilter,
  after: string | undefined,
  signal: AbortSignal | undefined,
) => AsyncGenerator<StreamStep, void, undefined>;
