import { describe, expect, it, vi } from 'vitest';
import { Principal } from '../access/principal.js';
import { Problem } from '../problems/problem.js';
import type { CommandAnswer, CommandRequest } from './command-request.js';
import { IdempotencyStore } from './idempotency.js';

const principal = new Principal('p', 'p', { level: 'host', vms: ['*'] });
const request = (idempotencyKey?: string): CommandRequest => ({
  principal,
  requestId: 'r',
  entrance: 'rest',
  vm: 'vm',
  command: 'stop',
  arguments: { kind: 'none' },
  arrivedAt: 0,
  ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
});
const done = (json: string): CommandAnswer => ({ ok: true, json, trace: {} });
const never = () => {
  throw new Error('replayed');
};

describe('the store of idempotency keys', () => {
  it('keeps an answer for ten minutes and no longer', () => {
    let now = 0;
    const store = new IdempotencyStore(() => now);
    store.begin(request('key'), undefined, never)?.(done('1'));
    now = 10 * 60_000 - 1;
    const replay = vi.fn();
    expect(store.begin(request('key'), undefined, replay)).toBeUndefined();
    expect(replay).toHaveBeenCalledWith({ ok: true, json: '1', trace: { replayed: true } });
    now = 10 * 60_000;
    expect(store.begin(request('key'), undefined, never)).toBeDefined();
  });

  it('keeps of an answer no more than its own bytes, however many arrived with them', () => {
    const store = new IdempotencyStore();
    const json = Buffer.alloc(65_536, '{"ü": 1}').subarray(0, 9);
    store.begin(request('key'), undefined, never)?.({ ok: true, json, trace: {} });
    const replay = vi.fn<(answer: CommandAnswer) => void>();
    store.begin(request('key'), undefined, replay);
    const [[answer]] = replay.mock.calls as [[CommandAnswer]];
    const kept = answer.ok && Buffer.isBuffer(answer.json) ? answer.json : undefined;
    expect([kept?.equals(json), kept?.buffer.byteLength]).toEqual([true, json.length]);
  });

  it('keeps 10,000 keys: the oldest go first', () => {
    const store = new IdempotencyStore(() => 0);
    for (let key = 0; key <= 10_000; key++) store.begin(request(`${key}`), undefined, never)?.(done('1'));
    expect(store.begin(request('0'), undefined, never)).toBeDefined();
    expect(store.begin(request('10000'), undefined, () => undefined)).toBeUndefined();
  });

  it('keeps 64 MiB of answers: the oldest go first', () => {
    const store = new IdempotencyStore(() => 0);
    const large = 'x'.repeat(2 ** 24);
    for (let key = 0; key < 5; key++) store.begin(request(`${key}`), undefined, never)?.(done(large));
    expect(store.begin(request('0'), undefined, never)).toBeDefined();
    expect(store.begin(request('4'), undefined, () => undefined)).toBeUndefined();
  });

  it('does not let a forgotten run speak for the key’s next one', () => {
    let now = 0;
    const store = new IdempotencyStore(() => now);
    const first = store.begin(request('key'), undefined, never);
    now = 11 * 60_000;
    const second = store.begin(request('key'), undefined, never);
    first?.(done('first'));
    second?.(done('second'));
    const replay = vi.fn();
    store.begin(request('key'), undefined, replay);
    expect(replay).toHaveBeenCalledWith(expect.objectContaining({ json: 'second' }));
  });

  it('asks nothing of requests without a key', () => {
    const store = new IdempotencyStore();
    for (const json of ['1', '2']) store.begin(request(), json, never)?.(done(json));
  });

  it('forgets what was not sent', () => {
    const store = new IdempotencyStore();
    const problem = new Problem('vm-unavailable', 'away');
    store.begin(request('key'), undefined, never)?.({ ok: false, problem, trace: {} });
    expect(store.begin(request('key'), '{"other":1}', never)).toBeDefined();
  });
});
