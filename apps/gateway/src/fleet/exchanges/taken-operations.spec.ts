import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TakenOperations } from './taken-operations.js';

const name = (number: number) => `run-${number.toString(36)}`;

describe('operations that were taken', () => {
  it('are taken once each, in whatever order they come', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 300 }), { maxLength: 500 }), (numbers) => {
        const taken = new TakenOperations();
        const had = new Set<number>();
        for (const number of numbers) {
          expect(taken.take('A', name(number))).toBe(!had.has(number));
          had.add(number);
        }
      }),
    );
  });

  it('are remembered by node and by run', () => {
    const taken = new TakenOperations();
    expect([taken.take('A', 'x-1'), taken.take('B', 'x-1'), taken.take('A', 'y-1')]).toEqual([true, true, true]);
    expect([taken.take('A', 'x-1'), taken.take('B', 'x-1'), taken.take('A', 'y-1')]).toEqual([false, false, false]);
  });

  it('too long ago to be remembered are not taken', () => {
    const taken = new TakenOperations();
    const most = 2 ** 17;
    expect(taken.take('A', name(5))).toBe(true);
    expect(taken.take('A', name(most))).toBe(true);
    expect([taken.take('A', name(0)), taken.take('A', name(5)), taken.take('A', name(6))]).toEqual([
      false,
      false,
      true,
    ]);
    expect(taken.take('A', name(10 * most))).toBe(true);
    expect([taken.take('A', name(9 * most)), taken.take('A', name(9 * most + 1))]).toEqual([false, true]);
  });

  it.each(['', 'x', '-1', 'x-', 'x-A', `x-${'z'.repeat(11)}`, '1'])('are none by the name %j', (operation) => {
    expect(new TakenOperations().take('A', operation)).toBe(false);
  });
});
