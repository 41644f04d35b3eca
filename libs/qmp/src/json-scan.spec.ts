import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { skipValue } from './json-scan.js';

const scan = (text: string): number => {
  const bytes = Buffer.from(text);
  return skipValue(bytes, 0, bytes.length);
};

describe('skipValue', () => {
  it.each([
    '0',
    '-0',
    '-1.5e+10',
    '1E9',
    'true',
    'false',
    'null',
    '""',
    '"\\u00aF\\n"',
    '[]',
    '{}',
    '[1, [2]]',
    '{"a" : {"b":[]}}',
  ])('accepts %s', (text) => expect(scan(text)).toBe(text.length));

  it.each([
    '',
    '-',
    '01',
    '1.',
    '.5',
    '1e',
    '+1',
    'inf',
    '-inf',
    'nan',
    'NaN',
    'tru',
    "'a'",
    '"a',
    '"\t"',
    '"\\x"',
    '"\\u12g4"',
    '[1,]',
    '[1 2]',
    '[',
    '{',
    '{"a"}',
    '{"a":}',
    '{a:1}',
    '{"a":1,}',
    '{"a":inf}',
    ']',
  ])('refuses %j', (text) => expect(text !== '' && scan(text) === text.length).toBe(false));

  it('stops just past the value', () => expect(scan('{"a": [1]}, "id": 3')).toBe(10));

  it('agrees with JSON.parse on what is JSON, whole or damaged', () => {
    const damaged = fc
      .tuple(fc.json(), fc.nat(), fc.constantFrom('', '"', '\\', '}', ']', ',', ':', '0', 'e', '\n', '-', 'u'))
      .map(([text, at, put]) => text.slice(0, at % (text.length + 1)) + put + text.slice((at % (text.length + 1)) + 1));
    fc.assert(
      fc.property(fc.oneof(fc.json(), damaged), (text) => {
        const trimmed = text.trim();
        let valid = true;
        try {
          JSON.parse(trimmed);
        } catch {
          valid = false;
        }
        expect(trimmed !== '' && scan(trimmed) === Buffer.byteLength(trimmed)).toBe(valid);
      }),
      { numRuns: 2000 },
    );
  });

  it('bounds its depth', () => {
    expect(scan('['.repeat(1024) + ']'.repeat(1024))).toBe(2048);
    expect(scan('['.repeat(1025) + ']'.repeat(1025))).toBe(-1);
    expect(scan('{"a":'.repeat(100_000))).toBe(-1);
  });

  it('never reads past the end', () => {
    const bytes = Buffer.from('"abc" 12345 true [1]');
    expect(skipValue(bytes, 0, 3)).toBe(-1);
    expect(skipValue(bytes, 6, 8)).toBe(8);
    expect(skipValue(bytes, 12, 14)).toBe(-1);
    expect(skipValue(bytes, 17, 19)).toBe(-1);
  });
});
