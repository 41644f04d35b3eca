import type { DocComment } from './doc-comment.js';
import { Parser, type ValueObject } from './parser.js';
import { type Position, QapiSchemaError, includeChain } from './position.js';
import { Pragmas } from './pragma.js';

/** The source of schema text: the disk, a bundle, a test. */
export interface SchemaFiles {
  /** The text of the file at `path` (`/` between its parts). Throws if it does not exist. */
  read(path: string): string;
}

/** A definition as in the source, with the comment above it, or an include. */
export type SourceItem =
  | { readonly kind: 'include'; readonly path: string; readonly position: Position }
  | {
      readonly kind: 'definition';
      readonly value: ValueObject;
      readonly doc: DocComment | undefined;
      readonly position: Position;
    };

export interface SchemaSource {
  /** The first file. */
  readonly start: string;
  /** In source order; included items follow their first include. */
  readonly items: readonly SourceItem[];
  readonly pragmas: Pragmas;
}

/** Longest chain of includes. QEMU's is 4; the bound ends chains that a `read` generates as it goes. */
const MAX_INCLUDE_DEPTH = 50;

/**
 * Reads a schema with everything it includes, each file once.
 * @throws QapiSchemaError for the first fault in reading order
 */
export function readSchemaSource(path: string, files: SchemaFiles): SchemaSource {
  const start = normalizePath(path);
  let text: string;
  try {
    text = files.read(start);
  } catch (error) {
    throw unreadable({ file: start, line: 1 }, start, error);
  }
  const reader = new SourceReader(start, files);
  reader.file(text, start, undefined);
  return reader;
}

class SourceReader implements SchemaSource {
  readonly items: SourceItem[] = [];
  readonly pragmas = new Pragmas();
  readonly #seen: Set<string>;

  constructor(
    readonly start: string,
    private readonly files: SchemaFiles,
  ) {
    this.#seen = new Set([start]);
  }

  file(text: string, path: string, includedFrom: Position | undefined): void {
    const parser = new Parser(text, path, includedFrom);
    let doc: DocComment | undefined;
    let missing: QapiSchemaError | undefined;
    for (let item = parser.next(); item !== undefined; item = parser.next()) {
      if (item.kind === 'doc') {
        rejectDangling(doc);
        doc = item.doc;
        continue;
      }
      const { value, position } = item;
      const directive = value.has('include') ? 'include' : value.has('pragma') ? 'pragma' : undefined;
      if (directive === undefined) {
        if (doc !== undefined && doc.symbol === undefined) {
          throw new QapiSchemaError(doc.position, "a comment right above a definition begins with its '@name:'");
        }
        this.items.push({ kind: 'definition', value, doc, position });
      } else {
        rejectDangling(doc);
        if (value.size !== 1) throw new QapiSchemaError(position, `'${directive}' stands alone in its object`);
        if (directive === 'pragma') this.pragmas.apply(value.get('pragma'), position);
        else missing ??= this.#include(value, position);
      }
      doc = undefined;
    }
    rejectDangling(doc);
    if (missing) throw missing;
  }

  /**
   * Returns the error if the file cannot be read: it is reported only after the including file was read to its end,
   * because a fault in a readable file is more useful.
   */
  #include(directive: ValueObject, position: Position): QapiSchemaError | undefined {
    const name = directive.get('include');
    if (typeof name !== 'string') throw new QapiSchemaError(position, "'include' takes a string");
    const path = resolvePath(position.file, name);
    this.items.push({ kind: 'include', path, position });
    const chain = [...includeChain(position), position];
    if (chain.some((at) => at.file === path)) throw new QapiSchemaError(position, `'${name}' includes itself`);
    if (this.#seen.has(path)) return undefined;
    if (chain.length > MAX_INCLUDE_DEPTH) {
      throw new QapiSchemaError(position, `includes nested deeper than ${MAX_INCLUDE_DEPTH} files`);
    }
    let text: string;
    try {
      text = this.files.read(path);
    } catch (error) {
      return unreadable(position, name, error);
    }
    this.#seen.add(path);
    this.file(text, path, position);
    return undefined;
  }
}

function unreadable(position: Position, name: string, error: unknown): QapiSchemaError {
  const reason = error instanceof Error ? error.message : String(error);
  return new QapiSchemaError(position, `can't read '${name}': ${reason}`);
}

function rejectDangling(doc: DocComment | undefined): void {
  if (doc?.symbol !== undefined) {
    throw new QapiSchemaError(doc.position, `the definition of '${doc.symbol}' does not follow its documentation`);
  }
}

/** `name` relative to the directory of `file`. */
function resolvePath(file: string, name: string): string {
  return normalizePath(name.startsWith('/') ? name : file.slice(0, file.lastIndexOf('/') + 1) + name);
}

/** `path` without `.` parts, empty parts and resolvable `..`. */
function normalizePath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '..' || !path.startsWith('/')) parts.push(part);
  }
  return (path.startsWith('/') ? '/' : '') + parts.join('/');
}

/**
 * `path` relative to the directory of the file `start`, which is how QEMU names modules. Both as the reader has them.
 */
export function relativePath(start: string, path: string): string {
  const from = start.split('/').slice(0, -1);
  const to = path.split('/');
  let common = 0;
  while (common < from.length && common < to.length - 1 && from[common] === to[common]) common++;
  return [...from.slice(common).map(() => '..'), ...to.slice(common)].join('/');
}
