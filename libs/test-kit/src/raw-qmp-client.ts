import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

/** A second client for tests, made of nothing but a socket and its lines. */
export class RawQmpClient {
  readonly socket: Socket;
  readonly #lines: AsyncIterableIterator<string>;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    this.#lines = createInterface({ input: socket, crlfDelay: Infinity })[Symbol.asyncIterator]();
  }

  /** @param where a unix socket's path, or host and port. */
  static async connect(where: string | { host: string; port: number }): Promise<RawQmpClient> {
    const socket = typeof where === 'string' ? connect(where) : connect(where);
    await once(socket, 'connect');
    return new RawQmpClient(socket);
  }

  write(bytes: string | Buffer): void {
    this.socket.write(bytes);
  }

  /** @returns the next line, or null at the end. */
  async line(): Promise<string | null> {
    const result = await this.#lines.next();
    return result.done === true ? null : result.value;
  }

  /** Waits for the greeting and negotiates, without oob unless said. */
  async negotiate(oob = false): Promise<string> {
    for (;;) {
      const line = await this.line();
      if (line === null) throw new Error('closed before the greeting');
      if (!line.startsWith('{"QMP"')) continue;
      await this.command(`{"execute":"qmp_capabilities"${oob ? ',"arguments":{"enable":["oob"]}' : ''}}`);
      return line;
    }
  }

  /** Sends a message without id and returns the line of its answer; events before it are skipped. */
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
