import { ManualClock } from '@qmp-gateway/test-kit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Problem } from '../problems/problem.js';
import { OperationStore } from './operation-store.js';
import type { Operation } from './operation.js';
import { renderOperation } from './operation-view.js';

const minute = 60_000;

/** The command was sent, and returned. */
function done(store: OperationStore, operation: Operation, value: Buffer): void {
  operation.sent('e.1');
  store.end(operation, 'done', value, null);
}

describe('the store of operations', () => {
  it('gives every command an id of its own', () => {
    const store = new OperationStore('run');
    const ids = Array.from({ length: 100 }, () => store.begin('vm', 'stop', 'p').id);
    expect(new Set(ids).size).toBe(100);
    expect(store.get('other', ids[0] ?? '')).toBeUndefined();
  });

  it('keeps ended ones for ten minutes, running ones as long as they run', () => {
    const clock = new ManualClock();
    const store = new OperationStore('run', clock);
    const running = store.begin('vm', 'stop', 'p');
    const ended = store.begin('vm', 'stop', 'p');
    done(store, ended, Buffer.from('{}'));
    clock.advance(10 * minute - 1);
    expect(store.get('vm', ended.id)).toBe(ended);
    clock.advance(1);
    expect(store.get('vm', ended.id)).toBeUndefined();
    expect(store.of('vm')).toEqual([running]);
  });

  it('keeps of a result no more than its own bytes, however many arrived with them', () => {
    const store = new OperationStore('run');
    // As from Node 24 on, where a copy of this size is a slice of the pool.
    const { poolSize } = Buffer;
    onTestFinished(() => void (Buffer.poolSize = poolSize));
    Buffer.poolSize = 64 * 1024;
    const flood = Buffer.alloc(65_536, '{"ü": "€"}');
    const ended = (result: Buffer) => {
      const operation = store.begin('vm', 'stop', 'p');
      done(store, operation, result);
      return operation;
    };
    // In the middle of a character, so that it is seen whether bytes stay what they are.
    const [small, part, whole] = [flood.subarray(3, 16), flood.subarray(0, 10_000), flood].map(ended);
    expect([small, part, whole].map((one) => one?.returned)).toEqual(
      [flood.subarray(3, 16), flood.subarray(0, 10_000), flood].map(String),
    );
    expect(typeof small?.result).toBe('string');
    expect((part?.result as Buffer).buffer.byteLength).toBe(10_000);
    expect(whole?.result).toBe(flood);
  });

  it('keeps 1,000 ended ones per VM, and does not count the running', () => {
    const store = new OperationStore('run', new ManualClock());
    const running = store.begin('vm', 'stop', 'p');
    const other = store.begin('other', 'stop', 'p');
    done(store, other, Buffer.from('{}'));
    const ended = Array.from({ length: 1001 }, () => store.begin('vm', 'stop', 'p'));
    for (const operation of ended) done(store, operation, Buffer.from('{}'));
    expect(store.of('vm')).toHaveLength(1001);
    expect(store.get('vm', ended[0]?.id ?? '')).toBeUndefined();
    expect(store.get('vm', running.id)).toBe(running);
    expect(store.get('other', other.id)).toBe(other);
  });

  it('counts what a VM said of a failure', () => {
    const store = new OperationStore('run', new ManualClock());
    const desc = 'd'.repeat(2 ** 20);
    const failed = Array.from({ length: 40 }, () => store.begin('vm', 'stop', 'p'));
    for (const operation of failed)
      store.end(
        operation,
        'failed',
        null,
        new Problem('command-failed', desc, { qmp: { class: 'GenericError', desc } }),
      );
    expect(store.of('vm').length).toBeLessThan(32);
  });

  it('keeps 64 MiB in all: the oldest go first, of whichever VM', () => {
    const store = new OperationStore('run', new ManualClock());
    const large = Buffer.alloc(2 ** 24);
    const ended = Array.from({ length: 5 }, (_, n) => store.begin(`vm${n % 2}`, 'stop', 'p'));
    for (const operation of ended) done(store, operation, large);
    const kept = ended.map(({ vm, id }) => store.get(vm, id) !== undefined);
    expect(kept[0]).toBe(false);
    expect(kept.at(-1)).toBe(true);
    expect(kept.filter(Boolean).length * large.length).toBeLessThanOrEqual(2 ** 26);
  });
});

describe('an operation as JSON', () => {
  it('holds the return value as QEMU wrote it, or the problem', () => {
    const store = new OperationStore('run', new ManualClock());
    const stopped = store.begin('vm', 'stop', 'p');
    expect(JSON.parse(renderOperation(stopped))).toMatchObject({ state: 'running', ended: null });
    done(store, stopped, Buffer.from('{"wide": 18446744073709551615}'));
    expect(renderOperation(stopped)).toContain(',"return":{"wide": 18446744073709551615}}');
    const failed = store.begin('vm', 'stop', 'p');
    failed.sent('e.1');
    store.end(failed, 'lost', null, new Problem('outcome-unknown', 'gone'));
    expect(JSON.parse(renderOperation(failed))).toMatchObject({ state: 'lost', problem: { code: 'outcome-unknown' } });
  });
});
