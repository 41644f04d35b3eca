/** Receives lines without their line end; the bytes are valid only during the call unless `owned`. */
export interface LineSink {
  /** `owned`: nothing else uses the buffer afterwards, so it may be kept. */
  line(buffer: Buffer, start: number, end: number, owned: boolean): void;
  /** At the end of a line over its limit, of which only the two ends were kept. */
  overlong(line: OverlongLine): void;
}

export interface OverlongLine {
  readonly limit: number;
  readonly length: number;
  /** At most {@link endBytes}: the id that tells whose line it is stands at one of the ends. */
  readonly head: Buffer;
  readonly tail: Buffer;
}

/** Bytes to keep of each end of a discarded line; one of this library's ids has up to 25. */
export const endBytes = 64;

/** Which lines within the limit are wanted. */
export interface WantedLines {
  /** Lines of up to this many bytes are always wanted. */
  readonly always: number;
  /** Bytes of the longest line wanted now; called while a line grows beyond `always`. */
  readonly now: () => number;
}

const newline = 0x0a;
const carriageReturn = 0x0d;

/** Pieces of this size and larger are kept as they came; smaller ones are copied together into blocks. */
const keptBytes = 16 * 1024;
const blockBytes = 64 * 1024;

/**
 * Splits a byte stream into lines, one object for the life of a connection. It searches only new bytes, and assembles a
 * line that arrives in pieces once, at its end, so the cost stays linear wherever the line is cut.
 */
export class LineSplitter {
  readonly #sink: LineSink;
  readonly #limit: number;
  readonly #wanted: WantedLines;
  /** The unfinished line: whole pieces, then a partly filled block. */
  #pieces: Buffer[] = [];
  #block: Buffer | null = null;
  #blockLength = 0;
  #length = 0;
  /** The kept ends of the line that is being discarded. */
  #discarded: OverlongLine | null = null;
  #stopped = false;

  /**
   * @param limit bytes of the longest line, line end excluded.
   * @param wanted absent: every line within the limit.
   */
  constructor(sink: LineSink, limit: number, wanted: WantedLines = { always: limit, now: () => limit }) {
    this.#sink = sink;
    this.#limit = limit;
    this.#wanted = wanted;
  }

  /** The limit for a line that has reached this length. */
  #limitAt(length: number): number {
    const { always, now } = this.#wanted;
    return length <= always ? this.#limit : Math.min(this.#limit, Math.max(always, now()));
  }

  /**
   * Processes the next bytes; the caller must not reuse them (a socket does not).
   * @param lines stop after this many lines of the chunk
   * @returns the number of bytes processed
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
      if (this.#discarded !== null || this.#length > 0) {
        this.#keep(chunk, start, found);
        this.#finishLine();
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

  /** Ends all calls of the sink; the sink itself may call this. */
  stop(): void {
    this.#stopped = true;
    this.#forget();
  }

  #keep(chunk: Buffer, start: number, end: number): void {
    if (this.#discarded !== null) {
      this.#discarded = longer(this.#discarded, chunk, start, end);
      return;
    }
    const length = this.#length + end - start;
    // One byte over the limit, for a carriage return whose newline has not arrived yet.
    const limit = this.#limitAt(length);
    if (length > limit + 1) {
      const head = this.#headWith(chunk, start, end);
      this.#forget();
      this.#discarded = { limit, length, head, tail: Buffer.from(chunk.subarray(start, end).subarray(-endBytes)) };
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

  /** The beginning of the unfinished line, which this chunk continues. */
  #headWith(chunk: Buffer, start: number, end: number): Buffer {
    this.#sealBlock();
    const [first = chunk.subarray(start, end), ...others] = this.#pieces;
    if (first.length >= endBytes) return Buffer.from(first.subarray(0, endBytes));
    return Buffer.concat(
      [first, ...others, chunk.subarray(start, end)].map((part) => part.subarray(0, endBytes)),
    ).subarray(0, endBytes);
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
    this.#discarded = null;
  }

  #finishLine(): void {
    const discarded = this.#discarded;
    if (discarded !== null) {
      this.#forget();
      this.#sink.overlong(withoutReturn(discarded));
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
    const limit = this.#limitAt(end - start);
    if (end - start > limit) this.#sink.overlong(overlongLine(limit, buffer, start, end));
    else if (end > start) this.#sink.line(buffer, start, end, owned);
  }
}

/** A complete line that is not wanted. */
export function overlongLine(limit: number, buffer: Buffer, start: number, end: number): OverlongLine {
  const line = buffer.subarray(start, end);
  return { limit, length: line.length, head: line.subarray(0, endBytes), tail: line.subarray(-endBytes) };
}

function longer({ limit, length, head, tail }: OverlongLine, chunk: Buffer, start: number, end: number): OverlongLine {
  const last = chunk.subarray(start, end).subarray(-endBytes);
  return { limit, length: length + end - start, head, tail: Buffer.concat([tail, last]).subarray(-endBytes) };
}

function withoutReturn(line: OverlongLine): OverlongLine {
  const { length, tail } = line;
  return tail.at(-1) === carriageReturn ? { ...line, length: length - 1, tail: tail.subarray(0, -1) } : line;
}
