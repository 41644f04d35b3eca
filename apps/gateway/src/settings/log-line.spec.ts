import fc from 'fast-check';
import { expect, it } from 'vitest';
import { escapeControls } from './log-line.js';

it('leaves nothing in a line of JSON that a terminal would obey, and means the same', () => {
  const controls = ['\0', '\n', '\u001b', '\x7f', '\x9b', '\u061c', '\u200e', '\u2028', '\u202e', '\u2069'];
  const texts = fc.string({
    unit: fc.oneof(fc.constantFrom(...controls), fc.string({ unit: 'grapheme', maxLength: 1 })),
  });
  fc.assert(
    fc.property(texts, (text) => {
      const line = escapeControls(JSON.stringify({ text }));
      expect(JSON.parse(line)).toEqual({ text });
      expect(line).not.toMatch(/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u);
    }),
  );
});

it('leaves other lines as they are', () => {
  expect(escapeControls('{"é":"😀"}\n')).toBe('{"é":"😀"}\n');
});
