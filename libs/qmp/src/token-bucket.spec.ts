import { expect, it } from 'vitest';
import { TokenBucket } from './token-bucket.js';

it('gives a burst, then a steady rate', () => {
  const bucket = new TokenBucket({ perSecond: 100, burst: 3 }, 0);
  expect([bucket.take(0), bucket.take(0), bucket.take(0), bucket.take(0), bucket.take(0)]).toEqual([0, 0, 0, 10, 20]);
  expect(bucket.take(1000)).toBe(0);
  expect([bucket.take(1000), bucket.take(1000), bucket.take(1000)]).toEqual([0, 0, 10]);
});

it('lets through only what it has a token for, and owes nothing', () => {
  const bucket = new TokenBucket({ perSecond: 2, burst: 2 }, 0);
  const took = (now: number) => [bucket.tryTake(now), bucket.tokens];
  expect([took(0), took(0), took(0), took(250)]).toEqual([
    [true, 1],
    [true, 0],
    [false, 0],
    [false, 0.5],
  ]);
  expect(took(500)).toEqual([true, 0]);
  expect(took(60_000)).toEqual([true, 1]);
});
