import type { LastError, LastErrorCode, MonitorState } from '@qmp-gateway/qmp';
import { describe, expect, it } from 'vitest';
import { isDialledAgain, ShownVmState } from './shown-state.js';

const fault = (code: LastErrorCode, time: number): LastError => ({ code, detail: `at ${time}`, time });

describe('the state that is shown', () => {
  it('stays for as long as the reason does, with the time it was first so', () => {
    const shown = new ShownVmState<MonitorState['name']>('connecting', 0);
    expect(shown.become('waiting', 10, fault('refused', 10))).toBe(true);
    for (let dial = 20; dial < 100; dial += 10)
      expect(shown.become('waiting', dial, fault('refused', dial))).toBe(false);
    expect([shown.name, shown.since, shown.lastError]).toEqual(['waiting', 10, fault('refused', 10)]);
  });

  it('changes with the reason, and with the state', () => {
    const shown = new ShownVmState<MonitorState['name']>('connecting', 0);
    shown.become('waiting', 10, fault('refused', 10));
    expect(shown.become('waiting', 20, fault('no-such-file', 20))).toBe(true);
    expect([shown.since, shown.lastError?.code]).toEqual([10, 'no-such-file']);
    expect(shown.become('busy', 30, fault('no-greeting', 30))).toBe(true);
    expect([shown.since, shown.lastError?.code]).toEqual([30, 'no-greeting']);
  });

  it('keeps the reason while there is a connection, and tells the next time it is so anew', () => {
    const shown = new ShownVmState<MonitorState['name']>('connecting', 0);
    shown.become('waiting', 10, fault('refused', 10));
    expect(shown.become('ready', 20, undefined)).toBe(true);
    expect(shown.lastError?.code).toBe('refused');
    expect(shown.become('ready', 30, undefined)).toBe(false);
    expect(shown.become('waiting', 40, fault('refused', 40))).toBe(true);
    expect([shown.since, shown.lastError?.time]).toEqual([40, 40]);
  });
});

describe('a connection on its way', () => {
  const at = (name: 'connecting' | 'negotiating'): MonitorState => ({ name, since: 0 });

  it('is shown the first time, and no more once it was in vain', () => {
    for (const state of [at('connecting'), at('negotiating')]) {
      for (const shown of ['idle', 'connecting', 'negotiating', 'ready'] as const)
        expect(isDialledAgain(state, shown)).toBe(false);
      for (const shown of ['waiting', 'busy', 'closed'] as const) expect(isDialledAgain(state, shown)).toBe(true);
    }
  });
});
