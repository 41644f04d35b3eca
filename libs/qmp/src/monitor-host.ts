import type { AnomalyKind } from './anomaly.js';
import type { Clock } from './clock.js';
import type { Semaphore } from './semaphore.js';
import type { DescriptorPassage } from './descriptor-passage.js';
import type { DialectName } from './dialects/dialects.js';
import type { Settlement } from './execution.js';
import type { LastErrorCode } from './last-error.js';
import type { Health } from './health-watch.js';
import type { MonitorState } from './monitor-state.js';
import type { QmpEvent, SessionInfo } from './session-info.js';
import type { TlsOptions } from './transport.js';

/** The owner of a monitor. Everything but `prepare` is called synchronously and must not throw. */
export interface MonitorHost {
  /**
   * Runs after negotiation and before `ready`; `monitor.run()` works inside it. A rejection ends the session
   * (state `waiting`), and so does its deadline.
   */
  prepare?(session: SessionInfo): Promise<void>;
  stateChanged(state: MonitorState, previous: MonitorState): void;
  /** Null unless `ready`. */
  healthChanged?(health: Health | null): void;
  /** In the order the server wrote them; also before `ready`. */
  event(event: QmpEvent, session: SessionInfo): void;
  /** At its place among the events: one of that name came that is too large to be told. */
  eventLeftOut?(name: string, session: SessionInfo): void;
  /** An in-band place became free, or the monitor became ready. */
  place?(): void;
  /** A guest agent that was asked has not answered for a handshake's time; `place` tells when it did. */
  silent?(): void;
  anomaly?(kind: AnomalyKind, detail: string): void;
  /** A callback, or a `settle`, threw at what the server said: the session with it ends. Without this it is thrown on. */
  failed?(error: unknown): void;
}

export interface RunOptions {
  readonly deadlineMs: number;
  /** Bytes of the longest answer that is of use; default that of {@link serverBounds}. */
  readonly answerBytes?: number;
  /** Called synchronously at the very place of the reply among the events; a promise would tell later. */
  readonly arrived?: (settlement: Settlement) => void;
}

export interface MonitorOptions {
  /** Default `auto`: the greeting decides. */
  readonly dialect?: 'auto' | DialectName;
  readonly clock?: Clock;
  /** Uniform in [0, 1); spreads the dials of many monitors. */
  readonly random?: () => number;
  /** Shared by monitors to bound their simultaneous dials. */
  readonly dialGate?: Semaphore;
  /** For connecting, and again for greeting and negotiation together; default 5,000 ms. */
  readonly handshakeTimeoutMs?: number;
  /** For `MonitorHost.prepare`; default 30,000 ms. */
  readonly prepareTimeoutMs?: number;
  /** Longest line read; default 64 MiB. */
  readonly lineBytes?: number;
  readonly tls?: TlsOptions;
  /** Without it no command can be sent that has descriptors. */
  readonly descriptorPassage?: DescriptorPassage | undefined;
  /** Allows plain tcp to other than loopback. */
  readonly insecure?: boolean;
  /**
   * Of a unix endpoint: the part of its path that the operator wrote. Below it no name may be a link, at any dial: whoever
   * makes names there could mean the socket of another VM. Without it links are followed.
   */
  readonly anchor?: string;
}

/** What the owner's preparation rejects with when that has a code of its own. */
export class PreparationError extends Error {
  override readonly name = 'PreparationError';

  constructor(
    readonly code: LastErrorCode,
    message: string,
  ) {
    super(message);
  }
}
