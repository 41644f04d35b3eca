const quote = 0x22;
const backslash = 0x5c;

/** White space of JSON, anywhere. */
const anySpace = /[\t\n\r ]/;

/**
 * JSON without its insignificant white space, every other character as it was. QEMU takes some 3 µs for each byte that
 * it reads; finding and leaving out one takes some 10 ns. One pass and one copy, whatever the text.
 *
 * @param json well-formed
 */
export function withoutWhiteSpace(json: string): string {
  if (!anySpace.test(json)) return json;
  const bytes = Buffer.from(json);
  let inString = false;
  let to = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (inString) {
      if (byte === backslash) bytes[to++] = bytes[at++] as number;
      else if (byte === quote) inString = false;
    } else if (byte === quote) inString = true;
    else if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) continue;
    bytes[to++] = bytes[at] as number;
  }
  return to === bytes.length ? json : bytes.toString('utf8', 0, to);
}
