/** The nesting that QEMU accepts; deeper text is rejected here too, so that scanning needs a bounded stack. */
const maxDepth = 1024;

const quote = 0x22;
const backslash = 0x5c;

/** Index of the first byte at or after `at` that is not JSON whitespace; at most `end`. */
export function skipSpace(bytes: Uint8Array, at: number, end: number): number {
  while (at < end) {
    const byte = bytes[at];
    if (byte !== 0x20 && byte !== 0x0d && byte !== 0x0a && byte !== 0x09) break;
    at++;
  }
  return at;
}

/**
 * Checks one JSON value (RFC 8259) that starts exactly at `at`, without decoding it.
 * @returns the index just past it, or -1 if it is malformed, cut off at `end`, or nested over 1,024 deep.
 */
export function skipValue(bytes: Uint8Array, at: number, end: number, depth = 0): number {
  switch (bytes[at]) {
    case 0x7b: // {
      return depth < maxDepth ? skipObject(bytes, at, end, depth) : -1;
    case 0x5b: // [
      return depth < maxDepth ? skipArray(bytes, at, end, depth) : -1;
    case quote:
      return skipString(bytes, at, end);
    case 0x74: // t
      return skipWord(bytes, at, end, 'true');
    case 0x66: // f
      return skipWord(bytes, at, end, 'false');
    case 0x6e: // n
      return skipWord(bytes, at, end, 'null');
    default:
      return skipNumber(bytes, at, end);
  }
}

/** Like `skipValue`, for a string; `at` is its opening quote. */
export function skipString(bytes: Uint8Array, at: number, end: number): number {
  if (bytes[at] !== quote || at >= end) return -1;
  at++;
  while (at < end) {
    const byte = bytes[at] as number;
    if (byte === quote) return at + 1;
    if (byte < 0x20) return -1;
    if (byte !== backslash) {
      at++;
      continue;
    }
    const escaped = at + 1 < end ? bytes[at + 1] : -1;
    if (escaped === 0x75) {
      if (at + 6 > end || !isHex(bytes, at + 2)) return -1;
      at += 6;
    } else if (isSimpleEscape(escaped)) {
      at += 2;
    } else {
      return -1;
    }
  }
  return -1;
}

function skipObject(bytes: Uint8Array, at: number, end: number, depth: number): number {
  at = skipSpace(bytes, at + 1, end);
  if (at < end && bytes[at] === 0x7d) return at + 1;
  for (;;) {
    at = skipString(bytes, at, end);
    if (at < 0) return -1;
    at = skipSpace(bytes, at, end);
    if (at >= end || bytes[at] !== 0x3a) return -1;
    at = skipSpace(bytes, at + 1, end);
    if (at >= end) return -1;
    at = skipValue(bytes, at, end, depth + 1);
    if (at < 0) return -1;
    at = skipSpace(bytes, at, end);
    if (at >= end) return -1;
    if (bytes[at] === 0x7d) return at + 1;
    if (bytes[at] !== 0x2c) return -1;
    at = skipSpace(bytes, at + 1, end);
  }
}

function skipArray(bytes: Uint8Array, at: number, end: number, depth: number): number {
  at = skipSpace(bytes, at + 1, end);
  if (at < end && bytes[at] === 0x5d) return at + 1;
  for (;;) {
    if (at >= end) return -1;
    at = skipValue(bytes, at, end, depth + 1);
    if (at < 0) return -1;
    at = skipSpace(bytes, at, end);
    if (at >= end) return -1;
    if (bytes[at] === 0x5d) return at + 1;
    if (bytes[at] !== 0x2c) return -1;
    at = skipSpace(bytes, at + 1, end);
  }
}

function skipWord(bytes: Uint8Array, at: number, end: number, word: string): number {
  if (at + word.length > end) return -1;
  for (let index = 1; index < word.length; index++) {
    if (bytes[at + index] !== word.charCodeAt(index)) return -1;
  }
  return at + word.length;
}

function skipNumber(bytes: Uint8Array, at: number, end: number): number {
  if (at < end && bytes[at] === 0x2d) at++;
  const integer = at;
  at = skipDigits(bytes, at, end);
  if (at === integer || (at > integer + 1 && bytes[integer] === 0x30)) return -1;
  if (at < end && bytes[at] === 0x2e) {
    const fraction = at + 1;
    at = skipDigits(bytes, fraction, end);
    if (at === fraction) return -1;
  }
  if (at < end && (bytes[at] === 0x65 || bytes[at] === 0x45)) {
    at++;
    if (at < end && (bytes[at] === 0x2b || bytes[at] === 0x2d)) at++;
    const exponent = at;
    at = skipDigits(bytes, at, end);
    if (at === exponent) return -1;
  }
  return at;
}

function skipDigits(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && isDigit(bytes[at])) at++;
  return at;
}

export function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

function isHex(bytes: Uint8Array, at: number): boolean {
  for (let index = at; index < at + 4; index++) {
    const byte = (bytes[index] as number) | 0x20;
    if (!isDigit(bytes[index]) && (byte < 0x61 || byte > 0x66)) return false;
  }
  return true;
}

/** `"` `\` `/` `b` `f` `n` `r` `t` */
function isSimpleEscape(byte: number | undefined): boolean {
  switch (byte) {
    case 0x22:
    case 0x5c:
    case 0x2f:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      return true;
    default:
      return false;
  }
}
