import { describe, expect, it } from 'vitest';
import { ageText, clockText, sizeText, spanText } from './quantities.js';
import { compactJson, prettyJson } from './json-text.js';

describe('sizes and times for people', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.5 KiB'],
    [3 * 2 ** 30, '3 GiB'],
    [2n ** 63n, '8 EiB'],
    [123_456_789, '118 MiB'],
  ])('%s bytes: %s', (bytes, text) => expect(sizeText(bytes)).toBe(text));

  it.each([
    [0, '0s'],
    [61_000, '1m1s'],
    [3_600_000, '1h'],
    [90_061_000, '1d1h'],
    [-5, '0s'],
  ])('%i ms: %s', (span, text) => expect(spanText(span)).toBe(text));

  it('tells the age, and the clock with the date of another day', () => {
    expect(ageText('2026-01-01T00:00:00Z', Date.parse('2026-01-01T02:00:05Z'))).toBe('2h');
    const now = new Date(2026, 0, 2, 12);
    expect(clockText(new Date(2026, 0, 2, 3, 4, 5, 6).toISOString(), now)).toBe('03:04:05.006');
    expect(clockText(new Date(2026, 0, 1, 3, 4, 5, 6).toISOString(), now)).toBe('2026-01-01 03:04:05.006');
    expect([ageText('soon'), clockText('soon')]).toEqual(['soon', 'soon']);
  });
});

describe('JSON', () => {
  it('has all digits, and no character that a terminal obeys', () => {
    expect(prettyJson({ a: [1n, { b: 2n ** 64n }], c: {}, d: [], e: undefined })).toBe(
      '{\n  "a": [\n    1,\n    {\n      "b": 18446744073709551616\n    }\n  ],\n  "c": {},\n  "d": []\n}',
    );
    expect(compactJson({ a: '\u001b\u009b\u202e' })).toBe('{"a":"\\u001b\\u009b\\u202e"}');
    expect(JSON.parse(compactJson({ a: '\u009b' }))).toEqual({ a: '\u009b' });
  });
});
