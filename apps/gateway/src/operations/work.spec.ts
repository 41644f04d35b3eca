import { describe, expect, it } from 'vitest';
import { renderWork } from './operation-view.js';
import { Work, type Progress, type WorkRecord } from './work.js';

const now = 1_700_000_000_000;

function work(record: Partial<WorkRecord> = {}): Work {
  return new Work({
    ...{ id: 'o1', vm: 'vm', command: 'migrate', principalId: 'p', completion: 'migration', subject: '', started: now },
    ...{ deadlineAt: null, epoch: null, state: 'running', ended: null, result: null, problem: null, progress: null },
    ...{ events: [], job: null, dismiss: false },
    ...record,
  });
}

const shown = (of: Work) => JSON.parse(renderWork(of)) as Record<string, unknown>;

describe('how far work is', () => {
  it('tells rate and end from two looks', () => {
    const migration = work();
    migration.advance(0, 1000, 'bytes', now);
    migration.advance(100, 1000, 'bytes', now + 1000);
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
      migration.advance(current, total, 'bytes', now + at);
    expect(shown(migration)).toMatchObject({ state: 'running', progress: { total } });
    const { rate } = migration.record.progress as Progress;
    expect(rate === null || Number.isFinite(rate)).toBe(true);
  });

  it('has no end where there is none to tell', () => {
    const migration = work();
    migration.advance(0, 1e300, 'bytes', now);
    migration.advance(1, 1e300, 'bytes', now + 1000);
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
