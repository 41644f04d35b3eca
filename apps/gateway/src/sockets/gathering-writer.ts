import type { Duplex } from 'node:stream';

/** Parts up to this size are copied together; larger ones cost less as writes of their own. */
const copyBytes = 64 * 1024;

/** Writes everything that gathers for one socket while one piece of input is handled, at once and in order. */
export class GatheringWriter {
  #parts: Buffer[] = [];
  #bytes = 0;
  #planned = false;
  #ended = false;

  constructor(private readonly socket: Duplex) {}

  /** Bytes that the kernel has not taken. */
  get unsent(): number {
    return this.#bytes + this.socket.writableLength;
  }

  /** Writes at the end of this turn of the event loop, when all sockets with input were processed. */
  gather(...parts: readonly Buffer[]): void {
    if (this.#ended) return;
    for (const part of parts) {
      this.#parts.push(part);
      this.#bytes += part.length;
    }
    if (this.#planned) return;
    this.#planned = true;
    setImmediate(() => this.flush());
  }

  /** Writes now, after the gathered parts. */
  write(bytes: Buffer): void {
    this.flush();
    if (!this.#ended && this.socket.writable) this.socket.write(bytes);
  }

  /** Writes the last part: later ones are dropped. */
  end(): void {
    this.flush();
    this.#ended = true;
  }

  flush(): void {
    this.#planned = false;
    const parts = this.#parts;
    if (parts.length === 0) return;
    const bytes = this.#bytes;
    this.#parts = [];
    this.#bytes = 0;
    if (!this.socket.writable) return;
    if (parts.length === 1 || bytes <= copyBytes) {
      this.socket.write(parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts, bytes));
      return;
    }
    this.socket.cork();
    for (const part of parts) this.socket.write(part);
    this.socket.uncork();
  }
}
