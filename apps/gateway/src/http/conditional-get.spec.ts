import { expect, it } from 'vitest';
import { clientHas, entityTag } from './conditional-get.js';

it('tags what is the same alike, as text and as bytes', () => {
  expect(entityTag('{}')).toMatch(/^"[\w-]{22}"$/);
  expect(entityTag(Buffer.from('{}'))).toBe(entityTag('{}'));
  expect(entityTag('{ }')).not.toBe(entityTag('{}'));
});

it.each([
  [undefined, false],
  ['', false],
  ['"a"', true],
  ['W/"a"', true],
  ['"b", W/"c" , "a"', true],
  ['*', true],
  ['"b"', false],
  ['a', false],
])('If-None-Match: %s', (header, known) => {
  expect(clientHas('"a"', header)).toBe(known);
});
