import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SortedList } from './sorted-list.js';

const byNumber = (a: number, b: number): number => a - b;

describe('a sorted list', () => {
  it('is what a set in order is, whatever comes and goes', () => {
    const step = fc.tuple(fc.constantFrom('add', 'delete', 'read'), fc.integer({ min: 0, max: 300 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 600 }), (steps) => {
        const list = new SortedList(byNumber);
        const set = new Set<number>();
        for (const [what, value] of steps) {
          if (what === 'add' && !set.has(value)) {
            set.add(value);
            list.add(value);
          } else if (what === 'delete' && set.delete(value)) list.delete(value);
          else if (what === 'read')
            expect([...list.from((each) => each > value)]).toEqual(
              [...set].filter((each) => each > value).sort(byNumber),
            );
          expect(list.size).toBe(set.size);
        }
        expect([...list.from()]).toEqual([...set].sort(byNumber));
      }),
    );
  });
});
