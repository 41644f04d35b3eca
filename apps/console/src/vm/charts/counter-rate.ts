/** A counter at a moment. */
export interface CounterReading {
  /** Milliseconds of a clock that never goes back. */
  readonly atMs: number;
  readonly value: bigint;
}

/** A whole number as a VM or an agent writes it; undefined for anything else. */
export function counterOf(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value;
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : undefined;
}

/**
 * How much a counter grew each second between two readings. The difference is exact whatever the size of the counters.
 * @returns null where that is not known: after a reset (it went back), or without time in between
 */
export function ratePerSecond(before: CounterReading | undefined, now: CounterReading): number | null {
  if (before === undefined) return null;
  const elapsedMs = now.atMs - before.atMs;
  const grown = now.value - before.value;
  return grown < 0n || elapsedMs <= 0 ? null : (Number(grown) * 1000) / elapsedMs;
}

/** The average of what `sum` counts for each of what `count` counts, between two readings; null where nothing was counted. */
export function meanBetween(
  before: { readonly sum: bigint; readonly count: bigint } | undefined,
  now: { readonly sum: bigint; readonly count: bigint },
): number | null {
  if (before === undefined) return null;
  const sum = now.sum - before.sum;
  const count = now.count - before.count;
  return sum < 0n || count <= 0n ? null : Number(sum) / Number(count);
}

/** Remembers counters by name and turns each new set of readings into rates. */
export class CounterRates {
  #before = new Map<string, CounterReading>();
  #session: string | null = null;

  /**
   * @param session of the VM; counters of another session are others, even where they are greater
   * @returns rates each second by name, null where not known
   */
  read(
    session: string | null,
    atMs: number,
    counters: ReadonlyMap<string, bigint>,
  ): ReadonlyMap<string, number | null> {
    if (session !== this.#session) this.#before = new Map();
    this.#session = session;
    const now = new Map([...counters].map(([name, value]) => [name, { atMs, value }] as const));
    const rates = new Map([...now].map(([name, reading]) => [name, ratePerSecond(this.#before.get(name), reading)]));
    this.#before = now;
    return rates;
  }
}
