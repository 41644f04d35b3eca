import { describe, expect, it } from 'vitest';
import { byteRateText, bytesText, countText, durationText, rateText } from './quantities.js';

describe('quantities', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.5 KiB'],
    [10n * 1024n ** 3n, '10 GiB'],
    [2n ** 64n - 1n, '16 EiB'],
    [undefined, '–'],
  ])('bytes %s: %s', (bytes, text) => {
    expect(bytesText(bytes)).toBe(text);
  });

  it('rates have their second, or a dash', () => {
    expect([byteRateText(2048), byteRateText(null), rateText(1234), rateText(null)]).toEqual([
      ...['2 KiB/s', '–', '1.23 k/s', '–'],
    ]);
    expect([countText(999), countText(20_000_000), countText(3e9)]).toEqual(['999', '20 M', '3 G']);
  });

  it.each([
    [120, '120 ms'],
    [40_000, '40 s'],
    [200_000, '3 min 20 s'],
    [7_500_000, '2 h 5 min'],
    [7_200_000, '2 h'],
    [260_000_000, '3 d'],
    [NaN, '–'],
  ])('%s ms: %s', (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });
});
