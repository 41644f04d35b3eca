import { broken, numberAfter, over, type NumberState } from './qmp-number.js';
import { inDoubleQuotes } from './qmp-quotes.js';

const space = 0x20;
const tab = 0x09;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const doubleQuote = 0x22;
const singleQuote = 0x27;
const comma = 0x2c;
const colon = 0x3a;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** A byte at this offset of the stream that belongs to no token. The part of a value before it is lost with it. */
export class StrayByte {
  constructor(readonly byte: number) {}
}

/** The text of one top-level value; only the balance of its brackets is checked. */
export type QmpInputValue = Buffer | StrayByte;

/**
 * Splits a client's byte stream into top-level JSON values, as a QMP server does: line breaks delimit nothing, a value
 * may come in any number of pieces, and input that is not JSON costs one value and not the connection. QEMU reads
 * tokens: at a byte that continues no token it drops the unfinished value, skips to the next bracket, comma, colon or
 * control byte other than a tab, and starts again there. A client that sends 0xFF first is sure to be understood (QMP
 * specification, "forcing the JSON parser into known-good state"). Input that QEMU accepts beyond JSON comes out as
 * JSON.
 */
export class QmpInput {
  #pieces: Buffer[] = [];
  #heldBytes = 0;
  #braces = 0;
  #brackets = 0;
  /** The token of the last byte; undefined between tokens. */
  #token: 'string' | 'escape' | 'word' | 'number' | 'skipped' | undefined;
  #number: NumberState = 0;
  #quote = doubleQuote;
  /** The value has single quotes, or an escaped one. */
  #isForeign = false;

  /** Bytes of an incomplete value. */
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
      switch (this.#step(byte)) {
        case 'begins':
          if (start < 0) start = at;
          break;
        case 'ends-before':
          if (this.#isTopLevel) finish(at--);
          else at--;
          break;
        case 'ends-with':
          if (this.#isTopLevel) finish(at + 1);
          break;
        case 'misplaced':
          values.push(new StrayByte(byte));
          break;
        case 'stray':
          this.#take(chunk.subarray(0, 0));
          this.#token = 'skipped';
          start = -1;
          values.push(new StrayByte(byte));
          break;
        case 'again':
          at--;
      }
    }
    if (start >= 0) {
      this.#pieces.push(chunk.subarray(start));
      this.#heldBytes += chunk.length - start;
    }
    return values;
  }

  /** The effect of a byte on the current token; `again`: process the byte again, with no token before it. */
  #step(byte: number): 'begins' | 'goes-on' | 'ends-before' | 'ends-with' | 'misplaced' | 'stray' | 'again' {
    switch (this.#token) {
      case 'string':
        if (byte === this.#quote) return this.#end('ends-with');
        if (byte === backslash) this.#token = 'escape';
        return isInString(byte) ? 'goes-on' : 'stray';
      case 'escape':
        this.#token = 'string';
        if (byte === singleQuote) this.#isForeign = true;
        return isInString(byte) ? 'goes-on' : 'stray';
      case 'word':
        return isLetter(byte) ? 'goes-on' : this.#end('ends-before');
      case 'skipped':
        return isSkipped(byte) ? 'goes-on' : this.#end('again');
      case 'number':
        this.#number = numberAfter(this.#number, byte);
        if (this.#number === over) return this.#end('ends-before');
        return this.#number === broken ? 'stray' : 'goes-on';
      case undefined:
        return this.#begin(byte);
    }
  }

  #begin(byte: number): 'begins' | 'goes-on' | 'ends-with' | 'misplaced' | 'stray' {
    switch (byte) {
      case space:
      case tab:
      case lineFeed:
      case carriageReturn:
        return 'goes-on';
      case openBrace:
        this.#braces++;
        return 'begins';
      case openBracket:
        this.#brackets++;
        return 'begins';
      case closeBrace:
        if (!this.#isOpen) return 'misplaced';
        this.#braces--;
        return 'ends-with';
      case closeBracket:
        if (!this.#isOpen) return 'misplaced';
        this.#brackets--;
        return 'ends-with';
      case comma:
      case colon:
        return this.#isOpen ? 'goes-on' : 'misplaced';
      case doubleQuote:
      case singleQuote:
        this.#token = 'string';
        this.#quote = byte;
        if (byte === singleQuote) this.#isForeign = true;
        return 'begins';
      default:
        this.#number = numberAfter(0, byte);
        this.#token = isLetter(byte) ? 'word' : 'number';
        return this.#token === 'number' && this.#number === 0 ? 'stray' : 'begins';
    }
  }

  #end<T>(how: T): T {
    this.#token = undefined;
    return how;
  }

  get #isInside(): boolean {
    return this.#heldBytes > 0;
  }

  get #isOpen(): boolean {
    return this.#braces + this.#brackets > 0;
  }

  /** No bracket is open, or one was closed that was not open. */
  get #isTopLevel(): boolean {
    return this.#braces < 0 || this.#brackets < 0 || !this.#isOpen;
  }

  #take(last: Buffer): Buffer {
    const value = this.#pieces.length === 0 ? last : Buffer.concat([...this.#pieces, last]);
    const isForeign = this.#isForeign;
    this.#pieces = [];
    this.#heldBytes = 0;
    this.#braces = this.#brackets = 0;
    this.#token = undefined;
    this.#isForeign = false;
    return isForeign ? inDoubleQuotes(value) : value;
  }
}

const isLetter = (byte: number): boolean => byte >= 0x61 && byte <= 0x7a;

/** UTF-8 is checked when the value is complete. */
const isInString = (byte: number): boolean => byte >= space && byte < 0xfe;

const structure = new Set([openBrace, closeBrace, openBracket, closeBracket, comma, colon]);

const isSkipped = (byte: number): boolean => byte === tab || (isInString(byte) && !structure.has(byte));
