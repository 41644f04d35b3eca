/** Control characters, C1 and those that change the direction of what follows: a terminal would obey them. */
const unsafe = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** A text that somebody else chose, on one line, with nothing in it that a terminal obeys. */
export function oneLine(text: string): string {
  return text.replace(unsafe, (character) => escapes[character] ?? codePoint(character));
}

/** The same, with its lines and tabs kept. */
export function shownLines(text: string): string {
  return text.replace(unsafe, (character) =>
    /[\n\t]/.test(character) ? character : character === '\r' ? '' : codePoint(character),
  );
}

const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function codePoint(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** East Asian wide characters and emoji take two columns, combining marks none. */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}]|[\u{20000}-\u{3fffd}]/u;
const combining = /\p{M}/u;

/** Columns that a text without control characters takes. */
export function columnsOf(text: string): number {
  if (/^[\u0020-\u007e]*$/.test(text)) return text.length;
  let columns = 0;
  for (const character of text) columns += combining.test(character) ? 0 : wide.test(character) ? 2 : 1;
  return columns;
}

/** A text cut to so many columns, with an ellipsis where something is missing. */
export function cutTo(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  let kept = '';
  let taken = 1;
  for (const character of text) {
    taken += columnsOf(character);
    if (taken > columns) break;
    kept += character;
  }
  return `${kept}…`;
}
