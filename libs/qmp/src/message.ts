import { skipSpace, skipString, skipValue } from './json-scan.js';

/** The messages of a server: QEMU's docs/interop/qmp-spec, section "Protocol Specification". */
export type MessageKind = 'greeting' | 'event' | 'return' | 'error';

const messageKinds: readonly MessageKind[] = ['event', 'return', 'error', 'greeting'];

/** A part of a line: [start, end). `start` is -1 when the member is absent. */
export interface Span {
  start: number;
  end: number;
}

/**
 * The top-level members of one server message, as spans of the line. Nothing is decoded, so that readers get values as
 * the server wrote them. Members may come in any order and spacing; unknown members are ignored.
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
   * Scans the message that starts at `at`. The spans are valid until the next scan.
   * @returns its kind, or null if it is not a JSON object, is malformed, or is not exactly one of the four kinds.
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

/** Values of up to this size are checked to be JSON before they are passed on; checking 1 MiB takes about 2 ms. */
export const checkedBytes = 1024 * 1024;

/** Whether these bytes are there, as ASCII. */
export function matches(line: Buffer, at: number, text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (line[at + index] !== text.charCodeAt(index)) return false;
  }
  return true;
}
