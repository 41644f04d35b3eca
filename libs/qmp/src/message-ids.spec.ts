import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CommandNumbers } from './command-numbers.js';
import { MessageIds } from './message-ids.js';
import { MessageScanner } from './message.js';

const text = new MessageIds('ab12', new CommandNumbers());
const numbers = new MessageIds('ab12', new CommandNumbers());
numbers.useNumbers();

const none = () => false;

function cut(ids: MessageIds, line: string): { number: number; value: string } | null {
  const bytes = Buffer.from(line);
  if (!ids.cutReturn(bytes, 0, bytes.length)) return null;
  return { number: ids.number, value: bytes.toString('utf8', ids.value.start, ids.value.end) };
}

describe('ids that are text', () => {
  it.each([
    ['{"return": {}, "id": "ab12-7"}', 7, '{}'],
    ['{"return":{"a":"\\"id\\": \\"ab12-1\\"}"},"id":"ab12-123"}', 123, '{"a":"\\"id\\": \\"ab12-1\\"}"}'],
    ['{"return": "x", "id": "ab12-0"}', 0, '"x"'],
  ])('cut the value out of %s', (line, number, value) => expect(cut(text, line)).toEqual({ number, value }));

  it.each([
    '{"return": {}, "id": "ab1-7"}',
    '{"return": {}, "id": "xab12-7"}',
    '{"return": {}, "id": "ab12-"}',
    '{"return": {}, "id": "ab12-7 "}',
    '{"return": {}, "id": "ab12-7"} ',
    '{"return": {}, "error": {}, "id": "ab12-7"}',
    '{"return": , "id": "ab12-7"}',
    '{"return": inf, "id": "ab12-7"}',
    '{"return": {"a": 1, "id": "ab12-7"}',
    '{"return": {}, "idx": "ab12-7"}',
    '{"id": "ab12-7", "return": {}}',
    '{"event": "X", "id": "ab12-7"}',
    `{"return": {}, "id": "ab12-${'9'.repeat(30)}"}`,
    '{"return": {}, "id": 7}',
    '"ab12-7"}',
    '{}',
  ])('leave %j to the scanner', (line) => expect(cut(text, line)).toBeNull());

  it('count from 1', () => {
    const ids = new MessageIds('n', new CommandNumbers());
    expect([ids.next(none), ids.next(none)].map((number) => ids.text(number))).toEqual(['"n-1"', '"n-2"']);
  });
});

describe('ids that are numbers', () => {
  it.each([
    ['{"return": {}, "id": 100}', 100, '{}'],
    ['{"return":{"a":"\\"id\\": 101}"},"id":102}', 102, '{"a":"\\"id\\": 101}"}'],
    ['{"return":7,"id":999}', 999, '7'],
  ])('cut the value out of %s', (line, number, value) => expect(cut(numbers, line)).toEqual({ number, value }));

  it.each([
    '{"return": {}, "id": "100"}',
    '{"return": {}, "id": "ab12-1"}',
    '{"return": {}, "id": 100.0}',
    '{"return": {}, "id": 1e2}',
    '{"return": {}, "id": -100}',
    '{"return": {}, "id": 0100}',
    '{"return": {}, "id": [100]}',
    '{"return": {}, "id": 100 }',
    '{"return": {}, "id": 100} ',
    '{"return": {}, "idx": 100}',
    '{"return": inf, "id": 100}',
    '{"return": {"a": 1, "id": 100}',
    '{"id": 100, "return": {}}',
    `{"return": {}, "id": ${'9'.repeat(30)}}`,
    '{"return": 100}',
    '100}',
  ])('leave %j to the scanner', (line) => expect(cut(numbers, line)).toBeNull());

  it.each(['"100"', '100.0', '1e2', '-100', '0100', '[100]', '{"a":100}', 'null', '"ab12-1"'])(
    'are not what a former client sent: %s',
    (id) => expect(numbers.read(Buffer.from(id), 0, id.length)).toBe(-1),
  );

  it.each([
    ['{"id": 123, "return": "', 123],
    ['{"id":123,"error":{', 123],
    ['{ "id" : 123}', 123],
    ['{"id": "123", "return": "', -1],
    ['{"id": 123', -1],
    ['{"return": {"id": 123}', -1],
    ['{"id": 1230000000000000, "return": "', -1],
  ])('are found at the beginning of %j', (head, number) => expect(numbers.find(Buffer.from(head))).toBe(number));

  it.each([
    ['{"return": inf, "id": 123}', 123],
    ['x, "id":123}', 123],
    ['{"return": {"a": [1, 123}', -1],
    ['{"return": "\\"id\\": 123}', -1],
    ['123}', -1],
  ])('are read at the end of %j', (line, number) =>
    expect(numbers.readAtEnd(Buffer.from(line), 0, line.length)).toBe(number),
  );
});

it.each([text, numbers])('ids cut what the scanner finds, for any value', (ids) => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), fc.nat(), fc.boolean(), (value, number, compact) => {
      const id = ids.text(number);
      const line = compact ? `{"return":${value},"id":${id}}` : `{"return": ${value}, "id": ${id}}`;
      expect(cut(ids, line)).toEqual({ number, value });
      const bytes = Buffer.from(line);
      const scanner = new MessageScanner();
      expect(scanner.scan(bytes, 0, bytes.length)).toBe('return');
      expect(bytes.toString('utf8', scanner.return.start, scanner.return.end)).toBe(value);
      expect(bytes.toString('utf8', scanner.id.start, scanner.id.end)).toBe(id);
    }),
  );
});
