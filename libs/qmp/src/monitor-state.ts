import type { LastError } from './last-error.js';
import type { SessionInfo } from './session-info.js';

/**
 * The state of a monitor. Times are wall-clock milliseconds; `retryAt` null means that no dial is planned because the
 * peer dials in (`listen:` endpoints).
 */
export type MonitorState =
  | { readonly name: 'idle'; readonly since: number }
  | { readonly name: 'connecting'; readonly since: number }
  | { readonly name: 'negotiating'; readonly since: number }
  | { readonly name: 'ready'; readonly since: number; readonly session: SessionInfo }
  | { readonly name: 'waiting'; readonly since: number; readonly retryAt: number | null; readonly lastError: LastError }
  | { readonly name: 'busy'; readonly since: number; readonly retryAt: number; readonly lastError: LastError }
  | { readonly name: 'closed'; readonly since: number; readonly retryAt: number | null; readonly lastError: LastError }
  | { readonly name: 'stopped'; readonly since: number };

export type MonitorStateName = MonitorState['name'];

/** Every allowed transition with its cause. `docs/lifecycle.md` draws this table. */
export const monitorTransitions: {
  readonly [From in MonitorStateName]: Readonly<Partial<Record<MonitorStateName, string>>>;
} = {
  idle: {
    connecting: 'start()',
    stopped: 'stop()',
  },
  connecting: {
    negotiating: 'connected',
    waiting: 'dial failed, or listening until the peer dials in',
    busy: 'backlog of the socket is full (EAGAIN)',
    closed: 'still not there since its SHUTDOWN',
    stopped: 'stop()',
  },
  negotiating: {
    ready: 'capabilities negotiated and owner prepared',
    waiting: 'connection lost, wrong protocol, negotiation or preparation failed',
    busy: 'connected, but no greeting before the deadline',
    closed: 'SHUTDOWN, then end of connection',
    stopped: 'stop()',
  },
  ready: {
    waiting: 'connection lost without SHUTDOWN, or protocol broken',
    closed: 'SHUTDOWN or quit, then end of connection',
    stopped: 'stop()',
  },
  waiting: {
    connecting: 'back-off over, or socket file appeared',
    negotiating: 'peer dialled in',
    stopped: 'stop()',
  },
  busy: {
    connecting: 'back-off over',
    stopped: 'stop()',
  },
  closed: {
    connecting: 'back-off over, or socket file appeared',
    negotiating: 'peer dialled in',
    stopped: 'stop()',
  },
  stopped: {},
};

/** Thrown by a transition that is not in the table: always a bug of this library, never caused by the peer. */
export class IllegalTransitionError extends Error {
  constructor(
    readonly from: MonitorStateName,
    readonly to: MonitorStateName,
  ) {
    super(`illegal monitor transition from ${from} to ${to}`);
    this.name = 'IllegalTransitionError';
  }
}

/** @throws {IllegalTransitionError} if `monitorTransitions` has no edge `from` -> `to`. */
export function requireTransition(from: MonitorStateName, to: MonitorStateName): void {
  if (monitorTransitions[from][to] === undefined) throw new IllegalTransitionError(from, to);
}
