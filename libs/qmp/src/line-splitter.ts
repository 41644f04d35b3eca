/** Receives lines without their line end; the bytes are valid only during the call unless `owned`. */
export interface LineSink {
  /** `owned`: the buffer is used for nothing else afterwards and may be kept. */
  line(buffer: Buffer, start: number, end: number, owned: boolean): void;
  /** A line went over the limit; the rest of it is discarded. */
  overlong(): void;
}

const newline = 0x0a;
const carriageReturn = 0x0d;

/** Pieces from this size on are kept as they came; smaller ones are copied together into blocks. */
const keptBytes = 16 * 1024;
const blockBytes = 64 * 1024;

/**
 * Splits a byte stream into lines, one object for the life of a connection. Only new bytes are searched, and a line that
 * comes in pieces is put together once, at its end, so the cost stays linear however it is cut.
 */
export class LineSplitter {
  readonly #sink: LineSink;
  readonly #limit: number;
  /** The unfinished line: whole pieces, then a block that is being filled. */
  #pieces: Buffer[] = [];
  #block: Buffer | null = null;
  #blockLength = 0;
  #length = 0;
  #discarding = false;
  #stopped = false;

  /** @param limit bytes of the longest line, line end excluded. */
  constructor(sink: LineSink, limit: number) {
    this.#sink = sink;
    this.#limit = limit;
  }

  /**
   * Takes the next bytes; they must not be reused, as those of a socket are not.
   * @param lines where to stop: after so many lines of this chunk
   * @returns how much of it was taken
   */
  feed(chunk: Buffer, lines = Infinity): number {
    let start = 0;
    let left = lines;
    while (start < chunk.length && !this.#stopped) {
      const found = chunk.indexOf(newline, start);
      if (found < 0) {
        this.#keep(chunk, start, chunk.length);
        break;
      }
      if (this.#discarding) {
        this.#discarding = false;
      } else if (this.#length > 0) {
        this.#keep(chunk, start, found);
        this.#finishLine();
      } else if (found - start > this.#limit + 1) {
        this.#sink.overlong();
      } else {
        this.#emit(chunk, start, found, false);
      }
      start = found + 1;
      if (--left === 0) return start;
    }
    return chunk.length;
  }

  /** Bytes of the unfinished line held so far. */
  get pending(): number {
    return this.#length;
  }

  /** No further call of the sink, also when called by it. */
  stop(): void {
    this.#stopped = true;
    this.#forget();
  }

  #keep(chunk: Buffer, start: number, end: number): void {
    if (this.#discarding) return;
    const length = this.#length + end - start;
    // One byte more than the limit, for a carriage return whose newline is still to come.
    if (length > this.#limit + 1) {
      this.#forget();
      this.#discarding = true;
      this.#sink.overlong();
      return;
    }
    this.#length = length;
    if (end - start >= keptBytes) {
      this.#sealBlock();
      this.#pieces.push(chunk.subarray(start, end));
      return;
    }
    while (start < end) {
      this.#block ??= Buffer.allocUnsafeSlow(blockBytes);
      const copied = chunk.copy(this.#block, this.#blockLength, start, end);
      this.#blockLength += copied;
      start += copied;
      if (this.#blockLength === blockBytes) this.#sealBlock();
    }
  }

  #sealBlock(): void {
    if (this.#block !== null) this.#pieces.push(this.#block.subarray(0, this.#blockLength));
    this.#block = null;
    this.#blockLength = 0;
  }

  #forget(): void {
    this.#pieces = [];
    this.#block = null;
    this.#blockLength = 0;
    this.#length = 0;
  }

  #finishLine(): void {
    // It went over the limit with its last piece.
    if (this.#discarding) {
      this.#discarding = false;
      return;
    }
    this.#sealBlock();
    const line = Buffer.allocUnsafeSlow(this.#length);
    let at = 0;
    for (const piece of this.#pieces) at += piece.copy(line, at);
    this.#forget();
    this.#emit(line, 0, at, true);
  }

  #emit(buffer: Buffer, start: number, end: number, owned: boolean): void {
    if (end > start && buffer[end - 1] === carriageReturn) end--;
    if (end - start > this.#limit) this.#sink.overlong();
    else if (end > start) this.#sink.line(buffer, start, end, owned);
  }
}
