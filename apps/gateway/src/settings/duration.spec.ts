import { describe, expect, it } from 'vitest';
import { parseDuration } from './duration.js';

describe('parseDuration', () => {
  it.each([
    ['5', 5000],
    ['5s', 5000],
    ['500ms', 500],
    ['10m', 600_000],
    ['0', 0],
    ['12h', 43_200_000],
    ['30d', 2_592_000_000],
  ])('reads %s', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  it.each(['', 's', '-1', '1.5', '5 s', '5S', '1e3', '0x10', '99999999999d', '5sec'])('refuses %j', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});
