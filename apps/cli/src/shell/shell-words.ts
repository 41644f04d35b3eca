/** What was typed so far, as words. */
export interface TypedLine {
  /** Whole words, without their quotes. */
  readonly words: readonly string[];
  /** Where the last word begins, and what of it is typed; empty after a space. */
  readonly last: { readonly at: number; readonly text: string };
  /** A quote, a bracket or a brace that was opened: the line goes on in the next one. */
  readonly isOpen: boolean;
}

const pairs: Readonly<Record<string, string>> = { '{': '}', '[': ']' };

/**
 * Splits a line at white space. Quotes keep words together; so do brackets and braces of JSON, within which quotes are
 * JSON's own and stay.
 */
export function splitLine(line: string): TypedLine {
  const words: string[] = [];
  const nesting: string[] = [];
  let quote = '';
  let word = '';
  let start = -1;
  for (let at = 0; at < line.length; at++) {
    const character = line[at] ?? '';
    const inJson = nesting.length > 0;
    if (quote === '' && !inJson && /\s/.test(character)) {
      if (start !== -1) words.push(word);
      [word, start] = ['', -1];
      continue;
    }
    if (start === -1) start = at;
    if (character === '\\' && (inJson || quote !== "'")) {
      const next = line[++at] ?? '';
      // JSON reads its own escapes; outside of it the backslash has done its work.
      word += inJson ? character + next : next;
    } else if (quote !== '') {
      const isEnd = character === quote;
      if (!isEnd || inJson) word += character;
      if (isEnd) quote = '';
    } else if (character === '"' || (character === "'" && !inJson)) {
      quote = character;
      if (inJson) word += character;
    } else {
      if (Object.hasOwn(pairs, character) && (inJson || isValueStart(word))) nesting.push(pairs[character] ?? '');
      else if (inJson && character === nesting.at(-1)) nesting.pop();
      word += character;
    }
  }
  const isOpen = quote !== '' || nesting.length > 0;
  const last = start === -1 ? { at: line.length, text: '' } : { at: start, text: word };
  return { words: start === -1 ? words : [...words, word], last, isOpen };
}

/** JSON begins a word, or follows `=`; `a[0]` is no list. */
function isValueStart(word: string): boolean {
  return word === '' || word.endsWith('=');
}
