import { connect, type Socket } from 'node:net';

/** Commands a second, and each command's time in microseconds. */
export interface DirectResult {
  readonly perSecond: number;
  readonly microseconds: number;
}

/**
 * The yardstick at a real monitor: a client that holds it alone, writes the same bytes for each command, and counts lines.
 * No other client can be faster with the same number of commands in flight.
 */
export class DirectClient {
  readonly #socket: Socket;
  #lines: (count: number) => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      let count = 0;
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) count++;
      if (count > 0) this.#lines(count);
    });
  }

  /** Connects and negotiates, out-of-band commands included, as the gateway does. */
  static async open(socketPath: string): Promise<DirectClient> {
    const client = new DirectClient(connect(socketPath));
    await client.#nextLine();
    const negotiated = client.#nextLine();
    client.#socket.write('{"execute":"qmp_capabilities","arguments":{"enable":["oob"]}}');
    await negotiated;
    return client;
  }

  /** Writes a message over and over for so long, with `window` of them in flight. */
  async load(
    message: string,
    { window, milliseconds }: { window: number; milliseconds: number },
  ): Promise<DirectResult> {
    const started = performance.now();
    let sent = window;
    let answered = 0;
    await new Promise<void>((resolve) => {
      this.#lines = (count) => {
        answered += count;
        if (performance.now() - started < milliseconds) {
          this.#socket.write(message.repeat(count));
          sent += count;
        } else if (answered === sent) resolve();
      };
      this.#socket.write(message.repeat(window));
    });
    const elapsed = performance.now() - started;
    return { perSecond: (answered / elapsed) * 1000, microseconds: (elapsed * 1000 * window) / answered };
  }

  close(): void {
    this.#socket.destroy();
  }

  #nextLine(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#lines = () => resolve();
      this.#socket.once('error', reject);
    });
  }
}
