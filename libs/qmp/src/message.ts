import { isDigit, skipSpace, skipString, skipValue } from './json-scan.js';

/** What a server can say: QEMU's docs/interop/qmp-spec, section "Protocol Specification". */
export type MessageKind = 'greeting' | 'event' | 'return' | 'error';

const messageKinds: readonly MessageKind[] = ['event', 'return', 'error', 'greeting'];

/** A part of a line: [start, end). `start` is -1 when the member is absent. */
export interface Span {
  start: number;
  end: number;
}

/**
 * The top-level members of one server message, as spans of the line: nothing is decoded, so that values reach their
 * reader as the server wrote them. Members may come in any order and spacing; members QMP does not know are ignored.
 */
export class MessageScanner {
  readonly event: Span = { start: -1, end: -1 };
  readonly data: Span = { start: -1, end: -1 };
  readonly timestamp: Span = { start: -1, end: -1 };
  readonly return: Span = { start: -1, end: -1 };
  readonly error: Span = { start: -1, end: -1 };
  readonly id: Span = { start: -1, end: -1 };
  readonly greeting: Span = { start: -1, end: -1 };
  /** Index just past the message. */
  end = 0;

  /**
   * Scans the message that starts at `at`. The spans hold until the next scan.
   * @returns its kind, or null when it is no JSON object, malformed, or not exactly one of the four kinds.
   */
  scan(line: Buffer, at: number, end: number): MessageKind | null {
    this.event.start = this.data.start = this.timestamp.start = -1;
    this.return.start = this.error.start = this.id.start = this.greeting.start = -1;
    if (line[at] !== 0x7b || !this.#members(line, at + 1, end)) return null;
    let kind: MessageKind | null = null;
    for (const candidate of messageKinds) {
      if (this[candidate].start < 0) continue;
      if (kind !== null) return null;
      kind = candidate;
    }
    return kind;
  }

  #members(line: Buffer, at: number, end: number): boolean {
    at = skipSpace(line, at, end);
    if (at < end && line[at] === 0x7d) return this.#finish(at + 1);
    for (;;) {
      const key = at;
      at = skipString(line, at, end);
      if (at < 0) return false;
      const span = this.#spanOf(line, key + 1, at - 1);
      at = skipSpace(line, at, end);
      if (at >= end || line[at] !== 0x3a) return false;
      const value = skipSpace(line, at + 1, end);
      if (value >= end) return false;
      at = skipValue(line, value, end);
      if (at < 0) return false;
      if (span !== null) {
        if (span.start >= 0) return false;
        span.start = value;
        span.end = at;
      }
      at = skipSpace(line, at, end);
      if (at >= end) return false;
      if (line[at] === 0x7d) return this.#finish(at + 1);
      if (line[at] !== 0x2c) return false;
      at = skipSpace(line, at + 1, end);
    }
  }

  #finish(end: number): true {
    this.end = end;
    return true;
  }

  #spanOf(line: Buffer, start: number, end: number): Span | null {
    switch (end - start) {
      case 2:
        return matches(line, start, 'id') ? this.id : null;
      case 3:
        return matches(line, start, 'QMP') ? this.greeting : null;
      case 4:
        return matches(line, start, 'data') ? this.data : null;
      case 5:
        if (matches(line, start, 'event')) return this.event;
        return matches(line, start, 'error') ? this.error : null;
      case 6:
        return matches(line, start, 'return') ? this.return : null;
      case 9:
        return matches(line, start, 'timestamp') ? this.timestamp : null;
      default:
        return null;
    }
  }
}

/** Values up to this size are checked to be JSON before they are passed on; checking 1 MiB takes about 2 ms. */
export const checkedBytes = 1024 * 1024;

/** `{"return":` … `"id": "n-0"}`, the shortest text around a value. */
const shortest = '{"return":0,"id":"-0"}'.length;

/**
 * Message ids of one connection, `<nonce>-<n>`: a reply to a former client can reach us on the same socket, and a
 * client that counted from 1 would take it for its own.
 */
export class MessageIds {
  readonly nonce: string;
  readonly #prefix: string;
  /** After `cutReturn`: the number and the value's span. */
  number = -1;
  readonly value: Span = { start: -1, end: -1 };

  constructor(nonce: string) {
    this.nonce = nonce;
    this.#prefix = `"${nonce}-`;
  }

  /** The id member of message `n`, as JSON text. */
  text(n: number): string {
    return `${this.#prefix}${n}"`;
  }

  /** The number of an id given as JSON text, or -1 when it is none of ours. */
  read(line: Buffer, start: number, end: number): number {
    const digits = start + this.#prefix.length;
    if (line[end - 1] !== 0x22 || digits >= end - 1 || !matches(line, start, this.#prefix)) return -1;
    let number = 0;
    for (let at = digits; at < end - 1; at++) {
      const byte = line[at] as number;
      if (!isDigit(byte)) return -1;
      number = number * 10 + (byte - 0x30);
    }
    return Number.isSafeInteger(number) ? number : -1;
  }

  /**
   * Cuts a success reply of the shape servers write, `{"return": VALUE, "id": "<nonce>-<n>"}`, from both ends: the
   * value is not walked through unless it is small enough to be checked.
   * @returns whether the line has that shape, an id of ours, and (up to 1 MiB) a well-formed value.
   */
  cutReturn(line: Buffer, start: number, end: number): boolean {
    if (end - start < shortest || !matches(line, start, '{"return":')) return false;
    let at = end - 1;
    if (line[at] !== 0x7d || line[at - 1] !== 0x22) return false;
    const idEnd = at;
    at -= 2;
    while (isDigit(line[at])) at--;
    const idStart = at - this.#prefix.length + 1;
    if (idStart <= start) return false;
    this.number = this.read(line, idStart, idEnd);
    if (this.number < 0) return false;
    at = line[idStart - 1] === 0x20 ? idStart - 2 : idStart - 1;
    if (line[at] !== 0x3a || !matches(line, at - 4, '"id"')) return false;
    at -= 5;
    if (line[at] === 0x20) at--;
    if (line[at] !== 0x2c) return false;
    const valueStart = start + 10 + (line[start + 10] === 0x20 ? 1 : 0);
    if (valueStart >= at) return false;
    if (at - valueStart <= checkedBytes && skipValue(line, valueStart, at) !== at) return false;
    this.value.start = valueStart;
    this.value.end = at;
    return true;
  }

  /** The number of the first id of ours in these bytes, or -1. */
  find(bytes: Buffer): number {
    const at = bytes.indexOf(this.#prefix);
    const end = at < 0 ? -1 : bytes.indexOf(0x22, at + this.#prefix.length);
    return end < 0 ? -1 : this.read(bytes, at, end + 1);
  }

  /** The number of our id at the very end of a line that is otherwise unintelligible, or -1. */
  readAtEnd(line: Buffer, start: number, end: number): number {
    if (line[end - 1] !== 0x7d || line[end - 2] !== 0x22) return -1;
    let at = end - 3;
    while (at > start && isDigit(line[at])) at--;
    const idStart = at - this.#prefix.length + 1;
    return idStart > start ? this.read(line, idStart, end - 1) : -1;
  }
}

function matches(line: Buffer, at: number, text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (line[at + index] !== text.charCodeAt(index)) return false;
  }
  return true;
}
