import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BoundedRing } from './bounded-ring.js';

describe('a bounded ring', () => {
  it('keeps the newest within the number of items', () => {
    const ring = new BoundedRing<number>({ items: 3, weight: 100 });
    for (const item of [1, 2, 3, 4, 5]) ring.push(item, 1);
    expect(ring.toArray()).toEqual([3, 4, 5]);
    expect({ added: ring.added, dropped: ring.dropped, first: ring.at(0), past: ring.at(3) }).toEqual({
      ...{ added: 5, dropped: 2, first: 3, past: undefined },
    });
  });

  it('keeps the newest within the weight, and a heavy one alone', () => {
    const ring = new BoundedRing<string>({ items: 10, weight: 10 });
    ring.push('a', 4);
    ring.push('b', 4);
    ring.push('c', 4);
    expect(ring.toArray()).toEqual(['b', 'c']);
    ring.push('heavy', 50);
    expect(ring.toArray()).toEqual(['heavy']);
    ring.push('d', 1);
    expect(ring.toArray()).toEqual(['d']);
  });

  it('is empty after it was cleared', () => {
    const ring = new BoundedRing<number>({ items: 2, weight: 10 });
    for (const item of [1, 2, 3]) ring.push(item, 1);
    ring.clear();
    expect({ length: ring.length, added: ring.added, all: ring.toArray() }).toEqual({ length: 0, added: 0, all: [] });
    ring.push(4, 1);
    expect(ring.toArray()).toEqual([4]);
  });

  it('is what a list cut at its start would be', () => {
    const bounds = fc.record({ items: fc.integer({ min: 1, max: 5 }), weight: fc.integer({ min: 1, max: 12 }) });
    fc.assert(
      fc.property(bounds, fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 40 }), (limits, weights) => {
        const ring = new BoundedRing<number>(limits);
        let list: number[] = [];
        const sum = (items: readonly number[]) => items.reduce((total, weight) => total + weight, 0);
        for (const weight of weights) {
          ring.push(weight, weight);
          list.push(weight);
          while (list.length > 1 && (list.length > limits.items || sum(list) > limits.weight)) list = list.slice(1);
          expect(ring.toArray()).toEqual(list);
        }
      }),
    );
  });
});
