import { describe, expect, it } from 'vitest';
import { LastingOperations } from './lasting-operations.js';
import type { OperationRecord } from './operation-record.js';
import type { WorkEvent } from './work.js';
import { workingOperation } from './work.scene.js';

const work = (id: string, record: Partial<OperationRecord> = {}) =>
  workingOperation({
    ...{ id, command: 'stop', completion: 'stop', subject: '', epoch: 'e', result: '{}', job: null },
    ...record,
  });
const over = (id: string, vm: string, record: Partial<OperationRecord> = {}) =>
  work(id, { vm, state: 'done', ended: 5, ...record });
const idsOf = (store: LastingOperations) => Array.from(store.all(), ({ id }) => id);
const many = { count: 1000, bytes: 2 ** 30 };

describe('operations with work', () => {
  it('forgets, at its bound, what ended first, and nothing that goes on', () => {
    const store = new LastingOperations({ ...many, count: 3 });
    const [long, short] = [work('long'), work('short')];
    for (const one of [work('a'), long, short]) store.add(one);
    for (const one of [short, long]) {
      one.conclude({ state: 'done' }, 7);
      store.ended(one);
    }
    store.add(work('d'));
    expect(idsOf(store)).toEqual(['a', 'long', 'd']);
    expect(store.get('vm', 'short')).toBeUndefined();
    expect(store.get('other', 'a')).toBeUndefined();
    expect(store.of('vm')).toHaveLength(3);
  });

  it('forgets of the VM that has most: who runs a loop drives out nobody else', () => {
    const store = new LastingOperations({ ...many, count: 10 });
    store.add(over('failure', 'a', { state: 'failed' }));
    for (let at = 0; at < 100; at++) store.add(over(`loop-${at}`, 'b'));
    expect(store.get('a', 'failure')).toBeDefined();
    expect(store.of('b').map(({ id }) => id)).toEqual(Array.from({ length: 9 }, (_, at) => `loop-${at + 91}`));
  });

  it.each<[string, Partial<OperationRecord>]>([
    ['subjects', { subject: 'x'.repeat(20_000) }],
    ['problems', { problem: { code: 'command-failed', detail: 'x'.repeat(20_000), fields: {} } }],
    ['events', { events: Array.from({ length: 10 }, (): WorkEvent => event('x'.repeat(2000))) }],
    ['results', { result: 'x'.repeat(20_000) }],
  ])('counts the bytes of %s, and forgets of the VM that has most of them', (_, record) => {
    const store = new LastingOperations({ ...many, bytes: 200_000 });
    for (let at = 0; at < 20; at++) store.add(over(`small-${at}`, 'a'));
    for (let at = 0; at < 50; at++) store.add(over(`large-${at}`, 'b', record));
    expect(store.of('a')).toHaveLength(20);
    expect(store.of('b').length).toBeGreaterThan(5);
    expect(store.of('b').length).toBeLessThan(10);
    expect(store.get('b', 'large-49')).toBeDefined();
  });

  it('counts what was learned of work until its end', () => {
    const store = new LastingOperations({ ...many, bytes: 30_000 });
    const first = work('first');
    store.add(first);
    for (let at = 0; at < 10; at++) first.work.note(event('x'.repeat(2000)));
    first.conclude({ state: 'done' }, 6);
    store.ended(first);
    expect(idsOf(store)).toEqual(['first']);
    store.add(over('second', 'vm', { result: 'x'.repeat(20_000) }));
    expect(idsOf(store)).toEqual(['second']);
    store.remove(first);
    store.ended(first);
    expect(idsOf(store)).toEqual(['second']);
  });

  it('keeps what has ended for a day, what goes on for ever', () => {
    const store = new LastingOperations();
    const day = 24 * 60 * 60_000;
    for (const one of [work('a'), over('b', 'vm'), over('c', 'other', { state: 'lost', ended: 6 })]) store.add(one);
    store.expire(5 + day);
    expect(idsOf(store)).toEqual(['a', 'c']);
    expect(store.of('vm')).toHaveLength(1);
    store.expire(6 + day);
    expect(store.of('other')).toEqual([]);
    expect(idsOf(store)).toEqual(['a']);
  });
});

function event(data: string): WorkEvent {
  return { cursor: 'r.1', event: 'E', data, time: 1 };
}
