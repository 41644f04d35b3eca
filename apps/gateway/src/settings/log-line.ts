/** DEL, the controls of C1, marks and turns of the direction of text, ends of line and paragraph of Unicode. */
const obeyed = /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
const everyObeyed = new RegExp(obeyed, 'g');

/**
 * A line of JSON as a log may have it, whoever reads it with what: JSON escapes the controls of ASCII, this the others
 * that terminals and editors obey. It means the same.
 */
export function escapeControls(line: string): string {
  if (!obeyed.test(line)) return line;
  return line.replace(everyObeyed, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
