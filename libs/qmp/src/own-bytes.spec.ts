import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { copyOut, ownBytes } from './own-bytes.js';

/** Lengths on both sides of half of Node's pool, which is 8 KiB or 64 KiB by release: shorter copies come from it. */
const lengths = [0, 1, 511, 4095, 4096, 5000, 20_000, 32_767, 32_768, 100_000];

describe('bytes that are kept', () => {
  it.each(lengths)('hold little more memory than their own, cut from a chunk: %d', (length) => {
    const chunk = randomBytes(length + 70_000);
    const own = ownBytes(chunk.subarray(35_000, 35_000 + length));
    expect(own.equals(chunk.subarray(35_000, 35_000 + length))).toBe(true);
    expect(own.buffer.byteLength).toBeLessThanOrEqual(length + 512);
  });

  it.each(['from', 'concat'] as const)('hold no pool, made by Buffer.%s', (way) => {
    const text = randomBytes(5000);
    const made = way === 'from' ? Buffer.from(text) : Buffer.concat([text.subarray(0, 100), text.subarray(100)]);
    const own = ownBytes(made);
    expect([own.equals(text), own.buffer.byteLength]).toEqual([true, 5000]);
  });

  it('are left where they are, if their memory is theirs already', () => {
    const whole = Buffer.allocUnsafeSlow(5000);
    expect(ownBytes(whole)).toBe(whole);
  });
});

it.each(lengths)('a copy out of a buffer that is used again has the bytes of before: %d', (length) => {
  const reused = randomBytes(length + 20);
  const before = Uint8Array.prototype.slice.call(reused, 10, 10 + length);
  const copy = copyOut(reused.subarray(10, 10 + length));
  reused.fill(0);
  expect(Buffer.compare(copy, before)).toBe(0);
});
