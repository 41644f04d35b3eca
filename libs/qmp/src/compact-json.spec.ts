import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withoutWhiteSpace } from './compact-json.js';

describe('withoutWhiteSpace', () => {
  it.each([
    ['{}', '{}'],
    ['{ }', '{}'],
    [
      ' { "a b" : [ 1 , "\\" \\\\" , " \\\\\\" " ] ,\r\n\t"ü 💾" : null } ',
      '{"a b":[1,"\\" \\\\"," \\\\\\" "],"ü 💾":null}',
    ],
    ['{"a": 9223372036854775807, "b": 1.50e+3}', '{"a":9223372036854775807,"b":1.50e+3}'],
    ['"a  b"', '"a  b"'],
    ['{"a":"\\u0020 \\t"}', '{"a":"\\u0020 \\t"}'],
  ])('makes %j %j', (json, compact) => expect(withoutWhiteSpace(json)).toBe(compact));

  it('changes nothing but white space outside of strings', () => {
    const space = fc.nat({ max: 3 }).map((count) => ' \t\r\n'.slice(0, count));
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), space, (value, indent) => {
        const compact = JSON.stringify(value);
        expect(withoutWhiteSpace(`${indent}${JSON.stringify(value, null, indent)}${indent}`)).toBe(compact);
        expect(withoutWhiteSpace(compact)).toBe(compact);
      }),
    );
  });

  it('takes megabytes of it in one pass', () => {
    const space = ' \n'.repeat(8 * 2 ** 20);
    const began = performance.now();
    expect(withoutWhiteSpace(`{${space}"a"${space}:[1${',1 '.repeat(100_000)}]}`)).toBe(
      `{"a":[1${',1'.repeat(100_000)}]}`,
    );
    // 32 MiB; some 0.1 s on a machine that does nothing else.
    expect(performance.now() - began).toBeLessThan(3000);
  });
});
