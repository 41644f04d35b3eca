import type { ListedOperation } from '@qmp-gateway/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OperationBook } from './operation-book.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function operation(id: string, part: Partial<ListedOperation> = {}): ListedOperation {
  const always = { vm: 'a', command: 'blockdev-backup', ended: null, epoch: 'e', error: null, events: [] as const };
  return { ...always, id, progress: null, started: `2026-01-01T00:00:0${id}Z`, state: 'running', ...part };
}
/** A list that the test answers. */
function withResolvers() {
  let resolve: (rows: readonly ListedOperation[]) => void = () => undefined;
  const promise = new Promise<readonly ListedOperation[]>((done) => (resolve = done));
  return { promise, resolve: (rows: readonly ListedOperation[]) => resolve(rows) };
}
const states = ({ rows }: OperationBook) => rows.map(({ id, state }) => `${id} ${state}`);

describe('operations', () => {
  it('are a list, the newest first, and what is heard after it', async () => {
    const book = new OperationBook();
    await book.read(() => Promise.resolve([operation('1'), operation('2')]));
    expect(states(book)).toEqual(['2 running', '1 running']);
    book.hear(operation('1', { state: 'done' }));
    book.hear(operation('3'));
    vi.advanceTimersByTime(1000);
    expect(states(book)).toEqual(['3 running', '2 running', '1 done']);
  });

  it('heard while the list was on its way are newer than it', async () => {
    const book = new OperationBook();
    const list = withResolvers();
    const read = book.read(() => list.promise);
    book.hear(operation('1', { state: 'done' }));
    list.resolve([operation('1'), operation('2')]);
    await read;
    expect(states(book)).toEqual(['2 running', '1 done']);
  });

  it('that cannot be read say why, and stay what they were', async () => {
    const book = new OperationBook();
    await book.read(() => Promise.resolve([operation('1')]));
    const away = new Error('away');
    await book.read(() => Promise.reject(away));
    expect([book.failure, states(book)]).toEqual([away, ['1 running']]);
    await book.read(() => Promise.resolve([]));
    expect([book.failure, states(book)]).toEqual([undefined, []]);
  });

  it('of an older question do not overwrite those of a newer one', async () => {
    const book = new OperationBook();
    const slow = withResolvers();
    const first = book.read(() => slow.promise);
    await book.read(() => Promise.resolve([operation('2')]));
    slow.resolve([operation('1')]);
    await first;
    expect(states(book)).toEqual(['2 running']);
  });

  it('are a thousand at most', async () => {
    const book = new OperationBook();
    const many = Array.from({ length: 1200 }, (_, index) =>
      operation(String(index), { started: new Date(index * 1000).toISOString() }),
    );
    await book.read(() => Promise.resolve(many));
    expect([book.rows.length, book.rows[0]?.id, book.rows.at(-1)?.id]).toEqual([1000, '1199', '200']);
  });
});
