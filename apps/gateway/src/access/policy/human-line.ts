/** A line of the human monitor as its parser splits it: the name, and the rest. */
export interface HumanLine {
  readonly name: string;
  readonly rest: string;
}

/**
 * The parser skips white space, then takes the name up to white space or a slash: `qom-set/objects/mon0 pretty true` is
 * `qom-set` of `/objects/mon0`. It does not accept abbreviations.
 */
export function readHumanLine(line: string): HumanLine {
  const [, name = '', rest = ''] = /^[ \t\n\v\f\r]*([^/ \t\n\v\f\r]*)([^]*)$/.exec(line) ?? [];
  return { name, rest };
}

/** The parser cuts a longer word at the end of its buffer, whose size the gateway does not rely on. */
const longestWord = 1000;

export type HumanWord =
  | { readonly kind: 'word'; readonly text: string }
  /** The parser reads a different word. */
  | { readonly kind: 'cut'; readonly text: string }
  /** There is none, or the parser refuses the line. */
  | { readonly kind: 'none' };

/**
 * The first word, after flags such as `-j`, which need no white space behind them: bare up to white space, or in double
 * quotes with a few escapes, where the next word may follow at once.
 */
export function firstWord(rest: string): HumanWord {
  const [, quoted, bare] =
    /^(?:[ \t\n\v\f\r]*-[a-z])?[ \t\n\v\f\r]*(?:"((?:[^"\\]|\\[nr\\'"])*)"|([^" \t\n\v\f\r][^ \t\n\v\f\r]*))/.exec(
      rest,
    ) ?? [];
  const text = bare ?? quoted?.replace(/\\(.)/g, (_, escaped: string) => escapes[escaped] ?? escaped);
  if (text === undefined) return { kind: 'none' };
  return { kind: Buffer.byteLength(text) > longestWord ? 'cut' : 'word', text };
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r' };
