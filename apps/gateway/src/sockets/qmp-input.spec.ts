import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QmpInput } from './qmp-input.js';

/** The values of a stream that comes in these chunks; null stands for a cut. */
function valuesOf(...chunks: (string | Buffer)[]): (string | null)[] {
  const input = new QmpInput();
  return chunks.flatMap((chunk) => input.push(Buffer.from(chunk))).map((value) => value?.toString() ?? null);
}

describe('QmpInput', () => {
  it.each([
    ['{"a":1}{"b":2}', ['{"a":1}', '{"b":2}']],
    ['{"a":"}{\\"]"}\n', ['{"a":"}{\\"]"}']],
    ['\r\n [1,{}] \t{"x":[]}\n', ['[1,{}]', '{"x":[]}']],
    ['12 nope{"a":1}"s"', ['12', 'nope', '{"a":1}', '"s"']],
    ['}]{}', ['}', ']', '{}']],
    ['{"a":', []],
    ['nope', []],
  ])('cuts %j', (text, values) => {
    expect(valuesOf(text)).toEqual(values);
  });

  it('starts afresh after a control byte, whatever was half read', () => {
    expect(valuesOf(Buffer.from('{"a":"x\xff{"b":1}', 'latin1'))).toEqual([null, '{"b":1}']);
    expect(valuesOf('{"a":[', Buffer.of(0), '{"b":1}')).toEqual([null, '{"b":1}']);
  });

  it('finds the same values however the stream is chunked', () => {
    const texts = fc.array(
      fc.tuple(
        fc.oneof(fc.object({ maxDepth: 3 }), fc.array(fc.string({ unit: 'binary' }))),
        fc.constantFrom('', '\n', '\r\n', ' '),
      ),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(texts, fc.array(fc.integer({ min: 1, max: 9 })), (values, sizes) => {
        const expected = values.map(([value]) => JSON.stringify(value));
        const stream = Buffer.from(values.map(([value, gap]) => JSON.stringify(value) + gap).join(''));
        const chunks: Buffer[] = [];
        for (let at = 0, i = 0; at < stream.length; i++) {
          const size = sizes.length === 0 ? stream.length : sizes[i % sizes.length]!;
          chunks.push(stream.subarray(at, at + size));
          at += size;
        }
        expect(valuesOf(...chunks)).toEqual(expected);
      }),
    );
  });

  it('knows how much it holds of an unfinished value', () => {
    const input = new QmpInput();
    input.push(Buffer.from('{}{"a":'));
    expect(input.held).toBe(5);
    input.push(Buffer.from('1}'));
    expect(input.held).toBe(0);
  });
});
