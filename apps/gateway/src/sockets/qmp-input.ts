const tab = 0x09;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const space = 0x20;
const quote = 0x22;
const backslash = 0x5c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** One top-level value, not yet looked into; undefined stands for bytes that cut one short. */
export type QmpInputValue = Buffer | undefined;

/**
 * Cuts a client's byte stream into top-level JSON values, as a QMP server does: line breaks delimit nothing, a value
 * may come in any number of pieces. A byte 0x00, 0x01 or 0xFF ends a half-read value, so that a client can start
 * afresh (QMP specification, "forcing the JSON parser into known-good state").
 */
export class QmpInput {
  #pieces: Buffer[] = [];
  #heldBytes = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** Inside a value that is neither object nor array; it ends before whatever can't belong to it. */
  #inScalar = false;

  /** Bytes of a value that is not complete. */
  get held(): number {
    return this.#heldBytes;
  }

  push(chunk: Buffer): QmpInputValue[] {
    const values: QmpInputValue[] = [];
    let start = this.#isInside ? 0 : -1;
    const finish = (end: number): void => {
      values.push(this.#take(chunk.subarray(start, end)));
      start = -1;
    };
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (byte === 0xff || byte <= 0x01) {
        this.#take(chunk.subarray(0, 0));
        values.push(undefined);
        start = -1;
      } else if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === backslash) this.#escaped = true;
        else if (byte === quote) {
          this.#inString = false;
          if (this.#depth === 0) finish(at + 1);
        }
      } else if (byte === tab || byte === lineFeed || byte === carriageReturn || byte === space) {
        if (this.#inScalar) finish(at);
      } else {
        const opens = byte === openBrace || byte === openBracket;
        if (this.#inScalar && (opens || byte === quote)) finish(at);
        if (start < 0) start = at;
        if (byte === quote) this.#inString = true;
        else if (opens) this.#depth++;
        else if (byte === closeBrace || byte === closeBracket) {
          if (this.#depth > 0) this.#depth--;
          if (this.#depth === 0) finish(at + 1);
        } else if (this.#depth === 0) this.#inScalar = true;
      }
    }
    if (start >= 0) {
      this.#pieces.push(chunk.subarray(start));
      this.#heldBytes += chunk.length - start;
    }
    return values;
  }

  get #isInside(): boolean {
    return this.#depth > 0 || this.#inString || this.#inScalar;
  }

  #take(last: Buffer): Buffer {
    const value = this.#pieces.length === 0 ? last : Buffer.concat([...this.#pieces, last]);
    this.#pieces = [];
    this.#heldBytes = 0;
    this.#depth = 0;
    this.#inString = this.#escaped = this.#inScalar = false;
    return value;
  }
}
