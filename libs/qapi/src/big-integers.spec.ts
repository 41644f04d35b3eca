import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { transformBigIntegers } from './big-integers.js';
import type { JsonNode } from './json-node.js';
import { readJson } from './strict-json.js';

/** The same, made from the tokens the reader finds. */
function reference(text: string): string {
  const edits: JsonNode[] = [];
  const visit = (node: JsonNode): void => {
    if (node.kind === 'array') node.items.forEach(visit);
    else if (node.kind === 'object') node.members.forEach((member) => visit(member.value));
    else if (node.kind === 'number' && node.integer) edits.push(node);
  };
  visit(readJson(text).root);
  let result = '';
  let at = 0;
  for (const { start, end } of edits) {
    const digits = text.slice(start, end);
    const value = BigInt(digits);
    const beyond = value > BigInt(Number.MAX_SAFE_INTEGER) || value < -BigInt(Number.MAX_SAFE_INTEGER);
    result += text.slice(at, start) + (beyond ? `"${digits}"` : digits);
    at = end;
  }
  return result + text.slice(at);
}

const number = fc.oneof(
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(String),
  fc.constantFrom(-1n, 0n, 1n).chain((step) => fc.constantFrom(String(2n ** 53n + step), String(-(2n ** 53n) + step))),
  fc.constantFrom(
    '-0',
    '12345678901234567890.5',
    '12345678901234567890e3',
    '1E+40',
    '0.12345678901234567890',
    '-1e-20',
  ),
);
const token = fc.oneof(
  { weight: 3, arbitrary: number },
  fc.string({ unit: 'grapheme' }).map((text) => JSON.stringify(text)),
  fc.bigInt({ min: 2n ** 60n, max: 2n ** 64n }).map((digits) => `"\\"${digits}\\\\"`),
  fc.constantFrom('true', 'null', '{}', '[ ]'),
);
const separator = fc.constantFrom(',', ' ,\r\n\t');
const document = fc
  .array(fc.tuple(token, separator, fc.boolean()), { minLength: 1, maxLength: 12 })
  .map((tokens) => tokens.map(([text, space, inObject]) => (inObject ? `{"a" :${text}}` : text) + space).join(''))
  .map((list) => `[${list.replace(/[,\s]+$/, '')}]`);

describe('transformBigIntegers', () => {
  it('quotes the integers a browser would round and nothing else', () => {
    fc.assert(
      fc.property(document, (text) => {
        expect(transformBigIntegers(text)).toBe(reference(text));
        expect(transformBigIntegers(Buffer.from(text)).toString()).toBe(reference(text));
      }),
      { numRuns: 1000 },
    );
  });

  it('gives back the same object when there is nothing to do', () => {
    const reply = Buffer.from('{"a": 9007199254740991, "b": "9007199254740993", "c": "ü"}');
    expect(transformBigIntegers(reply)).toBe(reply);
  });

  it('finds a number wherever it stands', () => {
    for (let offset = 0; offset < 40; offset++) {
      const space = ' '.repeat(offset);
      expect(transformBigIntegers(`[${space}9007199254740992]`)).toBe(`[${space}"9007199254740992"]`);
      expect(transformBigIntegers(`[${space}-9007199254740992`)).toBe(`[${space}"-9007199254740992"`);
      expect(transformBigIntegers(`[${space}9007199254740991]`)).toBe(`[${space}9007199254740991]`);
    }
  });

  it('leaves lone surrogates in strings as they are', () => {
    expect(transformBigIntegers('["\ud800",9007199254740993]')).toBe('["\ud800","9007199254740993"]');
  });

  it('takes a document that is one number', () => {
    expect(transformBigIntegers('18446744073709551615')).toBe('"18446744073709551615"');
  });

  it('passes on what is no JSON, byte for byte', () => {
    for (const text of ['inf', '{"a": "90071992547409930', '"\\', '-', '[nan, 0x9007199254740993000']) {
      expect(transformBigIntegers(text).replaceAll('"', '')).toBe(text.replaceAll('"', ''));
    }
  });

  it('does not fall over a string of many megabytes', () => {
    const text = `["${'9\\\\'.repeat(2_000_000)}",18446744073709551615]`;
    expect(transformBigIntegers(text).endsWith(',"18446744073709551615"]')).toBe(true);
  });
});
