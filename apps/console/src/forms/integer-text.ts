/** Binary multiples, as QEMU and everyone around it reads them. */
const multiples: Readonly<Record<string, bigint>> = {
  k: 1n << 10n,
  m: 1n << 20n,
  g: 1n << 30n,
  t: 1n << 40n,
  p: 1n << 50n,
  e: 1n << 60n,
};

const written = /^([+-]?)(0x[0-9a-f]+|\d+)(?:\s*([kmgtpe])(?:i?b)?)?$/i;

/** An integer of more digits has no place in any type; reading it would take long. */
const mostDigits = 100;

/**
 * The integer that a text means: `4096`, `-1`, `0x1000`, `4GiB` (binary multiples).
 * @returns undefined if it means none
 */
export function integerOf(text: string): bigint | undefined {
  const match = text.length > mostDigits ? null : written.exec(text.trim());
  if (match === null) return undefined;
  const [, sign, digits = '', multiple] = match;
  if (multiple !== undefined && /^0x/i.test(digits)) return undefined;
  const size = BigInt(digits) * (multiple === undefined ? 1n : (multiples[multiple.toLowerCase()] ?? 1n));
  return sign === '-' ? -size : size;
}

const bitsOf: Readonly<Record<string, number>> = {
  int: 64,
  int8: 8,
  int16: 16,
  int32: 32,
  int64: 64,
  uint8: 8,
  uint16: 16,
  uint32: 32,
  uint64: 64,
  size: 64,
};

/**
 * What is odd about the size of an integer: `more than a uint8 holds`. Only the VM knows its widths for certain, so
 * this is a warning.
 * @returns undefined if nothing is; QEMU takes -1 for unsigned ones
 */
export function integerWarning(width: string, value: bigint): string | undefined {
  const bits = BigInt(bitsOf[width] ?? 64);
  const unsigned = width.startsWith('u') || width === 'size';
  const most = (1n << (unsigned ? bits : bits - 1n)) - 1n;
  if (value > most) return `more than the ${most} of ${width}`;
  const least = -(1n << (bits - 1n));
  return value < least ? `less than the ${least} of ${width}` : undefined;
}
