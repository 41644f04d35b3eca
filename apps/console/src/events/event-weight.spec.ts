import { expect, it } from 'vitest';
import { weightOf } from './event-weight.js';

it('is about how long a value is as text', () => {
  expect(weightOf({ device: 'drive0' })).toBe(8 + 'device'.length + 8 + 'drive0'.length);
  expect(weightOf('x'.repeat(1000))).toBe(1008);
  expect(weightOf([1, 2n, null, true])).toBe(40);
});

it('is counted no further than its limit', () => {
  let looked = 0;
  const many = Array.from({ length: 1000 }, () => ({
    get text() {
      looked++;
      return 'x'.repeat(100);
    },
  }));
  expect(weightOf(many, 1000)).toBeGreaterThanOrEqual(1000);
  expect(looked).toBeLessThan(50);
});
