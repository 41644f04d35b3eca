import { expect, test } from 'vitest';
import { headerLines, headerList } from './header-lines.js';

test('headers are the same as lines and as a list', () => {
  const headers = { Vary: 'Origin', 'X-Text': 'a: b', Empty: '' };
  expect(headerLines(headers)).toBe('Vary: Origin\r\nX-Text: a: b\r\nEmpty: \r\n');
  expect(headerList(headerLines(headers))).toEqual(['Vary', 'Origin', 'X-Text', 'a: b', 'Empty', '']);
  expect(headerList('')).toEqual([]);
});
