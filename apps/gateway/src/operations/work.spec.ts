import { describe, expect, it } from 'vitest';
import type { OperationRecord } from './operation-record.js';
import { renderOperation } from './operation-view.js';
import type { Operation } from './operation.js';
import type { Progress } from './work.js';
import { workingOperation } from './work.scene.js';

const now = 1_700_000_000_000;

const work = (record: Partial<OperationRecord> = {}) =>
  workingOperation({ command: 'migrate', completion: 'migration', subject: '', job: null, started: now, ...record });
const shown = (of: Operation) => JSON.parse(renderOperation(of)) as Record<string, unknown>;

describe('how far work is', () => {
  it('tells rate and end from two looks', () => {
    const migration = work();
    migration.work.advance(0, 1000, 'bytes', now);
    migration.work.advance(100, 1000, 'bytes', now + 1000);
    expect(shown(migration)['progress']).toEqual({
      ...{ current: 100, total: 1000, unit: 'bytes', rate: 100, estimatedEnd: '2023-11-14T22:13:30.000Z' },
    });
  });

  it.each([
    [0, 1, 1e308],
    [0, 1e308, 1],
    [0, 1.7e308, 1.7e308],
    [0, 1e-308, 1e308],
    [1e308, 1, 1.7e308],
  ])('can be shown whatever the VM counts: from %d to %d of %d', (before, after, total) => {
    const migration = work();
    for (const [at, current] of [before, after, before, after * 0.9].entries())
      migration.work.advance(current, total, 'bytes', now + at);
    expect(shown(migration)).toMatchObject({ state: 'running', progress: { total } });
    const { rate } = migration.work.progress as Progress;
    expect(rate === null || Number.isFinite(rate)).toBe(true);
  });

  it('has no end where there is none to tell', () => {
    const migration = work();
    migration.work.advance(0, 1e300, 'bytes', now);
    migration.work.advance(1, 1e300, 'bytes', now + 1000);
    expect(shown(migration)['progress']).toMatchObject({ rate: 1, estimatedEnd: null });
  });

  it('is shown also from a log that holds times that are none', () => {
    const progress: Progress = { current: 1, total: 1e300, unit: 'bytes', rate: 1, estimatedEnd: 1e300 };
    const event = { cursor: 'r.1', event: 'STOP', data: '{}', time: 1e300 };
    expect(shown(work({ progress, events: [event], deadlineAt: -1e300 }))).toMatchObject({
      deadline: null,
      progress: { current: 1, estimatedEnd: null },
      events: [{ event: 'STOP', time: null }],
    });
  });
});
