const refused = /[\p{Noncharacter_Code_Point}\p{Surrogate}]/u;
/** One of them, half of a character, or an escape that may stand for either: found fast, and in few messages. */
const suspect = /[\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]|\\u[dDfF]/;
const escape = /\\(?:u([0-9a-fA-F]{4})|[^])/g;

/**
 * Whether the JSON reader of a QMP server takes every character of a message. QEMU refuses noncharacters and lone
 * surrogates, raw and escaped, and answers without an id: one such message from one caller would end the session of all.
 * Whoever makes commands from other people's text checks it first, with the place of what is wrong. This is for the text
 * they forgot, and cheap: few messages are looked at closely.
 *
 * @param message JSON, well-formed in every other way
 */
export function isReadable(message: string): boolean {
  if (!suspect.test(message)) return true;
  return !refused.test(message) && !refused.test(message.replace(escape, decoded));
}

/** Escapes next to each other stay so: two may be the halves of a pair. */
function decoded(_: string, hex: string | undefined): string {
  return hex === undefined ? ' ' : String.fromCharCode(parseInt(hex, 16));
}
