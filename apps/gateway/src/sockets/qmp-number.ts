/** The state of a reader within a number; 0: not in one. */
export type NumberState = number;

const sign = 1;
const zero = 2;
const digits = 3;
const point = 4;
const fraction = 5;
const exponent = 6;
const exponentSign = 7;
const exponentDigits = 8;
/** The number ended before this byte. */
export const over = 9;
/** Not a number: `1.`, `01`. */
export const broken = 10;

/** What follows each state at a byte of each kind: 0, 1 to 9, `.`, `e` or `E`, `+`, `-`, any other. */
const next: readonly (readonly NumberState[])[] = [
  [zero, digits, 0, 0, 0, sign, 0],
  [zero, digits, broken, broken, broken, broken, broken],
  // A zero has no exponent in QEMU's grammar.
  [broken, broken, point, over, over, over, over],
  [digits, digits, point, exponent, over, over, over],
  [fraction, fraction, broken, broken, broken, broken, broken],
  [fraction, fraction, over, exponent, over, over, over],
  [exponentDigits, exponentDigits, broken, broken, exponentSign, exponentSign, broken],
  [exponentDigits, exponentDigits, broken, broken, broken, broken, broken],
  [exponentDigits, exponentDigits, over, over, over, over, over],
];

const kinds = new Uint8Array(256).fill(6);
kinds.set([0, ...Array<number>(9).fill(1)], 0x30);
kinds[0x2e] = 2;
kinds[0x65] = kinds[0x45] = 3;
kinds[0x2b] = 4;
kinds[0x2d] = 5;

/** The state after the next byte; 0 if it does not begin a number. */
export function numberAfter(state: NumberState, byte: number): NumberState {
  return next[state]?.[kinds[byte] ?? 6] ?? broken;
}
