import type * as FileSystem from 'node:fs';
import { appendFileSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { ManualClock, Scene } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { StateDirectory } from '../state/state-directory.js';
import { WorkLog } from './work-log.js';
import { WorkStore } from './work-store.js';
import { Work, type WorkRecord } from './work.js';

/** Bytes that the disk still takes. */
const disk = vi.hoisted(() => ({ room: Infinity }));
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof FileSystem>();
  const writeFileSync = (file: number, text: string): void => {
    fs.writeFileSync(file, text.slice(0, disk.room));
    if (text.length > disk.room) throw new Error('ENOSPC: no space left on device');
  };
  return { ...fs, writeFileSync };
});

const scene = new Scene();
afterEach(() => {
  disk.room = Infinity;
  return scene.end();
});

function work(id: string, state: WorkRecord['state'] = 'running', ended: number | null = null): Work {
  return new Work({
    ...{ id, vm: 'vm', command: 'stop', principalId: 'p', completion: 'stop', subject: '', started: 1 },
    deadlineAt: null,
    ...{ epoch: 'e', state, ended, result: '{}', problem: null, progress: null, events: [], job: null, dismiss: false },
  });
}

interface Stage {
  readonly state: StateDirectory;
  readonly store: WorkStore;
  readonly clock: ManualClock;
  readonly troubles: (string | undefined)[];
  readonly log: WorkLog;
  /** Keeps this work, and writes it down as far as that can be. */
  readonly write: (work: Work) => void;
  /** What the next run of the gateway would find. */
  readonly ids: () => string[];
}

function stage(): Stage {
  const state = new StateDirectory(scene.directory());
  const store = new WorkStore();
  const clock = new ManualClock();
  const troubles: (string | undefined)[] = [];
  const log = new WorkLog(state, store, (failure) => troubles.push(failure), clock);
  return {
    ...{ state, store, clock, troubles, log },
    write: (kept) => {
      store.add(kept);
      log.changed(kept.record);
      log.flush();
    },
    ids: () => log.read().map(({ id }) => id),
  };
}

describe('the log of work', () => {
  it('keeps the newest of each, without what was forgotten and what a crash cut off', () => {
    const { state, store, log } = stage();
    const [first, second, third] = [work('a'), work('b'), work('c')];
    for (const one of [first, second, third]) log.changed(one.record);
    log.flush();
    second.record.state = 'done';
    log.changed(second.record);
    log.forgotten('c');
    log.close();
    appendFileSync(state.file('operations.log'), '{"id":"d","vm":"vm","sta');
    expect(new WorkLog(state, store, () => undefined).read().map(({ id, state: is }) => [id, is])).toEqual([
      ['a', 'running'],
      ['b', 'done'],
    ]);
  });

  it('stays small, however often something changes', () => {
    const { state, store, log } = stage();
    const one = work('a');
    store.add(one);
    for (let count = 0; count < 5000; count++) {
      log.changed(one.record);
      log.flush();
    }
    log.close();
    expect(statSync(state.file('operations.log')).size).toBeLessThan(300 * 1024);
    expect(log.read()).toEqual([one.record]);
  });

  it('stays small, however much is said of one change', () => {
    const { state, log, write } = stage();
    const one = work('a');
    for (let at = 0; at < 100; at++)
      one.note({ cursor: 'r.1', event: 'E', data: '"'.padEnd(2000, 'x') + '"', time: 1 });
    for (let count = 0; count < 100; count++) write(one);
    log.close();
    expect(statSync(state.file('operations.log')).size).toBeLessThan(600 * 1024);
  });

  it('tells once that it cannot be written, and once that it can be again, with all that happened meanwhile', () => {
    const { state, store, clock, troubles, log, write, ids } = stage();
    mkdirSync(state.file('operations.log'));
    const forgotten = work('b');
    for (const one of [work('a'), forgotten]) write(one);
    clock.advance(60_000);
    expect(troubles).toEqual([expect.stringContaining('EISDIR')]);
    rmSync(state.file('operations.log'), { recursive: true });
    store.remove(forgotten);
    log.forgotten('b');
    clock.advance(10_000);
    expect(troubles).toEqual([expect.any(String), undefined]);
    expect(ids()).toEqual(['a']);
    write(work('c'));
    expect(ids()).toEqual(['a', 'c']);
    expect(clock.pending).toBe(0);
  });

  it('is whole again after a disk that was full took half a line', () => {
    const { clock, troubles, log, write, ids } = stage();
    write(work('a'));
    disk.room = 20;
    write(work('b'));
    write(work('c'));
    expect([ids(), troubles]).toEqual([['a'], [expect.stringContaining('ENOSPC')]]);
    disk.room = Infinity;
    clock.advance(10_000);
    write(work('d'));
    expect(ids()).toEqual(['a', 'b', 'c', 'd']);
    log.close();
  });

  it('is written at the end, when it could not be before', () => {
    const { clock, log, write, ids } = stage();
    disk.room = 0;
    write(work('a'));
    disk.room = Infinity;
    log.close();
    expect([ids(), clock.pending]).toEqual([['a'], 0]);
  });
});
