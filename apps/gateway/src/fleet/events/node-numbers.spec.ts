import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NodeNumbers } from './node-numbers.js';
import { batchesOf, batchSizes, stored } from './numbered-batches.scene.js';

describe('the numbers of nodes', () => {
  it('show each event once, in order, and each that is not there as missed, whatever the stream drops, doubles or delays', () => {
    const streams = fc
      .tuple(batchSizes, batchSizes)
      .chain(([a, b]) => stored([...batchesOf('n', 'r1', [0, ...a]), ...batchesOf('n', 'r2', b)]));
    fc.assert(
      fc.property(streams, (stream) => {
        const numbers = new NodeNumbers();
        const known = new Map<string, number>();
        const [begins] = stream;
        if (begins !== undefined) known.set(begins.run, begins.first - 1);
        stream.forEach((read, at) => {
          const { batch, missed } = numbers.take(at + 1, read);
          const { run, first, last, lines } = batch;
          const before = known.get(run) ?? 0;
          if (lines.length > 0) expect(first).toBe(before + missed + 1);
          else expect(missed).toBe(Math.max(0, first - 1 - before));
          expect(lines).toEqual(Array.from({ length: lines.length }, (_, of) => `n ${run} ${first + of}`));
          if (lines.length > 0) expect(last).toBe(first + lines.length - 1);
          known.set(run, before + missed + lines.length);
        });
      }),
    );
  });

  it('are each node’s own', () => {
    const numbers = new NodeNumbers();
    const [a] = batchesOf('a', 'r', [2]);
    const [b] = batchesOf('b', 'r', [1]);
    const read = [a!, b!, a!, b!].map((batch, at) => numbers.take(at + 1, batch).batch.lines.length);
    expect(read).toEqual([2, 1, 0, 0]);
  });

  it('begin where a node is read first, and with 1 in the next run of it', () => {
    const numbers = new NodeNumbers();
    const [, one] = batchesOf('n', 'r1', [5, 1]);
    const [, two] = batchesOf('n', 'r2', [3, 1]);
    expect([one!, two!].map((batch, at) => numbers.take(at + 1, batch).missed)).toEqual([0, 3]);
  });

  it('miss nothing twice: neither after a hole that was told, nor in another stream', () => {
    const numbers = new NodeNumbers();
    const batches = batchesOf('n', 'r', [1, 1, 1, 1, 1, 1, 1]);
    const missed = (sequence: number, at: number) => numbers.take(sequence, batches[at]!).missed;
    expect(missed(1, 0)).toBe(0);
    numbers.told(3);
    expect(missed(4, 2)).toBe(0);
    expect(missed(5, 4)).toBe(1);
    numbers.forget();
    expect(missed(1, 6)).toBe(0);
  });
});
