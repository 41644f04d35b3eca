const doubleQuote = 0x22;
const singleQuote = 0x27;
const backslash = 0x5c;

/**
 * QMP as JSON: a QMP server takes strings in single quotes too, and the escape of one in either kind of string. Bytes
 * that are wrong in other ways stay so.
 *
 * @param message one or more tokens, none of them cut
 */
export function inDoubleQuotes(message: Buffer): Buffer {
  const written = Buffer.allocUnsafe(2 * message.length);
  let length = 0;
  const write = (byte: number): void => {
    written[length++] = byte;
  };
  let quote: number | undefined;
  for (let at = 0; at < message.length; at++) {
    const byte = message[at] ?? 0;
    if (byte === backslash && quote !== undefined) {
      const next = message[++at] ?? 0;
      if (next !== singleQuote) write(backslash);
      write(next);
    } else if (byte === quote || (quote === undefined && (byte === doubleQuote || byte === singleQuote))) {
      quote = quote === undefined ? byte : undefined;
      write(doubleQuote);
    } else {
      if (byte === doubleQuote) write(backslash);
      write(byte);
    }
  }
  return written.subarray(0, length);
}
