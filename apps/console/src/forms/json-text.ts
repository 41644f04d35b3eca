/** White space outside of strings. */
const token = /"(?:[^"\\]|\\.)*"|[^\s"]+|\s+/gsu;

/**
 * The text of a JSON value without the white space between its tokens; each token stays as it is written.
 * @returns undefined if the text is not one JSON value
 */
export function compactJson(text: string): string | undefined {
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  return text.replace(token, (part) => (/^\s/u.test(part) ? '' : part));
}

/** JSON's own form of a number: `-1.5e3`. */
export const jsonNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** A pointer (RFC 6901) to a member or an item. */
export function pointerBelow(pointer: string, step: string | number): string {
  return `${pointer}/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
