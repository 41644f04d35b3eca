import { isAscii, isUtf8 } from 'node:buffer';
import {
  tokensOf,
  type JsonArray,
  type JsonDocument,
  type JsonMember,
  type JsonNode,
  type JsonNumber,
  type JsonObject,
} from './json-node.js';
import { isNoncharacter, unreadableName } from './unreadable-character.js';

/**
 * The text is not one strict JSON value. `offset` counts UTF-16 units (bytes if the input is not UTF-8); line and
 * column count from 1.
 */
export class JsonSyntaxError extends Error {
  override readonly name = 'JsonSyntaxError';

  constructor(
    readonly reason: string,
    readonly offset: number,
    readonly line: number,
    readonly column: number,
  ) {
    super(`line ${line}, column ${column}: ${reason}`);
  }
}

export interface ReadJsonOptions {
  /** Nesting of objects and arrays; default 64. */
  readonly maxDepth?: number;
}

const DEFAULT_MAX_DEPTH = 64;
/** QEMU reads fewer than 2^21 tokens in one message; 16 are reserved for those around the arguments of a command. */
const MAX_TOKENS = 2 ** 21 - 16;
/** Up to this many members a linear search is faster than a set. */
const FEW_MEMBERS = 8;

/**
 * Reads one JSON value of RFC 8259, and rejects what a QMP server rejects or answers without an id: duplicate member
 * names at any depth (compared decoded), lone surrogates and noncharacters (raw or escaped), control characters in
 * strings, nesting over `maxDepth`, more than 2^21 tokens, a byte order mark, bytes that are not UTF-8, and anything
 * after the value. It accepts everything else that QEMU accepts, except single quotes, the escape of one, and NUL as
 * two bytes of UTF-8, which are not JSON.
 *
 * Nodes keep their offsets, so that every token can be passed on exactly as the client wrote it.
 *
 * @throws {JsonSyntaxError} with the position of the first fault.
 */
export function readJson(input: Uint8Array | string, options: ReadJsonOptions = {}): JsonDocument {
  const text = typeof input === 'string' ? input : decodeUtf8(input);
  return { text, root: new Reader(text, options.maxDepth ?? DEFAULT_MAX_DEPTH).readDocument() };
}

function decodeUtf8(input: Uint8Array): string {
  const bytes = Buffer.isBuffer(input) ? input : Buffer.from(input.buffer, input.byteOffset, input.byteLength);
  if (isAscii(bytes)) return bytes.toString('latin1');
  const text = bytes.toString('utf8');
  if (isUtf8(bytes)) return text;
  const { offset, before } = firstMalformedByte(bytes, text);
  throw syntaxError('not well-formed UTF-8', before, offset);
}

/**
 * `lossy` has U+FFFD for each malformed sequence; the first one that the input does not contain as such is the fault.
 */
function firstMalformedByte(bytes: Buffer, lossy: string): { offset: number; before: string } {
  let offset = 0;
  let checked = 0;
  for (let at = lossy.indexOf('\uFFFD'); at >= 0; at = lossy.indexOf('\uFFFD', at + 1)) {
    offset += Buffer.byteLength(lossy.slice(checked, at));
    checked = at;
    const genuine = bytes[offset] === 0xef && bytes[offset + 1] === 0xbf && bytes[offset + 2] === 0xbd;
    if (!genuine) break;
  }
  return { offset, before: lossy.slice(0, checked) };
}

function syntaxError(reason: string, before: string, offset: number): JsonSyntaxError {
  const lines = before.split(/\r\n|\r|\n/);
  return new JsonSyntaxError(reason, offset, lines.length, (lines.at(-1) ?? '').length + 1);
}

/** Character codes of the JSON grammar. */
const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const SLASH = 0x2f;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const UPPER_E = 0x45;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const LOWER_B = 0x62;
const LOWER_E = 0x65;
const LOWER_F = 0x66;
const LOWER_N = 0x6e;
const LOWER_R = 0x72;
const LOWER_T = 0x74;
const LOWER_U = 0x75;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

const isDigit = (code: number): boolean => code >= ZERO && code <= NINE;
const isHighSurrogate = (code: number): boolean => code >= 0xd800 && code <= 0xdbff;
const isLowSurrogate = (code: number): boolean => code >= 0xdc00 && code <= 0xdfff;

/** Recursive descent, bounded by `maxDepth`. Beyond the end `charCodeAt` is NaN, which matches nothing. */
class Reader {
  private at = 0;

  constructor(
    private readonly text: string,
    private readonly maxDepth: number,
  ) {}

  readDocument(): JsonNode {
    if (this.text.charCodeAt(0) === 0xfeff) this.fail('byte order mark', 0);
    this.skipSpace();
    const root = this.readValue(0);
    this.skipSpace();
    if (this.at < this.text.length) this.fail('more text after the JSON value', this.at);
    // Each token has at least one character, so texts of the usual size need no count.
    if (this.text.length > MAX_TOKENS && tokensOf(root) > MAX_TOKENS)
      this.fail(`over ${MAX_TOKENS} tokens`, root.start);
    return root;
  }

  private readValue(depth: number): JsonNode {
    const start = this.at;
    const code = this.text.charCodeAt(start);
    switch (code) {
      case QUOTE: {
        const value = this.readString();
        return { kind: 'string', start, end: this.at, value };
      }
      case OPEN_BRACE:
        return this.readObject(depth);
      case OPEN_BRACKET:
        return this.readArray(depth);
      case LOWER_T:
        this.expectWord('true');
        return { kind: 'boolean', start, end: this.at, value: true };
      case LOWER_F:
        this.expectWord('false');
        return { kind: 'boolean', start, end: this.at, value: false };
      case LOWER_N:
        this.expectWord('null');
        return { kind: 'null', start, end: this.at };
      default:
        if (code === MINUS || isDigit(code)) return this.readNumber();
        return this.unexpected('a JSON value');
    }
  }

  private readObject(depth: number): JsonObject {
    const start = this.enter(depth);
    const members: JsonMember[] = [];
    if (this.text.charCodeAt(this.at) === CLOSE_BRACE) return { kind: 'object', start, end: ++this.at, members };
    let names: Set<string> | undefined;
    for (;;) {
      const nameStart = this.at;
      if (this.text.charCodeAt(nameStart) !== QUOTE) this.unexpected('a member name in double quotes');
      const name = this.readString();
      if (members.length === FEW_MEMBERS) names = new Set(members.map((member) => member.name));
      if (names ? names.has(name) : hasMember(members, name)) {
        this.fail(`duplicate member name ${quoted(name)}`, nameStart);
      }
      names?.add(name);
      this.skipSpace();
      if (this.text.charCodeAt(this.at) !== COLON) this.unexpected("':' after the member name");
      this.at++;
      this.skipSpace();
      members.push({ name, start: nameStart, value: this.readValue(depth + 1) });
      this.skipSpace();
      const code = this.text.charCodeAt(this.at);
      if (code === CLOSE_BRACE) return { kind: 'object', start, end: ++this.at, members };
      if (code !== COMMA) this.unexpected("',' or '}'");
      this.at++;
      this.skipSpace();
    }
  }

  private readArray(depth: number): JsonArray {
    const start = this.enter(depth);
    const items: JsonNode[] = [];
    if (this.text.charCodeAt(this.at) === CLOSE_BRACKET) return { kind: 'array', start, end: ++this.at, items };
    for (;;) {
      items.push(this.readValue(depth + 1));
      this.skipSpace();
      const code = this.text.charCodeAt(this.at);
      if (code === CLOSE_BRACKET) return { kind: 'array', start, end: ++this.at, items };
      if (code !== COMMA) this.unexpected("',' or ']'");
      this.at++;
      this.skipSpace();
    }
  }

  /** Skips the opening bracket of an object or array, and the white space after it. */
  private enter(depth: number): number {
    const start = this.at;
    if (depth >= this.maxDepth) this.fail(`nested deeper than ${this.maxDepth}`, start);
    this.at++;
    this.skipSpace();
    return start;
  }

  private readString(): string {
    const start = this.at;
    let at = start + 1;
    let escaped = false;
    for (;;) {
      const code = this.text.charCodeAt(at);
      if (code === QUOTE) break;
      if (code === BACKSLASH) {
        escaped = true;
        at = this.skipEscape(at);
      } else if (code < SPACE) {
        this.fail('control character in a string', at);
      } else if (code < 0xd800) {
        at++;
      } else if (isHighSurrogate(code) && isLowSurrogate(this.text.charCodeAt(at + 1))) {
        this.requireCharacter(this.text.codePointAt(at) ?? 0, at);
        at += 2;
      } else if (code > 0xdfff) {
        this.requireCharacter(code, at);
        at++;
      } else if (Number.isNaN(code)) {
        this.fail('unterminated string', start);
      } else {
        this.failAtCharacter(code, at);
      }
    }
    this.at = at + 1;
    return escaped ? (JSON.parse(this.text.slice(start, at + 1)) as string) : this.text.slice(start + 1, at);
  }

  /** From the backslash to the character after the escape; a surrogate pair is two escapes in one step. */
  private skipEscape(at: number): number {
    switch (this.text.charCodeAt(at + 1)) {
      case QUOTE:
      case BACKSLASH:
      case SLASH:
      case LOWER_B:
      case LOWER_F:
      case LOWER_N:
      case LOWER_R:
      case LOWER_T:
        return at + 2;
      case LOWER_U: {
        const unit = this.escapedUnit(at);
        if (unit < 0) break;
        const next = isHighSurrogate(unit) ? this.escapedUnit(at + 6) : -1;
        if (isLowSurrogate(next)) {
          this.requireCharacter(0x10000 + ((unit & 0x3ff) << 10) + (next & 0x3ff), at);
          return at + 12;
        }
        if (isHighSurrogate(unit) || isLowSurrogate(unit)) this.failAtCharacter(unit, at);
        this.requireCharacter(unit, at);
        return at + 6;
      }
    }
    return this.fail('bad escape in a string', at);
  }

  private requireCharacter(codePoint: number, offset: number): void {
    if (isNoncharacter(codePoint)) this.failAtCharacter(codePoint, offset);
  }

  private failAtCharacter(codePoint: number, offset: number): never {
    return this.fail(`${unreadableName(codePoint)} in a string`, offset);
  }

  /** The UTF-16 unit that `\uXXXX` at this offset stands for; -1 if there is no such escape. */
  private escapedUnit(at: number): number {
    const escape = this.text.slice(at, at + 6);
    return /^\\u[0-9a-fA-F]{4}$/.test(escape) ? parseInt(escape.slice(2), 16) : -1;
  }

  private readNumber(): JsonNumber {
    const start = this.at;
    let at = start;
    let integer = true;
    if (this.text.charCodeAt(at) === MINUS) at++;
    if (this.text.charCodeAt(at) === ZERO) {
      at++;
      const code = this.text.charCodeAt(at);
      if (isDigit(code)) this.fail('number with a leading zero', start);
      // RFC 8259 allows it, but QEMU's reader takes it for a zero and a word.
      if (code === LOWER_E || code === UPPER_E) this.fail('zero with an exponent', start);
    } else {
      at = this.skipDigits(at);
    }
    if (this.text.charCodeAt(at) === DOT) {
      integer = false;
      at = this.skipDigits(at + 1);
    }
    const code = this.text.charCodeAt(at);
    if (code === LOWER_E || code === UPPER_E) {
      integer = false;
      const sign = this.text.charCodeAt(at + 1);
      at = this.skipDigits(sign === PLUS || sign === MINUS ? at + 2 : at + 1);
    }
    this.at = at;
    return { kind: 'number', start, end: at, integer };
  }

  private skipDigits(from: number): number {
    let at = from;
    while (isDigit(this.text.charCodeAt(at))) at++;
    if (at === from) {
      this.at = at;
      this.unexpected('a digit');
    }
    return at;
  }

  private expectWord(word: string): void {
    if (!this.text.startsWith(word, this.at)) this.unexpected('a JSON value');
    this.at += word.length;
  }

  private skipSpace(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      const space = code === SPACE || code === LINE_FEED || code === CARRIAGE_RETURN || code === TAB;
      if (!space) return;
      this.at++;
    }
  }

  private unexpected(wanted: string): never {
    const code = this.text.codePointAt(this.at);
    const found = code === undefined ? 'the end of the text' : quoted(String.fromCodePoint(code));
    return this.fail(`expected ${wanted}, found ${found}`, this.at);
  }

  private fail(reason: string, offset: number): never {
    throw syntaxError(reason, this.text.slice(0, offset), offset);
  }
}

function hasMember(members: readonly JsonMember[], name: string): boolean {
  for (const member of members) if (member.name === name) return true;
  return false;
}

/** As JSON (so that a message contains no control character), shortened. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text);
}
