import type { CommandNumbers } from './command-numbers.js';
import { isDigit, skipValue } from './json-scan.js';
import { checkedBytes, matches, type Span } from './message.js';

/** `{"return":` … `"id":0}`, the shortest text around a value. */
const shortest = '{"return":0,"id":0}'.length;

const quote = 0x22;
const space = 0x20;
const closingBrace = 0x7d;

/** A number at the beginning of a message, as QEMU begins its errors. */
const leadingNumber = /^\{\s*"id"\s*:\s*([1-9][0-9]{0,14})\s*[,}]/;

/**
 * Message ids of one connection. A reply to a former client can arrive on the same socket, with any id that this client
 * chose, so ids have two forms:
 *
 * - text, `"<nonce>-<n>"`, which no other connection can have made: at first, and for good with servers of which it is not
 *   known when the last reply to a former client has come;
 * - numbers of three digits after {@link useNumbers}: 19 bytes less to read for a server that reads byte by byte. They
 *   tell this connection's commands from each other, and no more is needed then. QEMU drops what a former client had
 *   queued, runs commands one after the other, and writes replies in that order, so all that it has left to say to a
 *   former client comes before the reply to `qmp_capabilities`, which is matched by an id of the first form.
 */
export class MessageIds {
  readonly #prefix: string;
  readonly #numbers: CommandNumbers;
  #areNumbers = false;
  #count = 0;
  /** After `cutReturn`: the number and the value's span. */
  number = -1;
  readonly value: Span = { start: -1, end: -1 };

  constructor(
    readonly nonce: string,
    numbers: CommandNumbers,
  ) {
    this.#prefix = `"${nonce}-`;
    this.#numbers = numbers;
  }

  /** From now on ids are numbers. No command with an id of the other form may be in flight. */
  useNumbers(): void {
    this.#areNumbers = true;
  }

  /** The number of the next message. */
  next(isInFlight: (number: number) => boolean): number {
    return this.#areNumbers ? this.#numbers.next(isInFlight) : ++this.#count;
  }

  /** The connection has ended with these unanswered. */
  leave(numbers: readonly number[]): void {
    if (this.#areNumbers) this.#numbers.leave(numbers);
  }

  /** The id member of message `n`, as JSON text. */
  text(n: number): string {
    return this.#areNumbers ? String(n) : `${this.#prefix}${n}"`;
  }

  /** The number of an id given as JSON text, or -1 if it is not one of this connection's. */
  read(line: Buffer, start: number, end: number): number {
    if (this.#areNumbers) return numberAt(line, start, end);
    const digits = start + this.#prefix.length;
    if (line[end - 1] !== quote || !matches(line, start, this.#prefix)) return -1;
    return numberAt(line, digits, end - 1);
  }

  /**
   * Cuts a success reply of the shape that servers write, `{"return": VALUE, "id": ID}`, from both ends: the value is not
   * scanned unless it is small enough to be checked.
   * @returns whether the line has that shape, an id of this connection, and (up to 1 MiB) a well-formed value.
   */
  cutReturn(line: Buffer, start: number, end: number): boolean {
    if (end - start < shortest || !matches(line, start, '{"return":') || line[end - 1] !== closingBrace) return false;
    const idStart = this.#startOf(line, start, end - 1);
    if (idStart < 0) return false;
    this.number = this.read(line, idStart, end - 1);
    if (this.number < 0) return false;
    let at = keyBefore(line, idStart) - 1;
    if (at < start) return false;
    if (line[at] === space) at--;
    if (line[at] !== 0x2c) return false;
    const valueStart = start + 10 + (line[start + 10] === space ? 1 : 0);
    if (valueStart >= at) return false;
    if (at - valueStart <= checkedBytes && skipValue(line, valueStart, at) !== at) return false;
    this.value.start = valueStart;
    this.value.end = at;
    return true;
  }

  /** The number of this connection's id in the beginning of a message whose members have another order, or -1. */
  find(head: Buffer): number {
    if (this.#areNumbers) return Number(leadingNumber.exec(head.toString('latin1'))?.[1] ?? -1);
    const at = head.indexOf(this.#prefix);
    const end = at < 0 ? -1 : head.indexOf(quote, at + this.#prefix.length);
    return end < 0 ? -1 : this.read(head, at, end + 1);
  }

  /** The number of this connection's id at the very end of an otherwise unintelligible line, or -1. */
  readAtEnd(line: Buffer, start: number, end: number): number {
    if (line[end - 1] !== closingBrace) return -1;
    const idStart = this.#startOf(line, start, end - 1);
    if (idStart < 0 || (this.#areNumbers && keyBefore(line, idStart) < start)) return -1;
    return this.read(line, idStart, end - 1);
  }

  /** Where the id that ends at `end` would begin, or -1. */
  #startOf(line: Buffer, start: number, end: number): number {
    let at = this.#areNumbers ? end - 1 : end - 2;
    while (at > start && isDigit(line[at])) at--;
    const idStart = this.#areNumbers ? at + 1 : at - this.#prefix.length + 1;
    return idStart > start ? idStart : -1;
  }
}

/** The index of the `"id":` right before a value, with one space at most, or -1. */
function keyBefore(line: Buffer, value: number): number {
  const colon = line[value - 1] === space ? value - 2 : value - 1;
  return colon >= 4 && line[colon] === 0x3a && matches(line, colon - 4, '"id"') ? colon - 4 : -1;
}

/** A number as this library writes it, or -1. */
function numberAt(line: Buffer, start: number, end: number): number {
  if (start >= end || (line[start] === 0x30 && end - start > 1)) return -1;
  let number = 0;
  for (let at = start; at < end; at++) {
    const byte = line[at] as number;
    if (!isDigit(byte)) return -1;
    number = number * 10 + (byte - 0x30);
  }
  return Number.isSafeInteger(number) ? number : -1;
}
