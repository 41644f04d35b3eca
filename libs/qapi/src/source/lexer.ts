import { type Position, QapiSchemaError } from './position.js';

/** A token; `comment` only if comments were requested, or at the `##` that opens a doc comment. */
export type Token =
  | { readonly kind: '{' | '}' | '[' | ']' | ':' | ','; readonly line: number }
  | { readonly kind: 'string'; readonly text: string; readonly line: number }
  | { readonly kind: 'boolean'; readonly value: boolean; readonly line: number }
  | { readonly kind: 'comment'; readonly text: string; readonly line: number }
  | { readonly kind: 'end'; readonly line: number };

const STRUCTURAL = new Set(['{', '}', '[', ']', ':', ',']);
const SPACE = /\s/;
const WORD_END = /[[\]{}:,\s']/;

/**
 * Splits schema text into tokens, one at a time: the parser decides whether it wants comments.
 *
 * The language is JSON with single quotes, printable ASCII strings, `\\` as the only escape, no numbers and no null
 * (QEMU's docs/devel/qapi-code-gen, "Schema syntax").
 */
export class Lexer {
  readonly #text: string;
  readonly #file: string;
  readonly #includedFrom: Position | undefined;
  #at = 0;
  #line = 1;

  constructor(text: string, file: string, includedFrom?: Position) {
    const lines = text.replace(/\r\n?/g, '\n');
    this.#text = lines.endsWith('\n') ? lines : `${lines}\n`;
    this.#file = file;
    this.#includedFrom = includedFrom;
  }

  /** The position of `line` in this file. */
  position(line: number): Position {
    return { file: this.#file, line, includedFrom: this.#includedFrom };
  }

  /** The next token. With `comments`, each comment line is a token, `#` included and without its line end. */
  next(comments = false): Token {
    for (;;) {
      const char = this.#text.charAt(this.#at);
      const line = this.#line;
      if (char === '\n') {
        // The last line end belongs to the last line, so that a missing token at the end is reported there.
        if (this.#at + 1 >= this.#text.length) return { kind: 'end', line };
        this.#at++;
        this.#line++;
      } else if (char === '#') {
        const start = this.#at;
        this.#at = this.#text.indexOf('\n', start);
        if (comments || this.#text.startsWith('##', start)) {
          return { kind: 'comment', text: this.#text.slice(start, this.#at), line };
        }
      } else if (STRUCTURAL.has(char)) {
        this.#at++;
        return { kind: char as '{', line };
      } else if (char === "'") {
        return { kind: 'string', text: this.#string(line), line };
      } else if (this.#text.startsWith('true', this.#at)) {
        this.#at += 4;
        return { kind: 'boolean', value: true, line };
      } else if (this.#text.startsWith('false', this.#at)) {
        this.#at += 5;
        return { kind: 'boolean', value: false, line };
      } else if (SPACE.test(char)) {
        this.#at++;
      } else {
        throw new QapiSchemaError(this.position(line), `unexpected '${this.#word()}'`);
      }
    }
  }

  #string(line: number): string {
    let text = '';
    for (let at = this.#at + 1; ; at++) {
      let char = this.#text.charAt(at);
      if (char === "'") {
        this.#at = at + 1;
        return text;
      }
      if (char === '\n') throw new QapiSchemaError(this.position(line), "string is not closed with ' on its line");
      if (char === '\\') {
        char = this.#text.charAt(++at);
        if (char !== '\\')
          throw new QapiSchemaError(this.position(line), `'\\${char.trim()}' is not an escape, only '\\\\' is`);
      }
      if (char < ' ' || char > '~') {
        throw new QapiSchemaError(this.position(line), 'strings may hold printable ASCII characters only');
      }
      text += char;
    }
  }

  #word(): string {
    let end = this.#at + 1;
    while (end < this.#at + 40 && !WORD_END.test(this.#text.charAt(end))) end++;
    return this.#text.slice(this.#at, end);
  }
}
