import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OutputRing } from './output-ring.js';

describe('the kept output of a line', () => {
  it('is the newest bytes, each at its position, however they came', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40_000 }),
        fc.array(fc.oneof(fc.nat(50), fc.nat(9000), fc.nat(60_000)), { maxLength: 30 }),
        (most, lengths) => {
          const ring = new OutputRing(most);
          let all: Buffer = Buffer.alloc(0);
          for (const [index, length] of lengths.entries()) {
            const chunk = Buffer.alloc(length, index + 1);
            ring.push(chunk);
            all = Buffer.concat([all, chunk]);
            expect(ring.end).toBe(all.length);
            expect(ring.end - ring.start).toBe(Math.min(all.length, most));
            expect(ring.read(ring.start, Infinity).equals(all.subarray(ring.start))).toBe(true);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is read in parts', () => {
    const ring = new OutputRing(8);
    ring.push(Buffer.from('0123456789'));
    expect([ring.start, ring.end]).toEqual([2, 10]);
    expect(ring.read(4, 3).toString()).toBe('456');
    expect(ring.read(8, 100).toString()).toBe('89');
    expect(ring.read(10, 100)).toHaveLength(0);
  });
});
