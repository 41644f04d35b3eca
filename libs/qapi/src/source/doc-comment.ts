import type { Lexer } from './lexer.js';
import { type Position, QapiSchemaError } from './position.js';

/**
 * Text about one member, feature or section, with the line it starts on. Line ends are kept, indentation is removed.
 */
export interface DocText {
  readonly text: string;
  readonly position: Position;
}

/** A tagged section: `Returns`, `Errors`, `Since`, `TODO`, or a `Note` or `Example` as written before QEMU 9.1. */
export interface DocSection extends DocText {
  readonly tag: string;
}

/**
 * A `##` comment (docs/devel/qapi-code-gen, "Documentation comments"). With a symbol it documents the following
 * definition; without, it is free-form.
 */
export interface DocComment {
  readonly symbol?: string;
  readonly position: Position;
  /** The paragraphs outside sections. */
  readonly body: string;
  readonly members: ReadonlyMap<string, DocText>;
  readonly features: ReadonlyMap<string, DocText>;
  readonly sections: readonly DocSection[];
}

const NAME_COLON = /^@([^:]*): */;
/** With two colons it is a directive of the markup, not a section. */
const TAG_COLON = /^(Returns|Errors|Since|Notes?|Examples?|TODO):(?!:) */;
/** May appear once. */
const SINGLE_TAGS = new Set(['Returns', 'Errors', 'Since']);
/** Sections of QEMU before 9.1, whose text need not be indented. */
const LOOSE_TAG = /^(Notes?|Examples?)$/;

/**
 * Reads a documentation comment to its end.
 * @param lexer - positioned after the opening line
 * @param opening - the opening line, beginning with `##`
 * @throws QapiSchemaError at the offending line
 */
export function parseDocComment(lexer: Lexer, opening: string, position: Position): DocComment {
  if (opening.trimEnd() !== '##') {
    throw new QapiSchemaError(position, "a documentation comment opens with '##' alone on its line");
  }
  return new DocReader(lexer, position).read();
}

class OpenText implements DocText {
  readonly #lines: string[] = [];
  constructor(readonly position: Position) {}

  append(line: string): void {
    this.#lines.push(line);
  }

  get endsBlank(): boolean {
    return this.#lines.at(-1) === '' && this.#lines.length > 1;
  }

  /** Removes surrounding blank lines and the indentation that all lines but the first share. */
  get text(): string {
    const lines = [...this.#lines];
    while (lines[0] === '') lines.shift();
    while (lines.at(-1) === '') lines.pop();
    const indents = lines.slice(1).flatMap((line) => (line === '' ? [] : [indentOf(line)]));
    const indent = indents.length === 0 ? 0 : Math.min(...indents);
    return lines.map((line, n) => (n === 0 ? line.trimStart() : line.slice(indent))).join('\n');
  }
}

class OpenSection extends OpenText implements DocSection {
  constructor(
    readonly tag: string,
    position: Position,
  ) {
    super(position);
  }
}

class DocReader {
  readonly #lexer: Lexer;
  readonly #position: Position;
  readonly #body: OpenText;
  readonly #members = new Map<string, OpenText>();
  readonly #features = new Map<string, OpenText>();
  readonly #sections: OpenSection[] = [];
  /** The current line; undefined at the end of the comment. */
  #line: string | undefined;
  #at: Position;

  constructor(lexer: Lexer, position: Position) {
    this.#lexer = lexer;
    this.#position = position;
    this.#at = position;
    this.#body = new OpenText(position);
  }

  read(): DocComment {
    this.#advance();
    const symbol = this.#line?.startsWith('@') ? this.#symbol(this.#line) : undefined;
    if (symbol === undefined) this.#freeForm();
    else this.#definition();
    for (const section of this.#sections) {
      if (section.text === '' && !LOOSE_TAG.test(section.tag)) {
        throw new QapiSchemaError(section.position, `section '${section.tag}:' has no text`);
      }
    }
    return {
      ...(symbol === undefined ? {} : { symbol }),
      position: this.#position,
      body: this.#body.text,
      members: closed(this.#members),
      features: closed(this.#features),
      sections: this.#sections.map(({ tag, text, position }) => ({ tag, text, position })),
    };
  }

  #fail(problem: string): never {
    throw new QapiSchemaError(this.#at, problem);
  }

  #advance(): void {
    const token = this.#lexer.next(true);
    this.#at = this.#lexer.position(token.line);
    if (token.kind !== 'comment') this.#fail("the documentation comment is not closed with '##'");
    if (token.text.startsWith('##')) {
      if (token.text.trimEnd() !== '##') this.#fail("a documentation comment closes with '##' alone on its line");
      this.#line = undefined;
    } else {
      if (token.text.length > 1 && token.text.charAt(1) !== ' ') this.#fail("'#' needs a space behind it here");
      this.#line = token.text.slice(2).trimEnd();
    }
  }

  /** Advances to the next line with text; blank lines become part of `text`. */
  #skipBlank(text?: OpenText): void {
    while (this.#line === '') {
      text?.append('');
      this.#advance();
    }
  }

  #symbol(line: string): string {
    if (!line.endsWith(':')) this.#fail(`expected ':' at the end of '${line}'`);
    const symbol = line.slice(1, -1);
    if (symbol === '') this.#fail("expected a name between '@' and ':'");
    return symbol;
  }

  #freeForm(): void {
    while (this.#line !== undefined) {
      const named = NAME_COLON.exec(this.#line);
      if (named) this.#fail(`'@${(named[1] ?? '').trimEnd()}:' belongs into the documentation of a definition`);
      this.#body.append(this.#line);
      this.#advance();
    }
  }

  #definition(): void {
    let membersOver = false;
    /** Where paragraphs without indentation belong. */
    let open: OpenText = this.#body;
    this.#advance();
    while (this.#line !== undefined) {
      const tagged = TAG_COLON.exec(this.#line);
      const named = NAME_COLON.exec(this.#line);
      if (this.#line === '') {
        open.append('');
        this.#advance();
      } else if (this.#line === 'Features:') {
        if (this.#features.size > 0) this.#fail("a second 'Features:'");
        this.#advance();
        this.#skipBlank();
        this.#described(this.#features, 'feature');
        if (this.#features.size === 0) this.#fail("'Features:' has no '@name:' behind it");
        membersOver = true;
        open = this.#body;
      } else if (named) {
        if (membersOver) this.#fail(`'@${(named[1] ?? '').trimEnd()}:' comes after a section`);
        this.#described(this.#members, 'member');
        membersOver = true;
        open = this.#body;
      } else if (tagged) {
        const section = this.#section(tagged[1] ?? '');
        this.#indented(section, this.#line.slice(tagged[0].length));
        membersOver = true;
        open = LOOSE_TAG.test(section.tag) ? section : this.#body;
      } else {
        // Headings structure the manual around definitions.
        if (this.#line.startsWith('=')) this.#fail('a heading belongs into a comment of its own');
        open.append(this.#line);
        this.#advance();
      }
    }
  }

  #section(tag: string): OpenSection {
    if (SINGLE_TAGS.has(tag) && this.#sections.some((section) => section.tag === tag)) {
      this.#fail(`a second section '${tag}:'`);
    }
    const section = new OpenSection(tag, this.#at);
    this.#sections.push(section);
    return section;
  }

  /** A sequence of `@name: text`. */
  #described(texts: Map<string, OpenText>, what: string): void {
    for (let named; this.#line !== undefined && (named = NAME_COLON.exec(this.#line)) !== null;) {
      const name = (named[1] ?? '').trimEnd();
      if (name === '') this.#fail(`expected the name of a ${what} between '@' and ':'`);
      if (texts.has(name)) this.#fail(`${what} '${name}' is described twice`);
      const text = new OpenText(this.#at);
      texts.set(name, text);
      this.#indented(text, this.#line.slice(named[0].length));
    }
  }

  /**
   * The rest of the current line and the lines that belong to it: the indented ones, with blank lines between them, or,
   * as was usual before QEMU 8, unindented ones up to a blank line.
   */
  #indented(text: OpenText, first: string): void {
    text.append(first);
    this.#advance();
    this.#skipBlank(text);
    const indent = this.#line === undefined ? 0 : indentOf(this.#line);
    let afterBlank = text.endsBlank;
    while (this.#line !== undefined && !startsText(this.#line)) {
      if (this.#line === '') {
        if (indent === 0) return;
      } else if (indentOf(this.#line) < indent || (indent === 0 && afterBlank)) {
        if (afterBlank) return;
        this.#fail(`indented less than the ${indent} spaces of the text above`);
      }
      afterBlank = this.#line === '';
      text.append(this.#line);
      this.#advance();
    }
  }
}

/** True for a line that names the subject of the text after it. */
function startsText(line: string): boolean {
  return line === 'Features:' || NAME_COLON.test(line) || TAG_COLON.test(line);
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

function closed(texts: ReadonlyMap<string, OpenText>): Map<string, DocText> {
  return new Map([...texts].map(([name, { text, position }]) => [name, { text, position }]));
}

/**
 * The release that a `Since:` section names (`2.5`), otherwise its text. A line `Since 10.1` without the colon counts
 * too, because QEMU's schemas have some. Undefined without either.
 */
export function sinceOf(doc: DocComment | undefined): string | undefined {
  const text = doc?.sections.find((section) => section.tag === 'Since')?.text;
  if (text !== undefined) return /^\d+(?:\.\d+)*/.exec(text)?.[0] ?? text;
  return /^Since (\d+(?:\.\d+)*)$/m.exec(doc?.body ?? '')?.[1];
}
