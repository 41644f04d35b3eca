import type { Socket } from 'node:net';
import type { Principal } from '../access/principal.js';

/** What a WebSocket is accepted with: who is at the other end, over what, and what was asked for. */
export interface SocketConnection {
  readonly principal: Principal;
  readonly requestId: string;
  /** Of the upgrade; its commands are part of that trace. */
  readonly traceparent?: string | undefined;
  /** Of one that another node of the fleet has handed over: which one. */
  readonly handed?: { readonly node: string } | undefined;
  /** The socket below the WebSocket: events are written to it in frames made once for all. */
  readonly socket: Socket;
  /** The VM the path names. */
  readonly vm?: string;
  /** All variables of the path. */
  readonly path: Readonly<Record<string, string>>;
  /** The query, read by the shape that the resource declares; undefined where it takes none. */
  readonly query?: object | undefined;
}

/** A client that is asked to come back later: it gets the answers that are due, then its end. */
export interface Leaver {
  leave(): void;
}

/** Every open connection of a client. */
export class SocketLeavers extends Set<Leaver> {}
