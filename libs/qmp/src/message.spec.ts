import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MessageIds, MessageScanner, type Span } from './message.js';

function scan(text: string): {
  kind: string | null;
  part: (span: Span) => string | undefined;
  scanner: MessageScanner;
} {
  const line = Buffer.from(text);
  const scanner = new MessageScanner();
  const kind = scanner.scan(line, 0, line.length);
  return { kind, scanner, part: ({ start, end }) => (start < 0 ? undefined : line.toString('utf8', start, end)) };
}

describe('MessageScanner', () => {
  it('cuts an event into its parts as they were written', () => {
    const { kind, part, scanner } = scan(
      '{"timestamp": {"seconds": -1,  "microseconds": -1}, "event": "STOP", "data": {"a" : 1.0}}',
    );
    expect(kind).toBe('event');
    expect(part(scanner.event)).toBe('"STOP"');
    expect(part(scanner.data)).toBe('{"a" : 1.0}');
    expect(part(scanner.timestamp)).toBe('{"seconds": -1,  "microseconds": -1}');
  });

  it.each([
    ['{"return":{}}', 'return'],
    [' { "id" : 1 , "return" : [ ] } '.trim(), 'return'],
    ['{"error": {"class": "GenericError", "desc": ""}, "id": "x"}', 'error'],
    ['{"QMP":{"version":{},"capabilities":[]}}', 'greeting'],
    ['{"unknown": {"return": 1}, "event": "X"}', 'event'],
  ])('knows %s', (text, kind) => expect(scan(text).kind).toBe(kind));

  it.each([
    '{}',
    '[]',
    '1',
    '',
    '{',
    '{"return":{}',
    '{"return":{},"error":{}}',
    '{"return":1,"return":2}',
    '{"id":"x"}',
    '{"data":{"return":1}}',
    '{"return":inf}',
    '{"return" {}}',
    '{"\\u0072eturn":{}}',
    "{'return':{}}",
  ])('refuses %j', (text) => expect(scan(text).kind).toBeNull());

  it('finds the members in any order and spacing', () => {
    const members = { event: '"E"', data: '{"k": [1, "}"]}', timestamp: '{"seconds": 1}', id: '"i"', other: '[{}]' };
    fc.assert(
      fc.property(
        fc.shuffledSubarray(Object.keys(members) as (keyof typeof members)[], { minLength: 5 }),
        fc.constantFrom('', ' ', '\t ', '\r'),
        (keys, space) => {
          const text = `{${space}${keys.map((key) => `"${key}"${space}:${space}${members[key]}${space}`).join(`,${space}`)}}`;
          const { kind, part, scanner } = scan(text);
          expect(kind).toBe('event');
          for (const key of ['event', 'data', 'timestamp', 'id'] as const)
            expect(part(scanner[key])).toBe(members[key]);
          expect(scanner.end).toBe(text.length);
        },
      ),
    );
  });
});

describe('MessageIds', () => {
  const ids = new MessageIds('ab12');
  const cut = (text: string): { number: number; value: string } | null => {
    const line = Buffer.from(text);
    if (!ids.cutReturn(line, 0, line.length)) return null;
    return { number: ids.number, value: line.toString('utf8', ids.value.start, ids.value.end) };
  };

  it.each([
    ['{"return": {}, "id": "ab12-7"}', 7, '{}'],
    ['{"return":{"a":"\\"id\\": \\"ab12-1\\"}"},"id":"ab12-123"}', 123, '{"a":"\\"id\\": \\"ab12-1\\"}"}'],
    ['{"return": "x", "id": "ab12-0"}', 0, '"x"'],
  ])('cuts the value out of %s', (text, number, value) => expect(cut(text)).toEqual({ number, value }));

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
    '"ab12-7"}',
    '{}',
  ])('leaves %j to the scanner', (text) => expect(cut(text)).toBeNull());

  it('cuts what the scanner finds, for any value', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), fc.nat(), fc.boolean(), (value, number, compact) => {
        const text = compact
          ? `{"return":${value},"id":${ids.text(number)}}`
          : `{"return": ${value}, "id": ${ids.text(number)}}`;
        expect(cut(text)).toEqual({ number, value });
        const { kind, part, scanner } = scan(text);
        expect(kind).toBe('return');
        expect(part(scanner.return)).toBe(value);
        expect(part(scanner.id)).toBe(ids.text(number));
      }),
    );
  });
});
