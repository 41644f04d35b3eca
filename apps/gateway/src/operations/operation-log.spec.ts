import { appendFileSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { ManualClock, Scene, stagedDisk } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';
import { StateDirectory } from '../state/state-directory.js';
import { OperationLog } from './operation-log.js';
import { recordOf, type OperationRecord } from './operation-record.js';
import { OperationStore } from './operation-store.js';
import type { WorkingOperation } from './operation.js';
import { UnheardEvents, workingOperation } from './work.scene.js';

const scene = new Scene();
afterEach(() => {
  stagedDisk.takeAll();
  return scene.end();
});

const work = (id: string, state: OperationRecord['state'] = 'running', ended: number | null = null) =>
  workingOperation({
    ...{ id, command: 'stop', completion: 'stop', subject: '', epoch: 'e', state, ended, result: '{}', job: null },
  });

class Troubles extends UnheardEvents {
  readonly all: (string | undefined)[] = [];

  override logTrouble(failure: string | undefined): void {
    this.all.push(failure);
  }
}

interface Stage {
  readonly state: StateDirectory;
  readonly store: OperationStore;
  readonly clock: ManualClock;
  readonly troubles: (string | undefined)[];
  readonly log: OperationLog;
  /** Keeps this work, and writes it down as far as that can be. */
  readonly write: (operation: WorkingOperation) => void;
  /** What the next run of the gateway would find. */
  readonly ids: () => string[];
}

function stage(): Stage {
  const state = new StateDirectory(scene.directory());
  const store = new OperationStore('r');
  const clock = new ManualClock();
  const trouble = new Troubles();
  const troubles = trouble.all;
  const log = new OperationLog(state, store, trouble, clock);
  return {
    ...{ state, store, clock, troubles, log },
    write: (kept) => {
      store.restore(kept);
      log.changed(kept);
      log.flush();
    },
    ids: () => log.read().map(({ id }) => id),
  };
}

describe('the log of operations', () => {
  it('keeps the newest of each, without what was forgotten and what a crash cut off', () => {
    const { state, store, log } = stage();
    const [first, second, third] = [work('a'), work('b'), work('c')];
    for (const one of [first, second, third]) log.changed(one);
    log.flush();
    second.conclude({ state: 'done' }, 1);
    log.changed(second);
    log.forgotten('c');
    log.close();
    appendFileSync(state.file('operations.log'), '{"id":"d","vm":"vm","sta');
    expect(new OperationLog(state, store, new UnheardEvents()).read().map(({ id, state: is }) => [id, is])).toEqual([
      ['a', 'running'],
      ['b', 'done'],
    ]);
  });

  it('stays small, however often something changes', () => {
    const { state, store, log } = stage();
    const one = work('a');
    store.restore(one);
    for (let count = 0; count < 5000; count++) {
      log.changed(one);
      log.flush();
    }
    log.close();
    expect(statSync(state.file('operations.log')).size).toBeLessThan(300 * 1024);
    expect(log.read()).toEqual([recordOf(one, one.work)]);
  });

  it('stays small, however much is said of one change', () => {
    const { state, log, write } = stage();
    const one = work('a');
    for (let at = 0; at < 100; at++)
      one.work.note({ cursor: 'r.1', event: 'E', data: '"'.padEnd(2000, 'x') + '"', time: 1 });
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
    store.forgetWork(forgotten);
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
    stagedDisk.takeOnly(20);
    write(work('b'));
    write(work('c'));
    expect([ids(), troubles]).toEqual([['a'], [expect.stringContaining('ENOSPC')]]);
    stagedDisk.takeAll();
    clock.advance(10_000);
    write(work('d'));
    expect(ids()).toEqual(['a', 'b', 'c', 'd']);
    log.close();
  });

  it('is written at the end, when it could not be before', () => {
    const { clock, log, write, ids } = stage();
    stagedDisk.takeOnly(0);
    write(work('a'));
    stagedDisk.takeAll();
    log.close();
    expect([ids(), clock.pending]).toEqual([['a'], 0]);
  });
});
