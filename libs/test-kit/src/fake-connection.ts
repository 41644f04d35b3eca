import type { Socket } from 'node:net';

/** The server's side of one connection to a fake; tests drive it. */
export class FakeConnection {
  readonly socket: Socket;
  /** `qmp_capabilities` was answered. */
  negotiated = false;
  readonly #chunk: number;

  /** @param chunk most bytes in each write; 0: no limit. */
  constructor(socket: Socket, chunk: number) {
    this.socket = socket;
    this.#chunk = chunk;
    socket.on('error', () => undefined);
  }

  get open(): boolean {
    return !this.socket.destroyed && this.socket.writable;
  }

  /** Writes these bytes, split into the fake's chunks. */
  write(bytes: string | Buffer): void {
    if (!this.open) return;
    const buffer = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
    if (this.#chunk === 0) this.socket.write(buffer);
    else
      for (let at = 0; at < buffer.length; at += this.#chunk) this.socket.write(buffer.subarray(at, at + this.#chunk));
  }

  /** Writes one line with QEMU's line end. */
  line(json: string): void {
    this.write(`${json}\r\n`);
  }

  event(name: string, data?: unknown, timestamp: unknown = { seconds: 1, microseconds: 2 }): void {
    const rest = data === undefined ? '' : `, "data": ${JSON.stringify(data)}`;
    this.line(`{"timestamp": ${JSON.stringify(timestamp)}, "event": ${JSON.stringify(name)}${rest}}`);
  }

  /** Ends the connection after the bytes written so far. */
  close(): void {
    this.socket.end(() => this.socket.destroy());
  }

  /** Ends it at once; over tcp by a reset, over unix sockets by a reset if the client's bytes are unread. */
  reset(): void {
    this.socket.resetAndDestroy();
  }
}
