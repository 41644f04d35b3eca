import { expect, it } from 'vitest';
import { exactTimes, timeOfDay, zoneText } from './local-time.js';

it('a time has its day where that is not today', () => {
  const now = new Date(2026, 0, 2, 12).getTime();
  const morning = new Date(2026, 0, 2, 9, 3, 5, 7).getTime();
  expect(timeOfDay(morning, now)).toMatch(/^09:03:05[.,]007$/);
  expect(timeOfDay(morning - 86_400_000, now)).toMatch(/2026.*09:03:05[.,]007$/);
  expect(timeOfDay(NaN, now)).toBe('–');
});

it('the zone has its name and its distance', () => {
  expect(zoneText(new Date(2026, 0, 1))).toMatch(/^\S+ \(UTC[+-]\d\d:\d\d\)$/);
});

it('exact times are those of both clocks, where the VM could read its own', () => {
  const time = '2026-01-01T00:00:00.123Z';
  const [received, ofVm] = exactTimes({ time, timestamp: { seconds: 1767225600, microseconds: 42 } }).split('\n');
  expect(received).toMatch(/^received .* \(2026-01-01T00:00:00\.123Z\)$/);
  expect(ofVm).toBe("the VM's clock 2026-01-01T00:00:00.000042Z");
  for (const seconds of [-1, 2n ** 63n])
    expect(exactTimes({ time, timestamp: { seconds, microseconds: -1 } })).toBe(received);
});
