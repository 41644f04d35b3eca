import { WebSocket } from 'ws';

export interface DisplayReaderOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** It asks for the next picture when it has one, as browsers do; otherwise it only counts what comes. */
  readonly asks?: boolean;
}

/** What a client says, and after how many bytes of the server: version, no password, shared. */
const answers: readonly (readonly [number, Buffer])[] = [
  [12, Buffer.from('RFB 003.008\n')],
  [14, Buffer.of(1)],
  [18, Buffer.of(1)],
];
const initBytes = 24;
const rawEncoding = Buffer.from([2, 0, 0, 1, 0, 0, 0, 0]);

/** A client of a display: counts bytes, and reads as much of RFB as it takes to ask for the next picture. */
export class DisplayReader {
  bytes = 0;
  updates = 0;
  readonly #answers = [...answers];
  #head: Buffer = Buffer.alloc(0);
  #request: Buffer | undefined;
  /** Of the present picture: rectangles, and bytes of the present one. */
  #rectangles = 0;
  #left = 0;
  #ready: () => void = () => undefined;

  private constructor(
    private readonly socket: WebSocket,
    private readonly asks: boolean,
  ) {}

  /** Resolves when the handshake is over. */
  static async open(url: string, { headers = {}, asks = false }: DisplayReaderOptions = {}): Promise<DisplayReader> {
    const socket = new WebSocket(url, 'binary', { headers, perMessageDeflate: false });
    const reader = new DisplayReader(socket, asks);
    await new Promise<void>((resolve, reject) => {
      reader.#ready = resolve;
      socket.once('error', reject);
      socket.once('close', (code, reason) => reject(new Error(`closed with ${code} ${reason.toString()}`)));
      socket.on('message', (data: Buffer) => reader.#receive(data));
    });
    return reader;
  }

  /** Bytes that come in this time. */
  async bytesIn(milliseconds: number): Promise<number> {
    const before = this.bytes;
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    return this.bytes - before;
  }

  close(): void {
    this.socket.terminate();
  }

  #receive(data: Buffer): void {
    this.bytes += data.length;
    if (this.#request === undefined) this.#shakeHands(data);
    else if (this.asks) this.#read(data);
  }

  #shakeHands(data: Buffer): void {
    const [next] = this.#answers;
    if (next !== undefined) {
      if (this.bytes < next[0]) return;
      this.#answers.shift();
      this.socket.send(next[1]);
      return;
    }
    this.#head = Buffer.concat([this.#head, data]);
    if (this.#head.length < initBytes || this.#head.length < initBytes + this.#head.readUInt32BE(20)) return;
    const rest = this.#head.subarray(initBytes + this.#head.readUInt32BE(20));
    const size = this.#head.subarray(0, 4);
    this.#request = Buffer.concat([Buffer.of(3, 1, 0, 0, 0, 0), size]);
    this.#head = Buffer.alloc(0);
    this.socket.send(rawEncoding);
    if (this.asks) this.socket.send(Buffer.concat([Buffer.of(3, 0, 0, 0, 0, 0), size]));
    this.#ready();
    if (this.asks && rest.length > 0) this.#read(rest);
  }

  /** Passes over raw rectangles. */
  #read(data: Buffer): void {
    let at = 0;
    while (at < data.length) {
      if (this.#left > 0) {
        const passed = Math.min(this.#left, data.length - at);
        this.#left -= passed;
        at += passed;
        if (this.#left === 0) this.#rectangleEnds();
        continue;
      }
      const wanted = this.#rectangles > 0 ? 12 : 4;
      const taken = data.subarray(at, at + wanted - this.#head.length);
      this.#head = Buffer.concat([this.#head, taken]);
      at += taken.length;
      if (this.#head.length < wanted) return;
      if (this.#rectangles > 0) this.#left = this.#head.readUInt16BE(4) * this.#head.readUInt16BE(6) * 4;
      else this.#rectangles = this.#head.readUInt16BE(2);
      this.#head = Buffer.alloc(0);
    }
  }

  #rectangleEnds(): void {
    if (--this.#rectangles > 0) return;
    this.updates++;
    if (this.#request !== undefined) this.socket.send(this.#request);
  }
}
