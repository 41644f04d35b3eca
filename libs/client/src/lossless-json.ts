/** JSON without loss of digits: `JSON.parse` rounds integers beyond 2^53, and `JSON.stringify` rejects a bigint. */

/** A text without such a long run of digits has only safe integers, and the built-in parser is many times faster. */
const longDigits = /\d{16}/;

/**
 * Parses a JSON text (RFC 8259). Integers written in digits alone that a number cannot hold exactly become `bigint`,
 * all other numbers `number`.
 * @throws SyntaxError
 */
export function readJson(text: string): unknown {
  return longDigits.test(text) ? new Reader(text).document() : (JSON.parse(text) as unknown);
}

/** JSON that somebody else wrote: `writeJson` and requests copy it as it is, to the digit. */
export class JsonText {
  constructor(
    /** One JSON value; whoever reads it decides whether it is valid. */
    readonly text: string,
  ) {}
}

/**
 * Writes a value like `JSON.stringify`, except that `bigint` becomes an integer, and numbers that JSON does not have
 * (NaN, infinities) are rejected. A `JsonText` is written as it is.
 * @returns undefined for values without JSON (undefined, functions, symbols)
 * @throws TypeError for NaN and infinities
 */
export function writeJson(value: unknown): string | undefined {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof JsonText) return value.text;
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`${value} is not a JSON number`);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => writeJson(item) ?? 'null').join(',')}]`;
  if (isConvertible(value)) return writeJson(value.toJSON());
  const members: string[] = [];
  for (const [name, member] of Object.entries(value)) {
    const text = writeJson(member);
    if (text !== undefined) members.push(`${JSON.stringify(name)}:${text}`);
  }
  return `{${members.join(',')}}`;
}

function isConvertible(value: object): value is { toJSON(): unknown } {
  return 'toJSON' in value && typeof value.toJSON === 'function';
}

const space = /[ \t\r\n]*/y;
const number = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const literals: readonly (readonly [text: string, value: unknown])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
];

class Reader {
  #at = 0;

  constructor(private readonly text: string) {}

  document(): unknown {
    const value = this.#value();
    if (this.#next() !== '') this.#fail();
    return value;
  }

  #value(): unknown {
    const next = this.#next();
    if (next === '{') return this.#object();
    if (next === '[') return this.#array();
    if (next === '"') return this.#string();
    const literal = literals.find(([text]) => this.text.startsWith(text, this.#at));
    if (literal === undefined) return this.#number();
    this.#at += literal[0].length;
    return literal[1];
  }

  #object(): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    this.#items('}', () => {
      if (this.#next() !== '"') this.#fail();
      const name = this.#string();
      this.#expect(':');
      const value = this.#value();
      // An assignment to it would set the prototype.
      if (name === '__proto__')
        Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
      else object[name] = value;
    });
    return object;
  }

  #array(): unknown[] {
    const array: unknown[] = [];
    this.#items(']', () => array.push(this.#value()));
    return array;
  }

  #items(end: string, read: () => void): void {
    this.#at++;
    if (this.#next() === end) {
      this.#at++;
      return;
    }
    for (;;) {
      read();
      if (this.#next() === end) break;
      this.#expect(',');
    }
    this.#at++;
  }

  #string(): string {
    let end = this.#at;
    do end = this.text.indexOf('"', end + 1);
    while (end !== -1 && this.#isEscaped(end));
    if (end === -1) this.#fail();
    const text = this.text.slice(this.#at, end + 1);
    this.#at = end + 1;
    return JSON.parse(text) as string;
  }

  #isEscaped(quote: number): boolean {
    let start = quote;
    while (this.text[start - 1] === '\\') start--;
    return (quote - start) % 2 === 1;
  }

  #number(): number | bigint {
    number.lastIndex = this.#at;
    const match = number.exec(this.text);
    if (match === null) this.#fail();
    const [token, fraction, exponent] = match;
    this.#at += token.length;
    const value = Number(token);
    return fraction === undefined && exponent === undefined && !Number.isSafeInteger(value) ? BigInt(token) : value;
  }

  /** The next character that is not white space; empty at the end. */
  #next(): string {
    space.lastIndex = this.#at;
    space.exec(this.text);
    this.#at = space.lastIndex;
    return this.text.charAt(this.#at);
  }

  #expect(character: string): void {
    if (this.#next() !== character) this.#fail();
    this.#at++;
  }

  #fail(): never {
    throw new SyntaxError(`no JSON at offset ${this.#at}`);
  }
}
