import { expect, it } from 'vitest';
import { isRecord } from './is-record.js';

it.each([
  [{}, true],
  [{ a: 1 }, true],
  [null, false],
  [undefined, false],
  [[], false],
  ['{}', false],
  [1, false],
])('%j: %s', (value, is) => {
  expect(isRecord(value)).toBe(is);
});
