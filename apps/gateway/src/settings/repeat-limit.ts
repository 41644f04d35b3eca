import { BoundedMap } from '../bounds/bounded-map.js';

/** Lines that say the same: so many at once, then one for each further interval, with how many it stands for. */
const linesAtOnce = 10;
const intervalMs = 10_000;
/** Different lines remembered; past it the one seen first is forgotten, which only ever lets more through. */
const mostKeys = 10_000;

/** Keeps who can provoke a log line from filling the disk with it: a peer, a guest, a client. */
export class RepeatLimit {
  readonly #seen = new BoundedMap<string, { since: number; count: number; held: number }>(mostKeys);

  constructor(private readonly now: () => number = () => performance.now()) {}

  /**
   * @param key what the line says, without what differs each time
   * @returns how many like it were held back since the last one that was written; undefined: hold this one back
   */
  admit(key: string): number | undefined {
    const now = this.now();
    const seen = this.#seen.get(key);
    if (seen === undefined || now - seen.since >= intervalMs) {
      this.#seen.set(key, { since: now, count: seen !== undefined && seen.held > 0 ? linesAtOnce : 1, held: 0 });
      return seen?.held ?? 0;
    }
    if (seen.count >= linesAtOnce) {
      seen.held++;
      return undefined;
    }
    seen.count++;
    return 0;
  }
}
