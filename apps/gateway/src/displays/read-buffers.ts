import type { OnReadOpts } from 'node:net';

const bufferBytes = 64 * 1024;
/** Smaller pieces are copied: they would hold a buffer each. */
const leastKept = bufferBytes / 4;
/** Buffers that wait for their next use. */
const mostSpare = 8;

/** @param release the piece is not needed any more; called once */
export type Reader = (piece: Buffer, release: () => void) => void;

/**
 * The memory that a socket's bytes are read into, used over and over: a buffer for each read would be a gigabyte of
 * garbage in some seconds of a busy display.
 */
export class ReadBuffers {
  readonly #spare: Buffer[] = [];
  #current: Buffer = Buffer.allocUnsafe(bufferBytes);
  #reader: Reader = () => undefined;

  /** Option of the socket, which must be paused until there is a reader. */
  get onread(): OnReadOpts {
    return {
      buffer: () => this.#current,
      callback: (length) => {
        this.#read(length);
        return true;
      },
    };
  }

  /** @param reader gets every piece from now on */
  readBy(reader: Reader): void {
    this.#reader = reader;
  }

  #read(length: number): void {
    const full = this.#current;
    if (length < leastKept) {
      this.#reader(Buffer.from(full.subarray(0, length)), () => undefined);
      return;
    }
    this.#current = this.#spare.pop() ?? Buffer.allocUnsafe(bufferBytes);
    this.#reader(full.subarray(0, length), () => {
      if (this.#spare.length < mostSpare) this.#spare.push(full);
    });
  }
}
