import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { LineReader } from './line-reader.js';

/** Longer than any server of a test is silent while a line is waited for. */
const lineDeadlineMs = 120_000;

/** No line came in time. */
export class SilentServer extends Error {}

/** A second client for tests: just a socket and its lines. */
export class RawQmpClient {
  readonly socket: Socket;
  readonly #lines: LineReader;
  #next: Promise<string | null> | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    this.#lines = new LineReader(socket);
  }

  /** @param where path of a unix socket, or host and port. */
  static async connect(where: string | { host: string; port: number }): Promise<RawQmpClient> {
    const socket = typeof where === 'string' ? connect(where) : connect(where);
    await once(socket, 'connect');
    return new RawQmpClient(socket);
  }

  write(bytes: string | Buffer): void {
    this.socket.write(bytes);
  }

  /**
   * @param withinMs throws when no line came in this time; what comes later is the next call's
   * @returns the next line, or null at the end.
   */
  async line(withinMs = lineDeadlineMs): Promise<string | null> {
    this.#next ??= this.#lines.next();
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<never>((_, reject) => {
      const state = () => `${this.socket.bytesRead} bytes read, ${this.socket.bytesWritten} written`;
      timer = setTimeout(() => reject(new SilentServer(`no line for ${withinMs} ms; ${state()}`)), withinMs);
    });
    try {
      const line = await Promise.race([this.#next, silence]);
      this.#next = undefined;
      return line;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Waits for the greeting and negotiates, by default without oob. */
  async negotiate(oob = false): Promise<string> {
    for (;;) {
      const line = await this.line();
      if (line === null) throw new Error('closed before the greeting');
      if (!line.startsWith('{"QMP"')) continue;
      await this.command(`{"execute":"qmp_capabilities"${oob ? ',"arguments":{"enable":["oob"]}' : ''}}`);
      return line;
    }
  }

  /** Sends a message without id and returns the line of its reply; skips events before it. */
  async command(message: string): Promise<string> {
    this.write(`${message}\n`);
    for (;;) {
      const line = await this.line();
      if (line === null) throw new Error(`closed before the answer to ${message}`);
      if (line.includes('"return"') || line.includes('"error"')) return line;
    }
  }

  close(): void {
    this.socket.destroy();
  }
}
