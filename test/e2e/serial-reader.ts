import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { GatewayProcess } from './gateway-process.js';

/** A control message of the gateway. */
export type SerialNews = Record<string, unknown>;

export interface SerialReaderOptions {
  readonly token?: string;
  readonly query?: string;
}

const silenceMs = 20_000;

/** A client of a serial line's stream: all bytes and control messages, in their order. */
export class SerialReader {
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly news: SerialNews[] = [];
  /** How many bytes came. */
  received = 0;
  #pieces: Buffer[] = [];
  #end: string | undefined;
  #arrived: () => void = () => undefined;

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) {
        this.#pieces.push(data);
        this.received += data.length;
      } else this.news.push(JSON.parse(data.toString()) as SerialNews);
      this.#arrived();
    });
    this.closed = new Promise((resolve) =>
      socket.on('close', (code, reason) => {
        this.#end = `${code} ${reason.toString()}`;
        resolve({ code, reason: reason.toString() });
        this.#arrived();
      }),
    );
  }

  /** @throws Error with the status and body of a refused upgrade */
  static async open(
    gateway: GatewayProcess,
    vm: string,
    id: string,
    options: SerialReaderOptions = {},
  ): Promise<SerialReader> {
    const { token = gateway.token ?? '', query = '' } = options;
    const url = `${gateway.url.replace('http', 'ws')}/v1/vms/${vm}/serials/${id}/stream${query}`;
    const socket = new WebSocket(url, ['qmp-gateway.serial.v1', `bearer.${token}`]);
    const reader = new SerialReader(socket);
    socket.on('unexpected-response', (_request, response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        socket.emit(
          'error',
          new Error(`${response.statusCode} ${(JSON.parse(text) as { code: string }).code}: ${text}`),
        );
      });
    });
    await once(socket, 'open');
    return reader;
  }

  /** All bytes so far, put together when they are asked for. */
  get output(): Buffer {
    const [whole = Buffer.alloc(0)] = (this.#pieces =
      this.#pieces.length === 1 ? this.#pieces : [Buffer.concat(this.#pieces)]);
    return whole;
  }

  /** Waits until something holds; checked after each message. */
  async until(holds: (reader: this) => boolean): Promise<void> {
    while (!holds(this)) {
      if (this.#end !== undefined) throw new Error(`closed meanwhile: ${this.#end}`);
      await this.#arrival();
    }
  }

  async #arrival(): Promise<void> {
    let late: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#arrived = resolve;
        const said = () => JSON.stringify([this.news, this.received, this.output.subarray(-200).toString('latin1')]);
        late = setTimeout(() => reject(new Error(`nothing more came: ${said()}`)), silenceMs);
      });
    } finally {
      clearTimeout(late);
    }
  }

  async says(text: string): Promise<void> {
    await this.until(({ output }) => output.includes(text));
  }

  /** Waits for a control message with these members. */
  async tells(members: SerialNews): Promise<void> {
    const fits = (news: SerialNews) => Object.entries(members).every(([name, value]) => news[name] === value);
    await this.until(({ news }) => news.some(fits));
  }

  type(text: string): void {
    this.socket.send(Buffer.from(text), { binary: true });
  }

  ask(control: object): void {
    this.socket.send(JSON.stringify(control));
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.closed;
  }
}
