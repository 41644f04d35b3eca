import { expect, it } from 'vitest';
import { Backoff } from './backoff.js';

it('doubles its ceiling from 100 ms to 5 s and spreads over all of it', () => {
  const ceilings = new Backoff(() => 1);
  expect(Array.from({ length: 8 }, () => ceilings.next())).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000]);
  ceilings.reset();
  expect(ceilings.next()).toBe(100);
  const jitter = [0, 0.25, 0.999];
  const spread = new Backoff(() => jitter.shift() ?? 0);
  expect([spread.next(), spread.next(), spread.next()]).toEqual([0, 50, 0.999 * 400]);
});
