/** Cursor, attributes, sizes, modes, focus; and strings such as colours. */
const replies = /^(?:\u001b\[[?>=]?[\d;]*\$?[cnRtxyIO]|\u001b[P\]_^][^\u0007\u001b]*(?:\u001b\\|\u0007))+$/;

/**
 * Whether a terminal wrote this by itself, because output asked it to: where it is, what it is. Output that is shown again
 * asks again, and nobody has pressed a key.
 */
export function isTerminalReply(text: string): boolean {
  return replies.test(text);
}
