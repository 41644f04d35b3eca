import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QmpInput, StrayByte } from './qmp-input.js';

/** The values of a stream that comes in these chunks; a stray byte is a number. */
function valuesOf(...chunks: (string | Buffer)[]): (string | number)[] {
  const input = new QmpInput();
  return chunks
    .flatMap((chunk) => input.push(Buffer.from(chunk as string)))
    .map((value) => (value instanceof StrayByte ? value.byte : value.toString()));
}

const code = (character: string): number => character.charCodeAt(0);

describe('QmpInput', () => {
  it.each([
    ['{"a":1}{"b":2}', ['{"a":1}', '{"b":2}']],
    ['{"a":"}{\\"]"}\n', ['{"a":"}{\\"]"}']],
    ['\r\n [1,{}] \t{"x":[]}\n', ['[1,{}]', '{"x":[]}']],
    ['12 nope{"a":1}"s"', ['12', 'nope', '{"a":1}', '"s"']],
    ['}]{}', [code('}'), code(']'), '{}']],
    [',:{}', [code(','), code(':'), '{}']],
    ['1,2 ', ['1', code(','), '2']],
    ['0x1 ', ['0', 'x', '1']],
    ['abc1"s"', ['abc', '1', '"s"']],
    ['{]{}', ['{]', '{}']],
    ['[[}{}', ['[[}', '{}']],
    ['{"a":[}]', ['{"a":[}]']],
    ['[-0,1.5,1e+5,1E9,0.1e-2]', ['[-0,1.5,1e+5,1E9,0.1e-2]']],
    ['{"a":', []],
    ['nope', []],
  ])('cuts %j', (text, values) => {
    expect(valuesOf(text)).toEqual(values);
  });

  it.each([
    ["{'a':'b'}", ['{"a":"b"}']],
    [`{'say "hi"':'it\\'s'}`, ['{"say \\"hi\\"":"it\'s"}']],
    [`{"it\\'s":"'"}`, [`{"it's":"'"}`]],
    [`{"it's":1}`, [`{"it's":1}`]],
    [`'a\\"b\\\\'`, ['"a\\"b\\\\"']],
    [`['}', "]", ']'][]`, ['["}", "]", "]"]', '[]']],
  ])('writes %s with double quotes', (text, values) => {
    expect(valuesOf(text)).toEqual(values);
  });

  it.each([
    ['{"a": @ {"b":1}', [code('@'), '{"b":1}']],
    ['@"x" y {}', [code('@'), '{}']],
    ['@\t1 2\r3 ', [code('@'), '3']],
    ['@ @ @\n@{}', [code('@'), code('@'), '{}']],
    ['{"a":"b\n{}', [0x0a, '{}']],
    ['{"a":"b\t","c":1}{}', [0x09, code(','), '"c"', code(':'), '1', code('}'), '{}']],
    ['[01,2]{}', [code('1'), code(','), '2', code(']'), '{}']],
    ['{"a":1.}{}', [code('}'), '{}']],
    ['-x{}', [code('x'), '{}']],
    ['%s{}', [code('%'), '{}']],
    ['\f{}', [0x0c, '{}']],
    ['/* {} */[]', [code('/'), '{}', code('*'), '[]']],
    ['\ufeff{}', [0xef, '{}']],
    ['Nope{}', [code('N'), '{}']],
  ])('drops what is half read at a stray byte, skips to the next mark, and starts afresh: %j', (text, values) => {
    expect(valuesOf(text)).toEqual(values);
  });

  it('starts afresh after 0xFF, 0x00 and 0x01, whatever was half read', () => {
    expect(valuesOf(Buffer.from('{"a":"x\xff{"b":1}', 'latin1'))).toEqual([0xff, '{"b":1}']);
    expect(valuesOf(Buffer.from('{"a":"\\\xff{"b":1}', 'latin1'))).toEqual([0xff, '{"b":1}']);
    expect(valuesOf('{"a":[', Buffer.of(0), '{"b":1}')).toEqual([0, '{"b":1}']);
    expect(valuesOf('@', Buffer.of(1, 0xff), '{"b":1}')).toEqual([code('@'), 1, 0xff, '{"b":1}']);
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
