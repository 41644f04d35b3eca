import { ManualClock } from '@qmp-gateway/test-kit';
import { expect, it } from 'vitest';
import { LoginBackOff } from './login-back-off.js';

const failures = (backOff: LoginBackOff, address: string | undefined, count: number) =>
  Array.from({ length: count }, () => backOff.refused(address));

it('tells the first five at once, then later and later, up to five seconds', () => {
  const backOff = new LoginBackOff(new ManualClock());
  expect(failures(backOff, '10.0.0.1', 13)).toEqual([0, 0, 0, 0, 0, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
  expect(backOff.refused('10.0.0.2')).toBe(0);
});

it('forgets after ten quiet minutes', () => {
  const clock = new ManualClock();
  const backOff = new LoginBackOff(clock);
  failures(backOff, '10.0.0.1', 8);
  clock.advance(9 * 60_000);
  expect(backOff.refused('10.0.0.1')).toBe(800);
  clock.advance(10 * 60_000 + 1);
  expect(backOff.refused('10.0.0.1')).toBe(0);
});

it('takes a network of IPv6 for one sender', () => {
  const backOff = new LoginBackOff(new ManualClock());
  failures(backOff, '2001:db8:1:2::1', 5);
  expect(backOff.refused('2001:db8:1:2:ffff::9')).toBe(100);
  expect(backOff.refused('2001:db8:1:3::1')).toBe(0);
});

it('stays small under attempts from everywhere', () => {
  const backOff = new LoginBackOff(new ManualClock());
  failures(backOff, '10.9.9.9', 5);
  for (let at = 0; at < 10_000; at++) backOff.refused(`10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`);
  // The first sender was forgotten, the last ones were not.
  expect(backOff.refused('10.9.9.9')).toBe(0);
});
