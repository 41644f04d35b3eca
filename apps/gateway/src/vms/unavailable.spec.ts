import { ManualClock } from '@qmp-gateway/test-kit';
import { describe, expect, it } from 'vitest';
import { Principal, type Level } from '../access/principal.js';
import { awayText, unavailable, type AwayServer } from './unavailable.js';

const clock = new ManualClock(Date.UTC(2026, 0, 2, 3, 4, 5));
const principal = (level: Level) => new Principal('p', 'p', { level, vms: ['*'] });
const about = { vm: 'web-1', command: 'stop' };

/** A server that cannot be dialled. @param retryInMs until the next try; absent where the VM dials in */
function away(retryInMs?: number): AwayServer {
  const state =
    retryInMs === undefined ? { name: 'listening' } : { name: 'waiting', retryAt: clock.wall() + retryInMs };
  return {
    condition: 'The VM is waiting.',
    lastError: { code: 'no-such-file', detail: '/run/web-1.qmp: ENOENT', time: clock.wall() - 1000 },
    monitor: { state },
  } as unknown as AwayServer;
}

describe('the problem of a VM that takes no commands', () => {
  it.each([
    [9001, '10'],
    [9000, '9'],
    [10, '1'],
    [-500, '1'],
  ])('asks to come back in whole seconds: the next try is in %i ms', (retryInMs, seconds) => {
    const { headers, fields } = unavailable(away(retryInMs), principal('read'), about, clock);
    expect(headers).toMatchObject({ 'Retry-After': seconds });
    expect(fields.retryAt).toBe(new Date(clock.wall() + retryInMs).toISOString());
  });

  it('has no time of the next try where the VM dials in', () => {
    const { headers, fields } = unavailable(away(), principal('read'), about, clock);
    expect([headers['Retry-After'], fields.retryAt]).toEqual(['1', undefined]);
    expect(fields).toMatchObject({ ...about, lastError: { code: 'no-such-file' } });
  });

  it('shows paths of the host from level configure up only', () => {
    const lastErrors = (['operate', 'configure'] as const).map(
      (level) => unavailable(away(0), principal(level), about, clock).fields.lastError,
    );
    expect(lastErrors).toEqual([
      { code: 'no-such-file', time: '2026-01-02T03:04:04.000Z' },
      { code: 'no-such-file', time: '2026-01-02T03:04:04.000Z', detail: '/run/web-1.qmp: ENOENT' },
    ]);
  });
});

it('says in a line why there is no session, and when the gateway dials next', () => {
  expect(awayText(away(2000))).toBe('The VM is waiting (no-such-file); the next try is at 2026-01-02T03:04:07.000Z.');
  expect(awayText({ ...away(2000), lastError: null })).toBe(
    'The VM is waiting; the next try is at 2026-01-02T03:04:07.000Z.',
  );
});
