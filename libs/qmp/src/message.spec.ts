import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MessageScanner, type Span } from './message.js';

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
