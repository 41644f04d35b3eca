import { appendFileSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { Scene } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';
import { StateDirectory } from '../state/state-directory.js';
import { WorkLog } from './work-log.js';
import { WorkStore } from './work-store.js';
import { Work, type WorkRecord } from './work.js';

const scene = new Scene();
afterEach(() => scene.end());

function work(id: string, state: WorkRecord['state'] = 'running', ended: number | null = null, vm = 'vm'): Work {
  return new Work({
    ...{ id, vm, command: 'stop', principalId: 'p', completion: 'stop', subject: '', started: 1, deadlineAt: null },
    ...{ epoch: 'e', state, ended, result: '{}', problem: null, progress: null, events: [], job: null, dismiss: false },
  });
}

function stage(): { state: StateDirectory; store: WorkStore; troubles: (string | undefined)[]; log: WorkLog } {
  const state = new StateDirectory(scene.directory());
  const store = new WorkStore();
  const troubles: (string | undefined)[] = [];
  return { state, store, troubles, log: new WorkLog(state, store, (failure) => troubles.push(failure)) };
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
    expect(statSync(state.file('operations.log')).size).toBeLessThan(1100 * JSON.stringify(one.record).length);
    expect(log.read()).toEqual([one.record]);
  });

  it('tells once that it cannot be written, and once that it can be again', () => {
    const { state, troubles, log } = stage();
    mkdirSync(state.file('operations.log'));
    for (const id of ['a', 'b']) {
      log.changed(work(id).record);
      log.flush();
    }
    expect(troubles).toEqual([expect.stringContaining('EISDIR')]);
    rmSync(state.file('operations.log'), { recursive: true });
    log.changed(work('c').record);
    log.close();
    expect(troubles).toEqual([expect.any(String), undefined]);
    expect(log.read().map(({ id }) => id)).toEqual(['c']);
  });
});

describe('the store of work', () => {
  it('forgets, at its bound, what was started first of what has ended', () => {
    const store = new WorkStore(2);
    for (const one of [work('a'), work('b', 'done', 5), work('c', 'done', 6)]) store.add(one);
    expect(store.of('vm').map(({ record }) => record.id)).toEqual(['a', 'c']);
    expect(store.get('vm', 'b')).toBeUndefined();
    expect(store.get('other', 'a')).toBeUndefined();
  });

  it('keeps what has ended for a day, what goes on for ever', () => {
    const store = new WorkStore();
    const day = 24 * 60 * 60_000;
    for (const one of [work('a'), work('b', 'done', 5), work('c', 'lost', 6, 'other')]) store.add(one);
    store.expire(5 + day);
    expect(Array.from(store.all(), ({ record }) => record.id)).toEqual(['a', 'c']);
    expect(store.of('vm')).toHaveLength(1);
    store.expire(6 + day);
    expect(store.of('other')).toEqual([]);
    expect(store.size).toBe(1);
  });
});
