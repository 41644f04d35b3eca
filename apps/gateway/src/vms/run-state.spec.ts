import type { QmpEvent } from '@qmp-gateway/qmp';
import { describe, expect, it } from 'vitest';
import { RunStateGuess, runStateOf } from './run-state.js';

const event = (name: string, data?: object): QmpEvent => ({
  name,
  timestamp: '{"seconds":1,"microseconds":2}',
  receivedAt: 0,
  data: data === undefined ? undefined : JSON.stringify(data),
});

/** The run state after these events by guess, from `running` on. */
function after(...events: QmpEvent[]): string {
  const guess = new RunStateGuess();
  return events.reduce((state, next) => guess.next(state, next) ?? state, 'running');
}

const panic = event('GUEST_PANICKED', { action: 'pause' });
const ioError = event('BLOCK_IO_ERROR', { action: 'stop' });

describe('the run state in an answer to query-status', () => {
  const state = (json: string) => runStateOf({ kind: 'return', value: Buffer.from(json) });

  it('is a text in an object, and null in anything else', () => {
    expect(state('{"status":"paused"}')).toBe('paused');
    expect(['null', '[]', '"paused"', '{"status":1e999}', '{', ''].map(state)).toEqual(Array<null>(6).fill(null));
  });
});

describe('the run state by guess', () => {
  it.each([
    ['STOP', 'paused'],
    ['SHUTDOWN', 'shutdown'],
    ['SUSPEND', 'suspended'],
    ['RTC_CHANGE', 'running'],
  ])('after %s is %s', (name, state) => {
    expect(after(event(name))).toBe(state);
  });

  it.each(['null', '[]', '1e999', '"pause"', '{"action":null}', '{"action":{"action":"pause"}}', 'inf'])(
    'is not touched by an event whose data is %s',
    (data) => {
      const odd = ['BLOCK_IO_ERROR', 'GUEST_PANICKED', 'WATCHDOG'].map((name) => ({ ...event(name), data }));
      expect(after(...odd)).toBe('running');
      expect(after(...odd, event('STOP'))).toBe('paused');
    },
  );

  it('is running again after RESUME and WAKEUP', () => {
    expect(after(event('STOP'), event('RESUME'))).toBe('running');
    expect(after(event('SUSPEND'), event('WAKEUP'))).toBe('running');
  });

  it('tells why a VM was paused, whether the reason or the STOP came first', () => {
    expect(after(panic, event('STOP'))).toBe('guest-panicked');
    expect(after(event('STOP'), panic)).toBe('guest-panicked');
    expect(after(ioError, event('STOP'))).toBe('io-error');
    expect(after(event('WATCHDOG', { action: 'pause' }), event('STOP'))).toBe('watchdog');
  });

  it('does not take a reason that paused nothing for that of a later STOP', () => {
    expect(after(event('GUEST_PANICKED', { action: 'run' }), event('STOP'))).toBe('paused');
    expect(after(ioError, event('STOP'), event('RESUME'), event('STOP'))).toBe('paused');
    expect(after(event('WATCHDOG', { action: 'none' }), event('STOP'))).toBe('paused');
  });

  it('stays shutdown when the STOP after it comes', () => {
    expect(after(event('SHUTDOWN'), event('STOP'))).toBe('shutdown');
  });

  it.each(['RESET', 'MIGRATION', 'COLO_EXIT'])('is left open by %s, which is a reason to ask', (name) => {
    expect(new RunStateGuess().next('paused', event(name))).toBe('paused');
    expect(after(ioError, event(name), event('STOP'))).toBe('paused');
  });

  it.each([event('RTC_CHANGE'), event('POWERDOWN'), event('GUEST_PANICKED', { action: 'run' })])(
    'has nothing to do with $name, which is no reason to ask',
    (other) => expect(new RunStateGuess().next('running', other)).toBeUndefined(),
  );

  it('is not confused by a VM that pauses for a reason twice', () => {
    expect(after(event('STOP'), ioError, event('RESUME'), event('STOP'))).toBe('paused');
  });
});
