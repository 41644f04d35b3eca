import { Ranking, Standing } from './ranking.js';

/** A source of numbered things in rising order. */
export interface Sequence<T> {
  /** The next one; undefined at the end. Stays the same until `advance`. */
  peek(): T | undefined;
  advance(): void;
}

/**
 * Merges sequences by number. `visit` says whether to go on: false leaves the thing it was shown where it is.
 */
export function visitInOrder<T extends { readonly n: number }>(
  sequences: readonly Sequence<T>[],
  visit: (thing: T) => boolean,
): void {
  const ranking = new Ranking<Sequence<T>>();
  for (const sequence of sequences) {
    const thing = sequence.peek();
    if (thing !== undefined) ranking.weigh(new Standing(sequence), -thing.n);
  }
  for (let first = ranking.top; first !== undefined; first = ranking.top) {
    const sequence = first.holder;
    const thing = sequence.peek();
    if (thing === undefined || !visit(thing)) return;
    sequence.advance();
    const following = sequence.peek();
    if (following === undefined) ranking.remove(first);
    else ranking.weigh(first, -following.n);
  }
}
