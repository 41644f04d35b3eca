const refused = /[\p{Noncharacter_Code_Point}\p{Surrogate}]/u;
/** An escape that may stand for one of them, or for half of one. */
const suspect = /\\u[dDfF]/;
const escape = /\\(?:u([0-9a-fA-F]{4})|[^])/g;

/**
 * Whether the JSON reader of a QMP server takes every character of a message. QEMU refuses noncharacters and lone
 * surrogates, raw and escaped, and answers without an id: one such message from one caller would end the session of all.
 * Whoever makes commands from other people's text checks it first, with the place of what is wrong. This is for the text
 * they forgot, and cheap: all of a message is looked at only where it is not ASCII or has an escape of that range.
 *
 * @param message JSON, well-formed in every other way
 */
export function isReadable(message: string): boolean {
  if (refused.test(message)) return false;
  return !suspect.test(message) || !refused.test(message.replace(escape, decoded));
}

/** Escapes next to each other stay so: two may be the halves of a pair. */
function decoded(_: string, hex: string | undefined): string {
  return hex === undefined ? ' ' : String.fromCharCode(parseInt(hex, 16));
}
