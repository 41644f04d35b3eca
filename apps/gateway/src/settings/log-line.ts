/** DEL, the controls of C1, marks and turns of the direction of text, ends of line and paragraph of Unicode. */
const obeyed = /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
const everyObeyed = new RegExp(obeyed, 'g');

/**
 * Makes a line of JSON safe to show in any terminal or editor. JSON escapes the control characters of ASCII; this escapes
 * the others that terminals and editors obey. The line keeps its meaning.
 */
export function escapeControls(line: string): string {
  if (!obeyed.test(line)) return line;
  return line.replace(everyObeyed, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
