import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '@qmp-gateway/qmp';

/** Whoever takes nothing of an answer for so long is let go; the same as for streams of events and WebSockets. */
const patienceMs = 60_000;
/** How often it is looked at. */
export const readerLookMs = 5000;

/** How far an answer has got, and since when. */
interface Stand {
  /** Bytes of writes that are over. */
  readonly written: number;
  /** Bytes of a write under way that the kernel has not taken. */
  readonly queued: number | undefined;
  readonly since: number;
}

/**
 * Ends connections whose reader takes nothing of what is ready for it, so that nothing they hold (answers in memory,
 * transfers of files, places) is held for ever. Who waits for a command, between two requests, or reads slowly but does,
 * is left alone. A look from time to time, because the timeouts of sockets are put off by what the client sends, know
 * nothing of the progress of a long write behind TLS, and would cost each answer something.
 */
export class StuckReaders {
  readonly #stands = new WeakMap<Socket, Stand>();

  constructor(private readonly clock: Pick<Clock, 'now'>) {}

  /** @param connections with their answers, the newest last */
  look(connections: Iterable<readonly [Socket, readonly ServerResponse[]]>): void {
    const now = this.clock.now();
    for (const [socket, answers] of connections)
      // Nothing to take, or the exchange is over: the connection is idle, or has become a WebSocket.
      if (answers.at(-1)?.destroyed === true || socket.writableLength === 0) this.#stands.delete(socket);
      else if (this.#isStuck(socket, now)) socket.destroy();
  }

  #isStuck(socket: Socket, now: number): boolean {
    const written = socket.bytesWritten - socket.writableLength;
    const queued = unsentBytes(socket);
    const before = this.#stands.get(socket);
    if (before?.written === written && before.queued === queued) return now - before.since >= patienceMs;
    this.#stands.set(socket, { written, queued, since: now });
    return false;
  }
}

/** As much of Node's handle of a socket as is looked at; of TLS, which hands all on at once, that of the wire below. */
interface Handle {
  readonly writeQueueSize?: number;
  readonly _parent?: Handle;
}

/**
 * Node tells of a write only when all of it is over, which for 64 MiB over a slow line takes longer than our patience. Its
 * own timeouts look at the same number.
 */
function unsentBytes(socket: Socket): number | undefined {
  const { _handle: handle } = socket as { readonly _handle?: Handle | null };
  return (handle?._parent ?? handle)?.writeQueueSize;
}
