import { describe, expect, it } from 'vitest';
import { Backoff } from './backoff.js';
import { DialGate } from './dial-gate.js';
import { TokenBucket } from './token-bucket.js';

describe('Backoff', () => {
  it('doubles its ceiling from 100 ms to 5 s and spreads over all of it', () => {
    const ceilings = new Backoff(() => 1);
    expect(Array.from({ length: 8 }, () => ceilings.next())).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    ceilings.reset();
    expect(ceilings.next()).toBe(100);
    const jitter = [0, 0.25, 0.999];
    const spread = new Backoff(() => jitter.shift() ?? 0);
    expect([spread.next(), spread.next(), spread.next()]).toEqual([0, 50, 0.999 * 400]);
  });
});

describe('DialGate', () => {
  it('lets in no more than its limit, in the order asked', () => {
    const gate = new DialGate(2);
    const begun: number[] = [];
    const dials = [0, 1, 2, 3, 4].map((index) => () => void begun.push(index));
    for (const dial of dials) gate.enter(dial);
    expect(begun).toEqual([0, 1]);
    expect(gate.withdraw(dials[2]!)).toBe(true);
    expect(gate.withdraw(dials[0]!)).toBe(false);
    gate.leave();
    expect(begun).toEqual([0, 1, 3]);
    gate.leave();
    gate.leave();
    gate.leave();
    expect(begun).toEqual([0, 1, 3, 4]);
    expect(gate.active).toBe(0);
  });

  it('refuses a limit that would let nobody in', () => expect(() => new DialGate(0)).toThrow(RangeError));
});

describe('TokenBucket', () => {
  it('gives a burst, then a steady rate', () => {
    const bucket = new TokenBucket({ perSecond: 100, burst: 3 }, 0);
    expect([bucket.take(0), bucket.take(0), bucket.take(0), bucket.take(0), bucket.take(0)]).toEqual([0, 0, 0, 10, 20]);
    expect(bucket.take(1000)).toBe(0);
    expect([bucket.take(1000), bucket.take(1000), bucket.take(1000)]).toEqual([0, 0, 10]);
  });
});
