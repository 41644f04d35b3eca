/** A gap as streams tell it. */
interface GapMessage {
  readonly data: {
    readonly vm: string | null;
    readonly from: string;
    readonly to: string;
    readonly missed: number | null;
  };
}

const gapMark = '"event":"gap"';

/**
 * Holds one unfiltered stream to account, at the cost of a few comparisons a message: numbers rise, none comes twice,
 * and what is left out is what gaps say was missed.
 */
export class EventTally {
  events = 0;
  gaps = 0;
  /** Sum of what gaps say; NaN when one did not know. */
  missed = 0;
  /** Number of the last event or gap. */
  last: number;
  readonly faults: string[] = [];
  readonly #prefix: string;
  #offset = -1;
  #waiting: { n: number; resolve: () => void } | undefined;

  /** @param cursor where the stream begins */
  constructor(cursor: string) {
    const dot = cursor.lastIndexOf('.');
    this.#prefix = `"cursor":"${cursor.slice(0, dot)}.`;
    this.start = this.last = Number(cursor.slice(dot + 1));
  }

  readonly start: number;

  /** Events that are neither here nor in a gap; 0 when all is accounted for. */
  get unaccounted(): number {
    return this.last - this.start - this.events - this.missed;
  }

  /** Messages of a chunk, given by their bounds in it. */
  take(chunk: Buffer, bounds: readonly number[]): void {
    const mayHoldGap = chunk.includes(gapMark);
    for (let i = 0; i < bounds.length; i += 2) {
      const [from, to] = [bounds[i] ?? 0, bounds[i + 1] ?? 0];
      const n = this.#number(chunk, from);
      if (!(n > this.last)) this.faults.push(`${n} after ${this.last}`);
      this.last = n;
      if (mayHoldGap && chunk.subarray(from, to).includes(gapMark)) this.#gap(chunk.toString('utf8', from, to));
      else this.events++;
    }
    if (this.#waiting !== undefined && this.last >= this.#waiting.n) this.#waiting.resolve();
  }

  /** Resolves when the stream has come to this number. */
  reached(n: number): Promise<void> {
    if (this.last >= n) return Promise.resolve();
    return new Promise((resolve) => (this.#waiting = { n, resolve }));
  }

  #gap(json: string): void {
    const message = JSON.parse(json) as GapMessage | { readonly params: GapMessage };
    const gap = 'params' in message ? message.params : message;
    this.gaps++;
    this.missed += gap.data.missed ?? NaN;
  }

  /** All messages of a stream have their cursor at the same place. */
  #number(chunk: Buffer, from: number): number {
    if (this.#offset < 0) this.#offset = chunk.indexOf(this.#prefix, from) - from + this.#prefix.length;
    let n = 0;
    for (let at = from + this.#offset; ; at++) {
      const digit = (chunk[at] ?? 0) - 0x30;
      if (digit < 0 || digit > 9) return n;
      n = n * 10 + digit;
    }
  }
}
