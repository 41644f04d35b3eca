import { Ranking, Standing } from './ranking.js';

/** A source of numbered things in rising order. */
export interface Lane<T> {
  /** The next one; undefined at the end. Stays the same until `advance`. */
  peek(): T | undefined;
  advance(): void;
}

/**
 * Merges lanes by number. `visit` says whether to go on: false leaves the thing it was shown where it is.
 */
export function visitInOrder<T extends { readonly n: number }>(
  lanes: readonly Lane<T>[],
  visit: (thing: T) => boolean,
): void {
  const ranking = new Ranking<Lane<T>>();
  for (const lane of lanes) {
    const thing = lane.peek();
    if (thing !== undefined) ranking.weigh(new Standing(lane), -thing.n);
  }
  for (let first = ranking.top; first !== undefined; first = ranking.top) {
    const lane = first.holder;
    const thing = lane.peek();
    if (thing === undefined || !visit(thing)) return;
    lane.advance();
    const following = lane.peek();
    if (following === undefined) ranking.remove(first);
    else ranking.weigh(first, -following.n);
  }
}
