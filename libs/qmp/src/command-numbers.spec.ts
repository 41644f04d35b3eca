import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CommandNumbers } from './command-numbers.js';

const none = () => false;

describe('CommandNumbers', () => {
  it('go round all numbers of three digits', () => {
    const numbers = new CommandNumbers(998);
    expect([numbers.next(none), numbers.next(none), numbers.next(none)]).toEqual([998, 999, 100]);
    const round = new Set(Array.from({ length: 900 }, () => numbers.next(none)));
    expect([round.size, Math.min(...round), Math.max(...round)]).toEqual([900, 100, 999]);
  });

  it('begin anywhere', () => {
    expect(new Set(Array.from({ length: 200 }, () => new CommandNumbers().next(none))).size).toBeGreaterThan(50);
  });

  it('have more digits only when all of three are in use', () => {
    const numbers = new CommandNumbers();
    const inFlight = new Set<number>();
    for (let count = 0; count < 1000; count++) {
      const number = numbers.next((taken) => inFlight.has(taken));
      expect(inFlight.has(number)).toBe(false);
      inFlight.add(number);
    }
    expect(Math.max(...inFlight)).toBe(1099);
  });

  it('are never those in flight, nor those that the latest sessions left unanswered', () => {
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.record({ kind: fc.constant('send' as const), answered: fc.boolean() }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('end' as const), answered: fc.constant(false) }) },
    );
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 999 }), fc.array(step, { maxLength: 300 }), (first, steps) => {
        const numbers = new CommandNumbers(first);
        const inFlight = new Set<number>();
        const left: number[] = [];
        for (const { kind, answered } of steps) {
          if (kind === 'end') {
            numbers.leave([...inFlight]);
            left.push(...inFlight);
            inFlight.clear();
            continue;
          }
          // The window.
          if (inFlight.size === 8) inFlight.delete([...inFlight][0] as number);
          const number = numbers.next((taken) => inFlight.has(taken));
          expect([inFlight.has(number), left.slice(-64).includes(number)]).toEqual([false, false]);
          if (!answered) inFlight.add(number);
        }
      }),
    );
  });
});
