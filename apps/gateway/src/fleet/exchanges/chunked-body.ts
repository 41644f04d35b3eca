/** A line of a chunked body is not longer than that, nor are all trailers together. */
const mostLineBytes = 16 * 1024;
const endOfLine = Buffer.from('\r\n', 'latin1');

/**
 * Reads a body in chunks (RFC 9112 section 7.1), as an owner sends one that has trailers: any other comes as it is, as its
 * end is told beside it.
 */
export class ChunkedBody {
  /** Names and values in turn, once the body has ended. */
  readonly trailers: [string, string][] = [];
  #rest: Buffer = Buffer.alloc(0);
  /** Bytes of the present chunk that are to come; its end of line follows. */
  #left = 0;
  #expects: 'size' | 'bytes' | 'end of chunk' | 'trailer' | 'nothing' = 'size';

  /** Whether all of it was read. */
  get isWhole(): boolean {
    return this.#expects === 'nothing';
  }

  /** @returns the bytes of the body among these. @throws Error for what is no chunked body */
  read(bytes: Uint8Array): Buffer {
    const found: Buffer[] = [];
    this.#rest = Buffer.concat([this.#rest, bytes]);
    while (this.#step(found));
    return Buffer.concat(found);
  }

  /** @returns false when more has to come first */
  #step(found: Buffer[]): boolean {
    if (this.#expects === 'nothing') return false;
    if (this.#expects === 'bytes') {
      const taken = this.#rest.subarray(0, this.#left);
      this.#rest = this.#rest.subarray(taken.length);
      this.#left -= taken.length;
      found.push(taken);
      if (this.#left === 0) this.#expects = 'end of chunk';
      return this.#left === 0;
    }
    const line = this.#takeLine();
    if (line === undefined) return false;
    this.#line(line);
    return true;
  }

  #line(line: string): void {
    if (this.#expects === 'size') {
      const [size = ''] = line.split(';');
      if (!/^[\da-f]{1,8}$/i.test(size)) throw new Error('this is no size of a chunk');
      this.#left = parseInt(size, 16);
      this.#expects = this.#left === 0 ? 'trailer' : 'bytes';
    } else if (this.#expects === 'end of chunk') {
      if (line !== '') throw new Error('a chunk is longer than its size');
      this.#expects = 'size';
    } else if (line === '') this.#expects = 'nothing';
    else {
      const colon = line.indexOf(':');
      if (colon < 1) throw new Error('this is no trailer');
      this.trailers.push([line.slice(0, colon), line.slice(colon + 1).trim()]);
    }
  }

  #takeLine(): string | undefined {
    const end = this.#rest.indexOf(endOfLine);
    if (end < 0) {
      if (this.#rest.length > mostLineBytes) throw new Error('a line of a chunked body has no end');
      return undefined;
    }
    const line = this.#rest.toString('latin1', 0, end);
    this.#rest = this.#rest.subarray(end + endOfLine.length);
    return line;
  }
}
