import { type DocComment, parseDocComment } from './doc-comment.js';
import { Lexer, type Token } from './lexer.js';
import { type Position, QapiSchemaError } from './position.js';

/** The values of an expression. Objects are maps, because a schema may name a member `__proto__`. */
export type Value = string | boolean | readonly Value[] | ValueObject;
export type ValueObject = ReadonlyMap<string, Value>;

/** True for the objects of the language. */
export function isObject(value: Value | undefined): value is ValueObject {
  return value instanceof Map;
}

/** True for the arrays of the language. */
export function isArray(value: Value | undefined): value is readonly Value[] {
  return Array.isArray(value);
}

/** A top-level item of a schema file. The position is that of its first token. */
export type Item =
  | { readonly kind: 'expression'; readonly value: ValueObject; readonly position: Position }
  | { readonly kind: 'doc'; readonly doc: DocComment; readonly position: Position };

/** Deepest nesting of `{` and `[`. QEMU's own schemas stay under 10; the bound protects the stack from hostile text. */
const MAX_NESTING = 100;

/** Reads one file, item by item; throws a fault when the reader reaches it. */
export class Parser {
  readonly #lexer: Lexer;
  #token: Token;

  /** @throws QapiSchemaError if the first token is invalid. */
  constructor(text: string, file: string, includedFrom?: Position) {
    this.#lexer = new Lexer(text, file, includedFrom);
    this.#token = this.#lexer.next();
  }

  /** The current position of the parser. */
  get position(): Position {
    return this.#lexer.position(this.#token.line);
  }

  /** The next item; undefined at the end of the file. */
  next(): Item | undefined {
    const position = this.position;
    if (this.#token.kind === 'end') return undefined;
    if (this.#token.kind === 'comment') {
      const doc = parseDocComment(this.#lexer, this.#token.text, position);
      this.#advance();
      return { kind: 'doc', doc, position };
    }
    const value = this.#value(0);
    if (!isObject(value)) throw new QapiSchemaError(position, 'a schema holds objects, one after the other');
    return { kind: 'expression', value, position };
  }

  #advance(): void {
    this.#token = this.#lexer.next();
  }

  #fail(problem: string): never {
    throw new QapiSchemaError(this.position, problem);
  }

  #value(depth: number): Value {
    if (depth > MAX_NESTING) this.#fail(`nested deeper than ${MAX_NESTING} levels`);
    const token = this.#token;
    switch (token.kind) {
      case '{':
        this.#advance();
        return this.#object(depth);
      case '[':
        this.#advance();
        return this.#array(depth);
      case 'string':
        this.#advance();
        return token.text;
      case 'boolean':
        this.#advance();
        return token.value;
      default:
        return this.#fail(`expected an object, an array, a string or a boolean, not ${spelling(token)}`);
    }
  }

  #object(depth: number): ValueObject {
    const members = new Map<string, Value>();
    if (this.#token.kind === '}') {
      this.#advance();
      return members;
    }
    for (;;) {
      const key = this.#token;
      if (key.kind !== 'string') return this.#fail(`expected the name of a member, not ${spelling(key)}`);
      this.#advance();
      this.#take(':');
      if (members.has(key.text)) this.#fail(`'${key.text}' is given twice`);
      members.set(key.text, this.#value(depth + 1));
      if (this.#closes('}')) return members;
    }
  }

  #array(depth: number): Value[] {
    const values: Value[] = [];
    if (this.#token.kind === ']') {
      this.#advance();
      return values;
    }
    for (;;) {
      values.push(this.#value(depth + 1));
      if (this.#closes(']')) return values;
    }
  }

  #take(kind: Token['kind']): void {
    if (this.#token.kind !== kind) this.#fail(`expected '${kind}', not ${spelling(this.#token)}`);
    this.#advance();
  }

  /** Consumes the comma before another element (false) or the closing bracket (true). */
  #closes(bracket: '}' | ']'): boolean {
    const { kind } = this.#token;
    if (kind !== bracket && kind !== ',') this.#fail(`expected ',' or '${bracket}', not ${spelling(this.#token)}`);
    this.#advance();
    return kind === bracket;
  }
}

function spelling(token: Token): string {
  switch (token.kind) {
    case 'end':
      return 'the end of the file';
    case 'string':
      return `the string '${token.text}'`;
    case 'boolean':
      return String(token.value);
    case 'comment':
      return 'a documentation comment';
    default:
      return `'${token.kind}'`;
  }
}
