import { expect, it } from 'vitest';
import { ago, clockTime, exactTime } from './times.js';

const now = new Date('2026-03-01T12:00:00.000Z');

it('says how long ago in the largest unit that says something', () => {
  const before = (seconds: number) => ago(new Date(now.getTime() - seconds * 1000).toISOString(), now);
  expect([0, 5, 59, 60, 3_599, 3_600, 86_399, 200_000].map(before)).toEqual([
    ...['now', '5 s ago', '59 s ago', '1 min ago', '59 min ago', '1 h ago', '23 h ago', '2 d ago'],
  ]);
});

it('shows a time of today without its day, and any other with it', () => {
  const today = clockTime(now.toISOString(), now);
  const earlier = clockTime('2026-01-02T03:04:05.678Z', now);
  expect(earlier.length).toBeGreaterThan(today.length);
  expect(earlier).toContain('2026');
});

it('shows the exact time with its zone, and as the gateway wrote it', () => {
  const at = '2026-01-02T03:04:05.678Z';
  expect(exactTime(at)).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:05\.678 [+-]\d\d:\d\d \(2026-01-02T03:04:05\.678Z\)$/);
});

it('leaves what is no time as it is', () => {
  for (const show of [clockTime, exactTime, ago]) expect(show('soon')).toBe('soon');
});
