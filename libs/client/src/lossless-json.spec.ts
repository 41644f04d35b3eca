import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonText, readJson, writeJson } from './lossless-json.js';

/** Makes the exact reader read the rest of a text, too. */
const wide = '12345678901234567890';

describe('readJson', () => {
  it('reads integers that a number holds exactly as numbers, others as bigint', () => {
    expect(readJson('[9007199254740991, 9007199254740992, -9007199254740993, 18446744073709551615, 7]')).toEqual([
      9007199254740991,
      9007199254740992n,
      -9007199254740993n,
      18446744073709551615n,
      7,
    ]);
  });

  it('reads numbers with a fraction or an exponent as numbers', () => {
    expect(readJson('[1e300, 1.0000000000000000001, 12345678901234567890.5]')).toEqual([
      1e300, 1, 12345678901234567890.5,
    ]);
  });

  it('reads what JSON.parse reads, by either of its ways', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        const parsed: unknown = JSON.parse(text);
        if (!/\d{16}/.test(text)) expect(readJson(text)).toEqual(parsed);
        // Generated floats may be huge integers in digits.
        const [exact] = readJson(`[${text},${wide}]`) as [unknown];
        expect(JSON.stringify(exact, (_, each: unknown) => (typeof each === 'bigint' ? Number(each) : each))).toBe(
          JSON.stringify(parsed),
        );
      }),
    );
  });

  it('refuses what JSON.parse refuses', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"',
      '\\',
      '1',
      '-',
      '01',
      'tru',
      'null',
      ' ',
      wide,
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('');
        let isJson = true;
        try {
          JSON.parse(text);
        } catch {
          isJson = false;
        }
        if (isJson) readJson(text);
        else expect(() => readJson(text)).toThrow(SyntaxError);
      }),
      { numRuns: 2000 },
    );
  });

  it('takes no member for the prototype', () => {
    const value = readJson(`{"__proto__":{"a":${wide}}}`) as object;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.keys(value)).toEqual(['__proto__']);
  });
});

describe('writeJson', () => {
  it('writes a JSON text as it is', () => {
    const value = { name: 'a', size: new JsonText('1.0'), rest: [new JsonText('{"b":12345678901234567890}')] };
    expect(writeJson(value)).toBe('{"name":"a","size":1.0,"rest":[{"b":12345678901234567890}]}');
  });

  it('writes integers of any size digit for digit', () => {
    const written = (value: bigint): void => {
      expect(writeJson({ a: [value] })).toBe(`{"a":[${value}]}`);
    };
    fc.assert(fc.property(fc.bigInt(), written));
  });

  it('writes everything else as JSON.stringify does', () => {
    const written = (value: unknown): void => {
      expect(writeJson(value)).toBe(JSON.stringify(value));
    };
    fc.assert(fc.property(fc.jsonValue(), written));
    const odd = { a: undefined, b: [undefined, () => 1], c: new Date(0), d: Object.create(null) as unknown };
    expect(writeJson(odd)).toBe(JSON.stringify(odd));
    expect(writeJson(undefined)).toBeUndefined();
  });

  it('refuses numbers that JSON does not have', () => {
    expect(() => writeJson({ a: NaN })).toThrow(TypeError);
    expect(() => writeJson([-Infinity])).toThrow(TypeError);
  });
});
