import { WebSocket } from 'ws';
import type { GatewayProcess } from './gateway-process.js';

export interface RfbOptions {
  readonly token?: string | undefined;
  /** From `?` on. */
  readonly query?: string;
  readonly display?: string;
  readonly protocols?: readonly string[];
}

interface Wanted {
  readonly length: number;
  readonly resolve: (bytes: Buffer) => void;
  readonly reject: (error: Error) => void;
}

const deadlineMs = 20_000;
const version = Buffer.from('RFB 003.008\n');

/** The bytes that a display sends, and what an RFB client says. Decodes no picture. */
export class RfbClient {
  readonly closed: Promise<{ code: number; reason: string }>;
  bytes = 0;
  readonly socket: WebSocket;
  #unread: Buffer = Buffer.alloc(0);
  #wanted: Wanted | undefined;

  constructor(gateway: GatewayProcess, vm: string, options: RfbOptions = {}) {
    const { token = gateway.token ?? '', query = '', display = 'default', protocols = ['binary'] } = options;
    const url = `${gateway.url.replace('http', 'ws')}/v1/vms/${vm}/displays/${display}/rfb${query}`;
    this.socket = new WebSocket(url, [...protocols, `bearer.${token}`]);
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    // The status of a refused upgrade.
    this.socket.on('error', () => undefined);
    this.socket.on('message', (data: Buffer) => this.#receive(data));
    void this.closed.then(({ code, reason }) => this.#wanted?.reject(new Error(`closed with ${code} ${reason}`)));
  }

  /** Waits until messages are taken. @returns the size of the screen */
  async handshake(): Promise<{ width: number; height: number }> {
    await this.#read(version.length);
    this.send(version);
    const [count = 0] = await this.#read(1);
    await this.#read(count);
    this.send(Buffer.of(1));
    await this.#read(4);
    // Wants it for itself alone.
    this.send(Buffer.of(0));
    const init = await this.#read(24);
    await this.#read(init.readUInt32BE(20));
    return { width: init.readUInt16BE(0), height: init.readUInt16BE(2) };
  }

  /** Raw rectangles, and one request of the whole screen. */
  async look(): Promise<void> {
    const { width, height } = await this.handshake();
    const request = Buffer.from([3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    request.writeUInt16BE(width, 6);
    request.writeUInt16BE(height, 8);
    this.send(Buffer.concat([Buffer.of(2, 0, 0, 1, 0, 0, 0, 0), request]));
    await this.#read(4);
  }

  send(bytes: Buffer): void {
    this.socket.send(bytes);
  }

  type(text: string): void {
    for (const character of text)
      for (const down of [1, 0]) this.send(Buffer.from([4, down, 0, 0, 0, 0, 0, character.charCodeAt(0)]));
  }

  async #read(length: number): Promise<Buffer> {
    let late: NodeJS.Timeout | undefined;
    try {
      return await new Promise((resolve, reject) => {
        late = setTimeout(
          () => reject(new Error(`no ${length} bytes of RFB: ${this.#unread.length} of ${this.bytes} are unread`)),
          deadlineMs,
        );
        this.#wanted = { length, resolve, reject };
        this.#give();
      });
    } finally {
      clearTimeout(late);
    }
  }

  #receive(data: Buffer): void {
    this.bytes += data.length;
    this.#unread = Buffer.concat([this.#unread, data]);
    this.#give();
  }

  #give(): void {
    const wanted = this.#wanted;
    if (wanted === undefined || this.#unread.length < wanted.length) return;
    this.#wanted = undefined;
    const bytes = this.#unread.subarray(0, wanted.length);
    this.#unread = this.#unread.subarray(wanted.length);
    wanted.resolve(bytes);
  }
}
