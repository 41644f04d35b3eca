import { describe, expect, it } from 'vitest';
import { isReadable } from './readable.js';

const noncharacters = [0xfdd0, 0xfdef, 0xfffe, 0xffff, 0x1fffe, 0x8ffff, 0x10fffe, 0x10ffff];
const neighbours = [0xfdcf, 0xfdf0, 0xfffd, 0x10000, 0x1fffd, 0x20000, 0x10fffd, 0xfeff, 0, 0x7f, 0x80, 0xd7ff, 0xe000];
const escaped = (text: string): string =>
  Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');

describe('isReadable', () => {
  it.each(noncharacters)('refuses the noncharacter %i, raw and escaped', (codePoint) => {
    const text = String.fromCodePoint(codePoint);
    expect(isReadable(`{"a":"x${text}"}`)).toBe(false);
    expect(isReadable(`{"a":"x${escaped(text)}"}`)).toBe(false);
    expect(isReadable(`{"${escaped(text).toUpperCase().replaceAll('U', 'u')}":1}`)).toBe(false);
  });

  it.each(neighbours)('takes its neighbour %i, raw and escaped', (codePoint) => {
    const text = String.fromCodePoint(codePoint);
    expect(isReadable(`{"a":"x${text}"}`)).toBe(true);
    expect(isReadable(`{"a":"x${escaped(text)}"}`)).toBe(true);
  });

  it.each(['\\ud800', '\\udfff', '\\ud83dx', '\\ude00\\ud83d', '\\ud83d\\n\\ude00', '\ud83d', '\ud83d\\ude00'])(
    'refuses the lone surrogate in %j',
    (text) => {
      expect(isReadable(`"${text}"`)).toBe(false);
    },
  );

  it('knows a backslash that is escaped itself', () => {
    expect(isReadable('"\\\\uffff"')).toBe(true);
    expect(isReadable('"\\\\\\uffff"')).toBe(false);
  });
});
