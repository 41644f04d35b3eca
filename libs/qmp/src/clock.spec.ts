import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from './clock.js';

afterEach(() => {
  vi.useRealTimers();
});

describe('systemClock', () => {
  it('counts on whatever is done to the time of day', async () => {
    const [began, wall] = [systemClock.now(), systemClock.wall()];
    let fired = false;
    const timer = systemClock.schedule(60_000, () => (fired = true));
    vi.useFakeTimers({ toFake: ['Date'], now: wall + 3_600_000 });
    expect(systemClock.wall()).toBe(wall + 3_600_000);
    vi.setSystemTime(wall - 3_600_000);
    await new Promise((resolve) => setImmediate(resolve));
    const passed = systemClock.now() - began;
    expect([passed >= 0, passed < 60_000, fired]).toEqual([true, true, false]);
    timer.cancel();
  });
});
