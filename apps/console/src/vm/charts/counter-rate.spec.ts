import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { counterOf, CounterRates, meanBetween, ratePerSecond } from './counter-rate.js';

describe('a rate', () => {
  it('is what a counter grew in a second', () => {
    expect(ratePerSecond({ atMs: 1000, value: 10n }, { atMs: 3000, value: 30n })).toBe(10);
  });

  it('is exact near the end of 64 bits, where a number would round', () => {
    const value = 2n ** 64n - 1000n;
    expect(ratePerSecond({ atMs: 0, value }, { atMs: 1000, value: value + 3n })).toBe(3);
  });

  it('is not known after a reset, without a first reading, or without time', () => {
    expect(ratePerSecond({ atMs: 0, value: 10n }, { atMs: 1000, value: 9n })).toBeNull();
    expect(ratePerSecond(undefined, { atMs: 1000, value: 9n })).toBeNull();
    expect(ratePerSecond({ atMs: 5, value: 1n }, { atMs: 5, value: 9n })).toBeNull();
  });

  it('is never negative, and never anything but a number or null', () => {
    const reading = fc.record({
      atMs: fc.integer({ min: 0, max: 1e9 }),
      value: fc.bigInt({ min: 0n, max: 2n ** 64n }),
    });
    fc.assert(
      fc.property(reading, reading, (before, now) => {
        const rate = ratePerSecond(before, now);
        expect(rate === null || (Number.isFinite(rate) && rate >= 0)).toBe(true);
      }),
    );
  });
});

it('a mean is what was counted over how often', () => {
  expect(meanBetween({ sum: 100n, count: 1n }, { sum: 700n, count: 4n })).toBe(200);
  expect(meanBetween({ sum: 100n, count: 4n }, { sum: 100n, count: 4n })).toBeNull();
  expect(meanBetween({ sum: 100n, count: 4n }, { sum: 0n, count: 5n })).toBeNull();
  expect(meanBetween(undefined, { sum: 1n, count: 1n })).toBeNull();
});

it('a counter is a whole number of any size', () => {
  expect(counterOf(7)).toBe(7n);
  expect(counterOf(18446744073709551615n)).toBe(18446744073709551615n);
  for (const value of [1.5, NaN, 2 ** 60, '7', null, undefined]) expect(counterOf(value)).toBeUndefined();
});

describe('rates of many counters', () => {
  const counters = (value: bigint) => new Map([['a', value]]);

  it('begin anew in another session, where a counter may be greater by chance', () => {
    const rates = new CounterRates();
    expect(rates.read('e1', 0, counters(100n)).get('a')).toBeNull();
    expect(rates.read('e1', 1000, counters(150n)).get('a')).toBe(50);
    expect(rates.read('e2', 2000, counters(900n)).get('a')).toBeNull();
    expect(rates.read('e2', 3000, counters(1000n)).get('a')).toBe(100);
  });

  it('forget what is no longer counted', () => {
    const rates = new CounterRates();
    rates.read('e1', 0, counters(100n));
    rates.read('e1', 1000, new Map());
    expect(rates.read('e1', 2000, counters(300n)).get('a')).toBeNull();
  });
});
