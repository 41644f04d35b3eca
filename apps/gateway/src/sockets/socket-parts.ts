import type { Clock } from '@qmp-gateway/qmp';
import type { CommandPath } from '../commands/command-request.js';
import type { EventHub } from '../events/event-hub.js';
import type { ShownEvents } from '../events/shown-events.js';
import type { RequestMark } from '../http/request-context.js';
import type { Leaver } from '../upgrades/socket-connection.js';
import type { VmDirectory } from '../vms/vm-directory.js';
import type { Vm } from '../vms/vm.js';

/** The parts of the gateway that sockets use. */
export interface SocketParts {
  /** Every open connection of a client. */
  readonly leavers: Set<Leaver>;
  /** This gateway's own. */
  readonly hub: EventHub;
  /** What clients are shown. */
  readonly events: Pick<ShownEvents, 'of' | 'head' | 'reached'>;
  readonly path: CommandPath;
  readonly directory: Pick<VmDirectory, 'find' | 'list' | 'notFound'>;
  readonly registry: { get(id: string): Vm | undefined };
  readonly clock?: Clock;
  /** A fault of ours: the log gets everything, the client only that there was one. */
  fault(error: unknown, request: RequestMark): void;
}

export const SOCKET_PARTS = Symbol('SocketParts');
