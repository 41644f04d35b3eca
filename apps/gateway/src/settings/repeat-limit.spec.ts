import { expect, it } from 'vitest';
import { RepeatLimit } from './repeat-limit.js';

it('lets ten through, then one for each interval with how many it stands for', () => {
  let now = 0;
  const limit = new RepeatLimit(() => now);
  const flood = (lines: number) => Array.from({ length: lines }, () => limit.admit('a')).filter((n) => n !== undefined);
  expect(flood(1000)).toEqual(Array.from({ length: 10 }, () => 0));
  now += 10_000;
  expect(flood(1000)).toEqual([990]);
  now += 10_000;
  expect(flood(1)).toEqual([999]);
});

it('forgets a flood that is over', () => {
  let now = 0;
  const limit = new RepeatLimit(() => now);
  for (let line = 0; line < 12; line++) limit.admit('a');
  now += 10_000;
  expect(limit.admit('a')).toBe(2);
  now += 10_000;
  expect(limit.admit('a')).toBe(0);
  expect(limit.admit('a')).toBe(0);
});

it('tells different lines apart, and remembers a bounded number of them', () => {
  const limit = new RepeatLimit(() => 0);
  for (let line = 0; line < 20; line++) limit.admit('a');
  expect(limit.admit('b')).toBe(0);
  for (let line = 0; line < 10_000; line++) limit.admit(`c${line}`);
  expect(limit.admit('a')).toBe(0);
});
