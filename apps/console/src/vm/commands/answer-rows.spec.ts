import { expect, it } from 'vitest';
import { answerRows, openAtFirst } from './answer-rows.js';

const shown = (value: unknown, ...open: string[]) =>
  answerRows(value, new Set(open)).map(({ level, label = '', text, isOpen }) =>
    [level, label, text, isOpen === undefined ? '' : isOpen ? 'open' : 'closed'].join('|'),
  );

it('shows scalars exactly', () => {
  expect(shown(18446744073709551615n)).toEqual(['1||18446744073709551615|']);
  expect(shown('a"\n')).toEqual(['1||"a\\"\\n"|']);
  expect(shown(null)).toEqual(['1||null|']);
  expect(shown('x'.repeat(5000))[0]?.length).toBeLessThan(1100);
});

it('shows only what is open', () => {
  const value = { a: [1, { b: true }], 'c/d': {}, e: [] };
  expect(shown(value)).toEqual(['1||3 members|closed']);
  expect(shown(value, '', '/a')).toEqual([
    ...['1||3 members|open', '2|a|2 items|open', '3|0|1|', '3|1|1 member|closed', '2|c/d|0 members|', '2|e|0 items|'],
  ]);
});

it('opens a long list in parts', () => {
  const value = Array.from({ length: 1201 }, (_, at) => at);
  const rows = shown(value, '', '/1000..1200');
  expect(rows.slice(0, 5)).toEqual([
    ...['1||1201 items|open', '2|0 … 499|500 items|closed', '2|500 … 999|500 items|closed'],
    ...['2|1000 … 1200|201 items|open', '3|1000|1000|'],
  ]);
  expect(rows.length).toBe(4 + 201);
});

it('opens at first what fits, and always the root', () => {
  expect([...openAtFirst({ a: { b: { c: 1 } } })]).toEqual(['', '/a', '/a/b']);
  expect(openAtFirst(5)).toEqual(new Set());
  const wide = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`m${at}`, {}]));
  expect([...openAtFirst(wide)]).toEqual(['']);
  const rows = answerRows(wide, openAtFirst({ list: [wide, wide] }));
  expect(rows.length).toBe(501);
});
