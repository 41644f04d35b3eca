import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { textFrameHeader } from '../events/encodings.js';
import { closeClient, type CloseReason } from './close-codes.js';
import { GatheringWriter } from './gathering-writer.js';
import type { MonitorTransport } from './monitor-session.js';

const lineEnd = Buffer.from('\r\n');

/** Neighbouring texts become one piece; a value that QEMU wrote stays as it is. */
function pieces(message: readonly (string | Buffer)[]): Buffer[] {
  return [...message.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)), lineEnd];
}

/** Each message of ours is one text frame, line end included. */
export class WebSocketTransport implements MonitorTransport {
  readonly #writer: GatheringWriter;

  constructor(
    private readonly client: WebSocket,
    socket: Socket,
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
    closeClient(this.client, reason, text);
  }
}

/** The bare protocol, for clients that know nothing of us. */
export class UnixSocketTransport implements MonitorTransport {
  readonly #writer: GatheringWriter;

  constructor(private readonly socket: Socket) {
    this.#writer = new GatheringWriter(socket);
  }

  get unsent(): number {
    return this.#writer.unsent;
  }

  send(message: readonly (string | Buffer)[]): void {
    this.#writer.gather(...pieces(message));
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /** End of file says it all; who does not read would never come to it. */
  end(reason: CloseReason): void {
    this.#writer.end();
    if (reason === 'too-slow') this.socket.destroy();
    else this.socket.destroySoon();
  }
}
