import type { Clock } from '@qmp-gateway/qmp';
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { textFrameHeader } from '../events/encodings.js';
import { closeClient, type CloseReason } from '../upgrades/close-codes.js';
import { GatheringWriter } from './gathering-writer.js';
import type { MonitorTransport } from './monitor-connection.js';

const lineEnd = Buffer.from('\r\n');

/** Adjacent texts become one piece; a value that QEMU wrote stays as it is. */
function pieces(message: readonly (string | Buffer)[]): Buffer[] {
  return [...message.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)), lineEnd];
}

/** Sends each message as one text frame, line end included. */
export class WebSocketTransport implements MonitorTransport {
  readonly #writer: GatheringWriter;

  constructor(
    private readonly client: WebSocket,
    socket: Socket,
    private readonly clock: Clock,
  ) {
    this.#writer = new GatheringWriter(socket);
  }

  get unsent(): number {
    return this.#writer.unsent;
  }

  send(message: readonly (string | Buffer)[]): void {
    const parts = pieces(message);
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    this.#writer.gather(textFrameHeader(length), ...parts);
  }

  pause(): void {
    this.client.pause();
  }

  resume(): void {
    this.client.resume();
  }

  end(reason: CloseReason, text: string = reason): void {
    this.#writer.end();
    closeClient(this.client, reason, text, this.clock);
  }
}

/** The bare protocol, for clients that do not know the gateway. */
export class UnixSocketTransport implements MonitorTransport {
  readonly #writer: GatheringWriter;

  /** @param reader what reads for it, where that is not the socket itself */
  constructor(
    private readonly socket: Socket,
    private readonly reader: { pause(): void; resume(): void } = socket,
  ) {
    this.#writer = new GatheringWriter(socket);
  }

  get unsent(): number {
    return this.#writer.unsent;
  }

  send(message: readonly (string | Buffer)[]): void {
    this.#writer.gather(...pieces(message));
  }

  pause(): void {
    this.reader.pause();
  }

  resume(): void {
    this.reader.resume();
  }

  /** Ends with end-of-file and no reason; a client that does not read would never reach one. */
  end(reason: CloseReason): void {
    this.#writer.end();
    if (reason === 'too-slow') this.socket.destroy();
    else this.socket.destroySoon();
  }
}
