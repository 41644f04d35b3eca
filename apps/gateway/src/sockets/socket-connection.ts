import type { Clock } from '@qmp-gateway/qmp';
import type { Socket } from 'node:net';
import type { Principal } from '../access/principal.js';
import type { CommandPath } from '../commands/command-request.js';
import type { EventHub } from '../events/event-hub.js';
import type { VmDirectory } from '../events/vm-directory.js';
import type { Vm } from '../vms/vm.js';

/** What a WebSocket is accepted with: who is at the other end, and over what. */
export interface SocketConnection {
  readonly principal: Principal;
  readonly requestId: string;
  /** Of the upgrade; its commands are part of that trace. */
  readonly traceparent?: string | undefined;
  /** The socket below the WebSocket: events are written to it in frames made once for all. */
  readonly socket: Socket;
  /** The VM the path names. */
  readonly vm?: string;
}

/** A client that is asked to come back later: it gets the answers that are due, then its end. */
export interface Leaver {
  leave(): void;
}

/** The parts of the gateway that sockets use. */
export interface SocketParts {
  /** Every open session of a client. */
  readonly leavers: Set<Leaver>;
  readonly hub: EventHub;
  readonly path: CommandPath;
  readonly directory: VmDirectory;
  readonly registry: { get(id: string): Vm | undefined };
  readonly clock?: Clock;
}

export const SOCKET_PARTS = Symbol('SocketParts');
