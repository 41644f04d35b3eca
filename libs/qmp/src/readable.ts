const refused = /[\p{Noncharacter_Code_Point}\p{Surrogate}]/u;
/** A noncharacter, half of a surrogate pair, or an escape that may be either: fast to find, and rare in messages. */
const suspect = /[\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]|\\u[dDfF]/;
const escape = /\\(?:u([0-9a-fA-F]{4})|[^])/g;

/**
 * Whether the JSON reader of a QMP server accepts every character of a message. QEMU rejects noncharacters and lone
 * surrogates, raw and escaped, and answers without an id: one such message from one caller would end the session for
 * everybody. Code that builds commands from user text checks it first and reports the place. This is the last check,
 * and cheap: it examines few messages closely.
 *
 * @param message JSON, well-formed in every other way
 */
export function isReadable(message: string): boolean {
  if (!suspect.test(message)) return true;
  return !refused.test(message) && !refused.test(message.replace(escape, decoded));
}

/** Keeps adjacent escapes adjacent: two may be the halves of a pair. */
function decoded(_: string, hex: string | undefined): string {
  return hex === undefined ? ' ' : String.fromCharCode(parseInt(hex, 16));
}
