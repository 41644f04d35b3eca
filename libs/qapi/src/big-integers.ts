/** 2^53-1: the largest integer that a JavaScript number (thus a browser's `JSON.parse`) represents safely. */
const MAX_SAFE_DIGITS = Array.from(String(Number.MAX_SAFE_INTEGER), (digit) => digit.charCodeAt(0));

/** Bytes of a buffer, or UTF-16 units of a string: the JSON grammar is ASCII in both. */
type Codes = Uint8Array | Uint16Array;

/**
 * `int64=string`: integers beyond ±(2^53-1) become strings of the same digits; every other byte stays unchanged,
 * including digits in strings and floats.
 *
 * @param json JSON as a server wrote it, assumed well-formed; other text is passed on unchanged or split harmlessly.
 * @returns the same object if nothing changes.
 */
export function transformBigIntegers(json: Buffer): Buffer;
export function transformBigIntegers(json: string): string;
export function transformBigIntegers(json: Buffer | string): Buffer | string {
  if (typeof json === 'string') {
    const found = findBigIntegers(unitsOf(json));
    return found.length === 0 ? json : withQuotes(found, (start, end) => json.slice(start, end), '"').join('');
  }
  const found = findBigIntegers(json);
  if (found.length === 0) return json;
  return Buffer.concat(withQuotes(found, (start, end) => json.subarray(start, end), Buffer.from('"')));
}

/** Start and end of a token. */
type Extent = readonly [start: number, end: number];

/** Splits the document before and after each token, with a quote at each split. */
function withQuotes<T>(tokens: readonly Extent[], slice: (start: number, end?: number) => T, quote: T): T[] {
  const pieces: T[] = [];
  let copied = 0;
  for (const [start, end] of tokens) {
    pieces.push(slice(copied, start), quote, slice(start, end), quote);
    copied = end;
  }
  pieces.push(slice(copied));
  return pieces;
}

function unitsOf(text: string): Uint16Array {
  const units = new Uint16Array(text.length);
  Buffer.from(units.buffer).write(text, 'utf16le');
  return units;
}

function findBigIntegers(codes: Codes): Extent[] {
  const found: Extent[] = [];
  if (!hasLongRun(codes)) return found;
  let at = 0;
  while (at < codes.length) {
    const code = codes[at];
    if (code === 0x22) {
      at = afterString(codes, at);
    } else if (code === 0x2d || isDigit(code)) {
      const start = at++;
      while (isDigit(codes[at])) at++;
      const digitsEnd = at;
      while (isNumberPart(codes[at])) at++;
      if (at === digitsEnd && isBeyondSafe(codes, code === 0x2d ? start + 1 : start, at)) found.push([start, at]);
    } else {
      at++;
    }
  }
  return found;
}

/**
 * Whether any run of digits is as long as a large integer. Most documents have none and need no further scan; such a
 * run covers one place in sixteen, so only those places are examined.
 */
function hasLongRun(codes: Codes): boolean {
  const length = MAX_SAFE_DIGITS.length;
  for (let probe = length - 1; probe < codes.length; probe += length) {
    if (!isDigit(codes[probe])) continue;
    let start = probe;
    while (start > probe - length && isDigit(codes[start - 1])) start--;
    let end = probe + 1;
    while (end < start + length && isDigit(codes[end])) end++;
    if (end - start >= length) return true;
  }
  return false;
}

/** Offset after the closing quote, or the end if there is none. */
function afterString(codes: Codes, open: number): number {
  let at = open + 1;
  while (at < codes.length) {
    const code = codes[at];
    if (code === 0x22) return at + 1;
    at += code === 0x5c ? 2 : 1;
  }
  return codes.length;
}

/**
 * JSON has no leading zeros, so a longer run of digits is a larger number, and equally long ones compare digit by
 * digit.
 */
function isBeyondSafe(codes: Codes, start: number, end: number): boolean {
  if (end - start !== MAX_SAFE_DIGITS.length) return end - start > MAX_SAFE_DIGITS.length;
  for (const [index, digit] of MAX_SAFE_DIGITS.entries()) {
    const difference = (codes[start + index] ?? 0) - digit;
    if (difference !== 0) return difference > 0;
  }
  return false;
}

const isDigit = (code: number | undefined): boolean => code !== undefined && code >= 0x30 && code <= 0x39;
/** `.`, `e`, `E`, `+`, `-` or a digit: the characters that may follow the integer part of a float. */
const isNumberPart = (code: number | undefined): boolean =>
  isDigit(code) || code === 0x2e || code === 0x65 || code === 0x45 || code === 0x2b || code === 0x2d;
