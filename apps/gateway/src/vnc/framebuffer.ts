import type { Clock } from '@qmp-gateway/qmp';
import type { Socket } from 'node:net';
import { RfbFault } from './rfb-fault.js';
import { initBytes, isVersion, rfbVersion, security, textLength } from './rfb-handshake.js';
import { StepReader, type Steps } from './step-reader.js';

/** A picture of a display: rows from the top, three bytes for each pixel, red, green, blue. */
export interface Framebuffer {
  readonly width: number;
  readonly height: number;
  readonly rgb: Buffer;
}

/** 8K; each pixel takes four bytes on the wire. */
const mostPixels = 7680 * 4320;
/** Updates and resizes until a whole picture is there. */
const mostMessages = 64;
/** Each new size is new memory; a guest that changes its mode does so a few times. */
const mostSizes = 16;
const encodings = { raw: 0, desktopSize: -223 } as const;

/** 32 bits a pixel, little endian: blue, green, red, nothing. */
const pixelFormat = Buffer.from([0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]);

/**
 * Reads one whole picture of a display without a password over RFB 3.8 (RFC 6143), and ends the connection. Others who
 * look are not disturbed.
 * @throws RfbFault when it is no RFB, wants a password, or has no end. @throws Error when the connection or the time ends
 */
export function readFramebuffer(socket: Socket, milliseconds: number, clock: Clock): Promise<Framebuffer> {
  const reader = new StepReader(pictureSteps());
  return new Promise<Framebuffer>((resolve, reject) => {
    const fail = (error: unknown): void => reject(error);
    const late = clock.schedule(milliseconds, () => fail(new Error('no picture in time')));
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const bytes of reader.push(chunk)) socket.write(bytes);
        if (reader.result !== undefined) resolve(reader.result);
      } catch (error) {
        fail(error);
      }
    });
    socket.resume();
    socket.once('close', () => {
      late.cancel();
      fail(new Error('the VM closed its display'));
    });
  }).finally(() => socket.destroy());
}

function* pictureSteps(): Steps<Framebuffer> {
  const canvas = yield* handshake();
  yield { send: Buffer.concat([pixelFormat, encodingsMessage(), canvas.request()]) };
  for (let count = 0; count < mostMessages; count++) {
    const [type] = yield 1;
    if (type === 0) yield* update(canvas);
    else if (type === 2) continue;
    else if (type === 3) yield textLength((yield 7).readUInt32BE(3));
    else throw new RfbFault(`the VM sent a message of unknown type ${type ?? 'none'}`);
    if (canvas.isWhole) return canvas.picture;
    if (canvas.isNew) yield { send: canvas.request() };
  }
  throw new RfbFault('the VM never sent a whole picture');
}

function* handshake(): Steps<Canvas> {
  if (!isVersion(yield rfbVersion.length)) throw new RfbFault('the VM does not speak RFB 3.8 there');
  yield { send: rfbVersion };
  const [count = 0] = yield 1;
  const offered = yield count;
  if (!offered.includes(security.none)) throw new RfbFault('the display wants a password');
  yield { send: Buffer.of(security.none) };
  if ((yield 4).readUInt32BE() !== 0) throw new RfbFault('the VM refused the gateway');
  // Shared: nobody is shut out.
  yield { send: Buffer.of(1) };
  const init = yield initBytes;
  yield textLength(init.readUInt32BE(initBytes - 4));
  return new Canvas(init.readUInt16BE(0), init.readUInt16BE(2));
}

/** Reads until the picture is whole: what is drawn over it would never end. */
function* update(canvas: Canvas): Steps<void> {
  const rectangles = (yield 3).readUInt16BE(1);
  for (let at = 0; at < rectangles && !canvas.isWhole; at++) {
    const head = yield 12;
    const [x, y, width, height] = [0, 2, 4, 6].map((offset) => head.readUInt16BE(offset)) as [
      ...[number, number, number, number],
    ];
    const encoding = head.readInt32BE(8);
    if (encoding === encodings.desktopSize) canvas.resize(width, height);
    else if (encoding !== encodings.raw)
      throw new RfbFault(`the VM used encoding ${encoding}, which was not asked for`);
    else {
      canvas.check(x, y, width, height);
      canvas.draw({ x, y, width, height }, yield width * height * 4);
    }
  }
}

function encodingsMessage(): Buffer {
  const list = Object.values(encodings);
  const message = Buffer.alloc(4 + list.length * 4);
  message[0] = 2;
  message.writeUInt16BE(list.length, 2);
  list.forEach((encoding, at) => message.writeInt32BE(encoding, 4 + at * 4));
  return message;
}

/** A picture that comes in rectangles. */
class Canvas {
  #rgb: Buffer = Buffer.alloc(0);
  #drawn = 0;
  #isNew = false;
  #sizes = 0;

  constructor(
    private width: number,
    private height: number,
  ) {
    this.resize(width, height);
  }

  /** All pixels have been sent, if none was sent twice: an answer to one request has no pixel twice. */
  get isWhole(): boolean {
    return this.#drawn >= this.width * this.height;
  }

  /** Nothing was asked for in this size. */
  get isNew(): boolean {
    return this.#isNew;
  }

  get picture(): Framebuffer {
    return { width: this.width, height: this.height, rgb: this.#rgb };
  }

  resize(width: number, height: number): void {
    if (width === 0 || height === 0 || width * height > mostPixels)
      throw new RfbFault(`the VM has a display of ${width} × ${height} pixels`);
    if (++this.#sizes > mostSizes) throw new RfbFault('the VM changes the size of its display without end');
    this.width = width;
    this.height = height;
    this.#rgb = Buffer.alloc(0);
    this.#drawn = 0;
    this.#isNew = true;
  }

  /** Asks for all of it. */
  request(): Buffer {
    this.#isNew = false;
    const message = Buffer.alloc(10);
    message[0] = 3;
    message.writeUInt16BE(this.width, 6);
    message.writeUInt16BE(this.height, 8);
    return message;
  }

  check(x: number, y: number, width: number, height: number): void {
    if (x + width > this.width || y + height > this.height) throw new RfbFault('the VM drew outside its display');
  }

  draw({ x, y, width, height }: Rectangle, pixels: Buffer): void {
    // Not before: a size costs a server 12 bytes.
    if (this.#rgb.length === 0) this.#rgb = Buffer.alloc(this.width * this.height * 3);
    for (let row = 0; row < height; row++) {
      let to = ((y + row) * this.width + x) * 3;
      for (let from = row * width * 4, end = from + width * 4; from < end; from += 4) {
        this.#rgb[to++] = pixels[from + 2] as number;
        this.#rgb[to++] = pixels[from + 1] as number;
        this.#rgb[to++] = pixels[from] as number;
      }
    }
    this.#drawn += width * height;
  }
}

interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}
