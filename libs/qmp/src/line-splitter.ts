/** Receives lines without their line end; the bytes are valid only during the call unless `owned`. */
export interface LineSink {
  /** `owned`: the buffer is used for nothing else afterwards and may be kept. */
  line(buffer: Buffer, start: number, end: number, owned: boolean): void;
  /** A line went over the limit; the rest of it is discarded. */
  overlong(): void;
}

const newline = 0x0a;
const carriageReturn = 0x0d;

/**
 * Splits a byte stream into lines, one object for the life of a connection. Only new bytes are searched; a line that
 * comes in pieces is gathered in a buffer that grows by doubling, so the cost stays linear however it is cut.
 */
export class LineSplitter {
  readonly #sink: LineSink;
  readonly #limit: number;
  #partial: Buffer | null = null;
  #length = 0;
  #discarding = false;
  #stopped = false;

  /** @param limit bytes of the longest line, line end excluded. */
  constructor(sink: LineSink, limit: number) {
    this.#sink = sink;
    this.#limit = limit;
  }

  /** Takes the next bytes; they may be reused after the call. */
  feed(chunk: Buffer): void {
    let start = 0;
    while (start < chunk.length && !this.#stopped) {
      const found = chunk.indexOf(newline, start);
      if (found < 0) {
        this.#keep(chunk, start, chunk.length);
        return;
      }
      if (this.#discarding) {
        this.#discarding = false;
      } else if (this.#partial !== null) {
        this.#keep(chunk, start, found);
        this.#finishPartial();
      } else if (found - start > this.#limit + 1) {
        this.#sink.overlong();
      } else {
        this.#emit(chunk, start, found, false);
      }
      start = found + 1;
    }
  }

  /** Bytes of the unfinished line held so far. */
  get pending(): number {
    return this.#length;
  }

  /** No further call of the sink, also when called by it. */
  stop(): void {
    this.#stopped = true;
    this.#partial = null;
    this.#length = 0;
  }

  #keep(chunk: Buffer, start: number, end: number): void {
    if (this.#discarding) return;
    const length = this.#length + end - start;
    // One byte more than the limit, for a carriage return whose newline is still to come.
    if (length > this.#limit + 1) {
      this.#partial = null;
      this.#length = 0;
      this.#discarding = true;
      this.#sink.overlong();
      return;
    }
    if (this.#partial === null || this.#partial.length < length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(length, Math.min(length * 2, this.#limit + 1), 256));
      this.#partial?.copy(grown, 0, 0, this.#length);
      this.#partial = grown;
    }
    chunk.copy(this.#partial, this.#length, start, end);
    this.#length = length;
  }

  #finishPartial(): void {
    const partial = this.#partial;
    if (partial === null) {
      this.#discarding = false;
      return;
    }
    const length = this.#length;
    this.#partial = null;
    this.#length = 0;
    this.#emit(partial, 0, length, true);
  }

  #emit(buffer: Buffer, start: number, end: number, owned: boolean): void {
    if (end > start && buffer[end - 1] === carriageReturn) end--;
    if (end - start > this.#limit) this.#sink.overlong();
    else if (end > start) this.#sink.line(buffer, start, end, owned);
  }
}
