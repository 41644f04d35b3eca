import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Gets the text messages of a chunk as offsets in it: start, end, start, end… */
export type MessagesListener = (chunk: Buffer, bounds: readonly number[]) => void;

const opcodes = { text: 1, close: 8, ping: 9, pong: 10 } as const;

/**
 * A WebSocket client that only finds where messages begin and end, for tests and benchmarks with hundreds of thousands
 * of messages a second. Answers pings; does not support fragments, which the gateway never sends.
 */
export class RawWebSocket {
  /** The close code: 1005 if the frame had none, 1006 if there was no frame. */
  readonly closed: Promise<number>;
  /** Called between the other end's close frame and this one's, for clients that still send then. */
  atFarewell: () => void = () => undefined;
  #rest: Buffer = Buffer.alloc(0);
  #code = 1006;

  private constructor(
    readonly socket: Socket,
    private readonly listener: MessagesListener,
  ) {
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => this.#take(chunk));
    this.closed = new Promise((resolve) => socket.on('close', () => resolve(this.#code)));
  }

  /** @throws if the upgrade is refused; the message is the answer's head */
  static async connect(
    url: string,
    protocols: readonly string[],
    headers: Readonly<Record<string, string>>,
    listener: MessagesListener,
  ): Promise<RawWebSocket> {
    const { hostname, port, host, pathname } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    await once(socket, 'connect');
    const lines = [
      ...[`GET ${pathname} HTTP/1.1`, `Host: ${host}`, 'Connection: Upgrade', 'Upgrade: websocket'],
      ...['Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`],
      ...(protocols.length > 0 ? [`Sec-WebSocket-Protocol: ${protocols.join(', ')}`] : []),
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ];
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    let head = Buffer.alloc(0);
    let end = -1;
    while (end < 0) {
      const [chunk] = (await once(socket, 'data')) as [Buffer];
      head = Buffer.concat([head, chunk]);
      end = head.indexOf('\r\n\r\n');
    }
    if (!head.toString('latin1').startsWith('HTTP/1.1 101')) {
      socket.destroy();
      throw new Error(head.toString('latin1'));
    }
    const client = new RawWebSocket(socket, listener);
    if (head.length > end + 4) client.#take(head.subarray(end + 4));
    return client;
  }

  send(text: string): void {
    this.#write(opcodes.text, Buffer.from(text));
  }

  /** Ends it without a close frame. */
  destroy(): void {
    this.socket.destroy();
  }

  #take(received: Buffer): void {
    const chunk = this.#rest.length === 0 ? received : Buffer.concat([this.#rest, received]);
    const bounds: number[] = [];
    let at = 0;
    for (;;) {
      const length = chunk[at + 1];
      if (length === undefined) break;
      const wide = length === 126 ? 2 : length === 127 ? 8 : 0;
      const start = at + 2 + wide;
      if (start > chunk.length) break;
      const end =
        start + (wide === 0 ? length : wide === 2 ? chunk.readUInt16BE(at + 2) : Number(chunk.readBigUInt64BE(at + 2)));
      if (end > chunk.length) break;
      const opcode = (chunk[at] ?? 0) & 0x0f;
      if (opcode === opcodes.text) bounds.push(start, end);
      else this.#control(opcode, chunk.subarray(start, end));
      at = end;
    }
    this.#rest = chunk.subarray(at);
    if (bounds.length > 0) this.listener(chunk, bounds);
  }

  #control(opcode: number, payload: Buffer): void {
    if (opcode === opcodes.ping) this.#write(opcodes.pong, payload);
    if (opcode !== opcodes.close) return;
    this.#code = payload.length < 2 ? 1005 : payload.readUInt16BE(0);
    this.atFarewell();
    this.#write(opcodes.close, payload);
    this.socket.end();
  }

  /** A client's frames are masked (RFC 6455, section 5.3); a mask of zeros is one. */
  #write(opcode: number, payload: Buffer): void {
    const long = payload.length >= 126;
    const head = Buffer.alloc(long ? 8 : 6);
    head[0] = 0x80 | opcode;
    head[1] = 0x80 | (long ? 126 : payload.length);
    if (long) head.writeUInt16BE(payload.length, 2);
    if (this.socket.writable) this.socket.write(Buffer.concat([head, payload]));
  }
}
