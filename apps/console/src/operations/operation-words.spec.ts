import { describe, expect, it } from 'vitest';
import { isOpen, percentOf, reasonOf, stateWords, titleOf } from './operation-words.js';

const progress = (current: number, total: number) => ({
  progress: { current, total, unit: 'bytes' as const, rate: null, estimatedEnd: null },
});

describe('an operation in words', () => {
  it('says what its state means', () => {
    expect(stateWords('lost')).toMatchObject({ label: 'Unknown', status: 'warning' });
    expect(stateWords('constructor')).toMatchObject({ label: 'constructor', status: 'neutral' });
    expect([isOpen({ state: 'ready' }), isOpen({ state: 'done' })]).toEqual([true, false]);
  });

  it('is called by its command, or by what was started without one', () => {
    expect(titleOf({ command: 'blockdev-backup' })).toBe('blockdev-backup');
    expect(titleOf({ command: null, job: { id: 'j', type: 'mirror', status: null } })).toBe(
      'mirror (not started here)',
    );
    expect(titleOf({ command: null })).toBe('migration (not started here)');
  });

  it('gives the words of QEMU as the reason, before those of the gateway', () => {
    const error = { code: 'command-failed', detail: 'from the gateway' };
    const problem = { status: 422, code: 'command-failed', outcome: 'refused', retryable: false } as const;
    expect(reasonOf({ error, problem: { ...problem, qmp: { class: 'GenericError', desc: 'no medium' } } })).toBe(
      'no medium',
    );
    expect(reasonOf({ error })).toBe('from the gateway');
    expect(reasonOf({ error: null })).toBeUndefined();
  });

  it('knows how far it is only where the VM says so', () => {
    expect(percentOf(progress(25, 100))).toBe(25);
    expect(percentOf(progress(300, 100))).toBe(100);
    expect(percentOf(progress(0, 0))).toBeUndefined();
    expect(percentOf({ progress: null })).toBeUndefined();
  });
});
