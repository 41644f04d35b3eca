import { BoundedMap } from '../../bounds/bounded-map.js';

/** Operations of one run of a node that are remembered, a power of two. */
const remembered = 2 ** 17;
const mask = remembered - 1;
const bitsOfWord = 32;
/** Runs of one node, and nodes, of which any are remembered. */
const mostRuns = 2;
const mostNodes = 4000;
/** As entries name operations: a name of the run, a hyphen, and a number that counts up, of so many digits at most. */
const mostDigits = 10;
const radix = 36;

/** Numbers of one run. */
interface Numbers {
  highest: number;
  /** A bit for each of the last ones, by its number modulo their count. */
  readonly bits: Uint32Array;
}

/**
 * Which operations of other nodes were taken here, so that none is taken twice: the last 131,072 numbers of each run, as
 * one bit each. A number before those is taken for one that was.
 */
export class TakenOperations {
  readonly #byNode = new BoundedMap<string, BoundedMap<string, Numbers>>(mostNodes);

  /** Takes an operation. @returns false when it was taken before, or its name is none that an entry gives */
  take(node: string, operation: string): boolean {
    const hyphen = operation.lastIndexOf('-');
    if (hyphen < 1) return false;
    const number = numberOf(operation, hyphen + 1);
    return number >= 0 && takeNumber(this.#numbersOf(node, operation.slice(0, hyphen)), number);
  }

  #numbersOf(node: string, run: string): Numbers {
    let runs = this.#byNode.get(node);
    if (runs === undefined) this.#byNode.set(node, (runs = new BoundedMap(mostRuns)));
    let numbers = runs.get(run);
    if (numbers === undefined)
      runs.set(run, (numbers = { highest: -1, bits: new Uint32Array(remembered / bitsOfWord) }));
    return numbers;
  }
}

/** The number behind `from`, or -1 if there is none. */
function numberOf(text: string, from: number): number {
  if (from === text.length || text.length - from > mostDigits) return -1;
  let number = 0;
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const isDigit = code >= 0x30 && code <= 0x39;
    if (!isDigit && (code < 0x61 || code > 0x7a)) return -1;
    number = number * radix + (isDigit ? code - 0x30 : code - 0x61 + 10);
  }
  return number;
}

function takeNumber(numbers: Numbers, number: number): boolean {
  const { highest, bits } = numbers;
  if (!Number.isSafeInteger(number) || number <= highest - remembered) return false;
  if (number > highest) {
    if (number - highest >= remembered) bits.fill(0);
    else for (let skipped = highest + 1; skipped < number; skipped++) setBit(bits, skipped & mask, false);
    numbers.highest = number;
  } else if (hasBit(bits, number & mask)) return false;
  setBit(bits, number & mask, true);
  return true;
}

function hasBit(bits: Uint32Array, at: number): boolean {
  return (((bits[at >>> 5] ?? 0) >>> (at & 31)) & 1) === 1;
}

function setBit(bits: Uint32Array, at: number, value: boolean): void {
  const word = bits[at >>> 5] ?? 0;
  const bit = 1 << (at & 31);
  bits[at >>> 5] = value ? word | bit : word & ~bit;
}
