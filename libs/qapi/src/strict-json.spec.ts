import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonNode } from './json-node.js';
import { JsonSyntaxError, readJson } from './strict-json.js';
import { findUnreadable } from './unreadable-character.js';

/** The value a node stands for, as `JSON.parse` would give it (null prototype where that matters). */
function valueOf(node: JsonNode, text: string): unknown {
  switch (node.kind) {
    case 'object':
      return Object.fromEntries(node.members.map((member) => [member.name, valueOf(member.value, text)]));
    case 'array':
      return node.items.map((item) => valueOf(item, text));
    case 'number':
      return Number(text.slice(node.start, node.end));
    case 'null':
      return null;
    default:
      return node.value;
  }
}

/** Every token of the document put together again from the nodes' offsets. */
function rewrite(node: JsonNode, text: string): string {
  if (node.kind !== 'object' && node.kind !== 'array') return text.slice(node.start, node.end);
  let written = '';
  let at = node.start;
  for (const child of node.kind === 'array' ? node.items : node.members.map((member) => member.value)) {
    written += text.slice(at, child.start) + rewrite(child, text);
    at = child.end;
  }
  return written + text.slice(at, node.end);
}

function failure(input: string | Uint8Array, maxDepth?: number): JsonSyntaxError {
  try {
    readJson(input, maxDepth === undefined ? {} : { maxDepth });
  } catch (error) {
    if (error instanceof JsonSyntaxError) return error;
    throw error;
  }
  throw new Error(`accepted: ${String(input)}`);
}

function reasonOf(text: string): string | undefined {
  try {
    readJson(text);
    return undefined;
  } catch (error) {
    return (error as JsonSyntaxError).reason;
  }
}

/** Every UTF-16 unit as an escape. */
const escaped = (text: string): string =>
  Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');

/** What only the strict reader refuses; a text it refuses for another reason must be refused by JSON.parse too. */
const EXTRAS = /duplicate|surrogate|noncharacter|nested deeper|zero with an exponent/;

describe('readJson', () => {
  it('reads what JSON.parse reads, and can give back every byte', () => {
    const json = fc.json({ maxDepth: 6, stringUnit: 'binary' }).filter((text) => findUnreadable(text) === undefined);
    const spaced = fc.tuple(json, fc.constantFrom(0, 1, '\t')).map(([text, indent]) => {
      return indent === 0 ? text : JSON.stringify(JSON.parse(text), null, indent).replaceAll('\n', ' \r\n');
    });
    fc.assert(
      fc.property(spaced, (text) => {
        const { root } = readJson(text);
        expect(valueOf(root, text)).toEqual(JSON.parse(text));
        expect(rewrite(root, text)).toBe(text);
        expect(readJson(Buffer.from(text))).toEqual({ text, root });
      }),
    );
  });

  it('refuses what JSON.parse refuses, and more only for its own reasons', () => {
    const part = fc.constantFrom(
      ...'{}[],:"\\ \n-+.eE0129tfnu/'.split(''),
      'true',
      'null',
      '\\u00e9',
      '\\ud83d',
      '\\ude00',
      '\ud83d',
      '\ude00',
      '"a":',
      '"a"',
      '1',
      '\u0001',
      '\u007f',
      '\u2028',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const text = parts.join('');
        let parsed = true;
        try {
          JSON.parse(text);
        } catch {
          parsed = false;
        }
        let refusal: string | undefined;
        try {
          readJson(text);
        } catch (error) {
          expect(error).toBeInstanceOf(JsonSyntaxError);
          refusal = (error as JsonSyntaxError).reason;
        }
        if (!parsed) expect(refusal).toBeDefined();
        else if (refusal !== undefined) expect(refusal).toMatch(EXTRAS);
      }),
      { numRuns: 3000 },
    );
  });

  it('refuses duplicate names at any depth, compared decoded', () => {
    expect(failure('{"a":1,"b":[{"x":1,"\\u0078":2}]}').reason).toBe('duplicate member name "x"');
    expect(failure('{"__proto__":1,"__proto__":2}').reason).toContain('duplicate');
    const many = Array.from({ length: 30 }, (_, index) => `"m${index}":0`).join();
    expect(readJson(`{${many}}`).root).toMatchObject({ kind: 'object' });
    expect(failure(`{${many},"m3":1}`).reason).toBe('duplicate member name "m3"');
    expect(failure(`{${many},"m29":1}`).reason).toBe('duplicate member name "m29"');
  });

  it('keeps names that objects have by birth apart from values', () => {
    const { root } = readJson('{"__proto__":1,"constructor":2,"toString":3}');
    expect(root.kind === 'object' && root.members.map((member) => member.name)).toEqual([
      '__proto__',
      'constructor',
      'toString',
    ]);
  });

  it.each([
    ['"\\ud83d"', 1],
    ['"\\ude00"', 1],
    ['"\\ud83d\\u0041"', 1],
    ['"\\ud83dx"', 1],
    ['"\ud83d"', 1],
    ['"x\ude00"', 2],
    ['"\ud83d\\ude00"', 1],
    ['"\\ud83d\ude00"', 1],
    ['{"\\ud83d":1}', 2],
  ])('refuses the lone surrogate in %j', (text, offset) => {
    expect(failure(text)).toMatchObject({ reason: expect.stringMatching(/^lone surrogate U\+D[89AC-F]/), offset });
  });

  it('refuses every noncharacter and no other character, raw and escaped, and says where it is', () => {
    const refused: number[] = [];
    const otherwise: number[] = [];
    for (let codePoint = 0; codePoint <= 0x10ffff; codePoint++) {
      // Of the planes behind the first, their edges: what is between is alike.
      if (codePoint > 0xffff && ((codePoint + 0x40) & 0xffff) >= 0x80) continue;
      if (codePoint < 0x20 || codePoint === 0x22 || codePoint === 0x5c || (codePoint & 0x1ff800) === 0xd800) continue;
      const character = String.fromCodePoint(codePoint);
      const reason = reasonOf(`"a${character}"`);
      if (reason !== undefined) refused.push(codePoint);
      const alike = reasonOf(`"a${escaped(character)}"`) === reason;
      if (!alike || (findUnreadable(character) === undefined) !== (reason === undefined)) otherwise.push(codePoint);
    }
    expect(otherwise).toEqual([]);
    const planes = Array.from({ length: 17 }, (_, plane) => [plane * 0x10000 + 0xfffe, plane * 0x10000 + 0xffff]);
    const arabic = Array.from({ length: 32 }, (_, at) => 0xfdd0 + at);
    expect(refused).toEqual([...arabic, ...planes.flat()]);
    expect(failure('{"a\\u00e9":"é\\uD83F\\uDFFE"}')).toMatchObject({
      reason: 'noncharacter U+1FFFE in a string',
      offset: 13,
    });
    expect(failure(Buffer.from('{"é\u{10ffff}":1}'))).toMatchObject({
      reason: 'noncharacter U+10FFFF in a string',
      offset: 3,
    });
  });

  it('counts tokens only where there are more than a QMP server reads', () => {
    const most = (2 ** 21 - 16) / 2;
    expect(readJson(`[${'1,'.repeat(most - 2)}1]`).root.kind).toBe('array');
    expect(failure(`[${'1,'.repeat(most - 1)}1]`).reason).toBe('over 2097136 tokens');
    expect(readJson(`["${'x'.repeat(2 ** 21)}"]`).root.kind).toBe('array');
  });

  it('takes surrogate pairs, raw and escaped', () => {
    expect(readJson('"😀\\ud83d\\uDE00\\u0000"').root).toMatchObject({ value: '😀😀\0' });
  });

  it('counts objects and arrays together up to 64', () => {
    const nested = (depth: number): string => '{"a":['.repeat(depth / 2) + ']}'.repeat(depth / 2);
    expect(readJson(nested(64)).root.kind).toBe('object');
    expect(failure(nested(66))).toMatchObject({ reason: 'nested deeper than 64', offset: 64 * 3 });
    expect(failure('['.repeat(1_000_000)).reason).toBe('nested deeper than 64');
    expect(failure('[[[]]]', 2).offset).toBe(2);
  });

  it('says where bytes stop being UTF-8', () => {
    const bad = Buffer.concat([Buffer.from('{"ä\uFFFD":\n"ö'), Buffer.from([0xc0, 0x80]), Buffer.from('"}')]);
    expect(failure(bad)).toMatchObject({ reason: 'not well-formed UTF-8', offset: 13, line: 2, column: 3 });
    expect(failure(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]))).toMatchObject({ offset: 1 });
    expect(failure(Buffer.from([0x22, 0x61, 0xe2, 0x82]))).toMatchObject({ offset: 2 });
  });

  it('reads a view into a larger buffer', () => {
    const bytes = new Uint8Array(Buffer.from('xx[1,2]yy'));
    expect(readJson(bytes.subarray(2, 7)).text).toBe('[1,2]');
  });

  it.each([
    ['', 'expected a JSON value, found the end of the text', 1, 1],
    ['\uFEFF{}', 'byte order mark', 1, 1],
    ['{} {}', 'more text after the JSON value', 1, 4],
    ['{"a":1,\r\n "b" 2}', `expected ':' after the member name, found "2"`, 2, 6],
    ['[1,\n2,\n]', 'expected a JSON value, found "]"', 3, 1],
    ["{'a':1}", `expected a member name in double quotes, found "'"`, 1, 2],
    ['"a\tb"', 'control character in a string', 1, 3],
    ['"abc', 'unterminated string', 1, 1],
    ['"\\x"', 'bad escape in a string', 1, 2],
    ['"\\u12"', 'bad escape in a string', 1, 2],
    ['012', 'number with a leading zero', 1, 1],
    ['[0e0]', 'zero with an exponent', 1, 2],
    ['-0E5', 'zero with an exponent', 1, 1],
    ['1.', 'expected a digit, found the end of the text', 1, 3],
    ['-x', 'expected a digit, found "x"', 1, 2],
    ['1e+', 'expected a digit, found the end of the text', 1, 4],
    ['nul', 'expected a JSON value, found "n"', 1, 1],
    ['NaN', 'expected a JSON value, found "N"', 1, 1],
    ['[1 // x\n]', `expected ',' or ']', found "/"`, 1, 4],
  ])('refuses %j: %s', (text, reason, line, column) => {
    expect(failure(text)).toMatchObject({ reason, line, column });
    expect(failure(text).message).toBe(`line ${line}, column ${column}: ${reason}`);
  });

  it('tells integers written in digits from other numbers', () => {
    const { text, root } = readJson('[10,-0,1.0,1e3,18446744073709551616]');
    const items = root.kind === 'array' ? root.items : [];
    expect(items.map((item) => item.kind === 'number' && item.integer)).toEqual([true, true, false, false, true]);
    expect(items.map((item) => text.slice(item.start, item.end)).at(-1)).toBe('18446744073709551616');
  });

  // Were this quadratic, the test would run into its time limit.
  it('is not slowed down by hostile input', () => {
    expect(
      failure(Buffer.concat([Buffer.from('"' + '\uFFFD'.repeat(300_000)), Buffer.from([0xff, 0x22])])),
    ).toBeDefined();
    const { root } = readJson(`{${Array.from({ length: 100_000 }, (_, index) => `"${index}":0`).join()}}`);
    expect(root.kind === 'object' && root.members.length).toBe(100_000);
  });
});
