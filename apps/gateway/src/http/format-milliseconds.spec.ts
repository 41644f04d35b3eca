import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatMilliseconds } from './format-milliseconds.js';

test('is the time, to the microsecond', () => {
  expect(formatMilliseconds(0)).toBe('0.000');
  expect(formatMilliseconds(0.0524)).toBe('0.052');
  expect(formatMilliseconds(7.0049)).toBe('7.005');
  expect(formatMilliseconds(999.9996)).toBe('1000.000');
  expect(formatMilliseconds(600_000.25)).toBe('600000.250');
});

test('is a JSON number nearer than a microsecond, whatever the time', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), (ms) => {
      expect(Math.abs((JSON.parse(formatMilliseconds(ms)) as number) - ms)).toBeLessThanOrEqual(0.000_501);
    }),
  );
});
