import fc from 'fast-check';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { GzipTail } from './gzip-tail.js';

it('is gzip of the beginning and the rest, whatever they are', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: 'grapheme', minLength: 1 }),
      async (head, tail) => {
        // Node checks the sums and the length at the end.
        expect(gunzipSync(await new GzipTail(tail).after(head)).toString()).toBe(head + tail);
      },
    ),
    { numRuns: 200 },
  );
});

it('compresses what documents have in common once', async () => {
  const tail = new GzipTail(JSON.stringify(Array.from({ length: 5000 }, (_, at) => ({ at, name: `name ${at % 7}` }))));
  const [one, other] = [await tail.after('{"id":1,'), await tail.after('{"id":2222,')];
  expect(one.length).toBeLessThan(40_000);
  // Header, beginning, rest, sums: the rest is the same.
  expect(one.subarray(-1000, -8).equals(other.subarray(-1000, -8))).toBe(true);
});
