import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { ManualClock, Scene, stagedDisk } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';
import { Principal } from '../access/principal.js';
import { Problem } from '../problems/problem.js';
import { StateDirectory } from '../state/state-directory.js';
import type { CommandAnswer, CommandRequest } from './command-request.js';
import { IdempotencyStore, type KeyedRun } from './idempotency.js';

const scene = new Scene();
afterEach(() => {
  stagedDisk.takeAll();
  return scene.end();
});

const principal = new Principal('p', 'p', { level: 'host', vms: ['*'] });
const request = (idempotencyKey?: string, more: Partial<CommandRequest> = {}): CommandRequest => ({
  principal,
  requestId: 'r',
  entrance: 'rest',
  vm: 'vm',
  command: 'stop',
  arguments: { kind: 'none' },
  arrivedAt: 0,
  ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  ...more,
});
const done = (json: string, operation?: string): CommandAnswer => ({
  ...{ ok: true, json },
  trace: operation === undefined ? {} : { operation },
});
/** The run that a key is claimed for; undefined without a key. */
function claim(store: IdempotencyStore, ...asked: Parameters<IdempotencyStore['begin']>): KeyedRun | undefined {
  const claimed = store.begin(...asked);
  if (claimed?.kind === 'replay') throw new Error('replayed');
  return claimed?.key;
}

/** A store with what it needs, and what a next run of the gateway finds. */
class Stage {
  readonly state = new StateDirectory(scene.directory());
  readonly clock = new ManualClock();
  readonly troubles: (string | undefined)[] = [];
  readonly store = this.next();

  /** As a start after the death of the process. */
  next(state = this.state): IdempotencyStore {
    const store = new IdempotencyStore({
      ...{ state, clock: this.clock },
      operationPath: (vm, operation) => (operation === 'followed' ? `/v1/vms/${vm}/operations/followed` : undefined),
      trouble: (failure) => this.troubles.push(failure),
    });
    store.load();
    return scene.keep(store, (each) => each.close());
  }

  get files(): string[] {
    return readdirSync(this.state.path);
  }

  get bytes(): number {
    return this.files.reduce((sum, name) => sum + statSync(this.state.file(name)).size, 0);
  }
}

/** Runs a command whose key is new. */
function run(store: IdempotencyStore, key: string, answer?: CommandAnswer, operation = 'o'): KeyedRun {
  const keyed = claim(store, request(key), undefined);
  if (keyed === undefined) throw new Error('replayed');
  keyed.sending(operation);
  if (answer !== undefined) keyed.ended(answer);
  return keyed;
}

/** What a repetition gets: its answer, the code it is refused with, or `runs` when it would be sent. */
function repeat(store: IdempotencyStore, key: string, json?: string): CommandAnswer | string {
  try {
    const claimed = store.begin(request(key), json);
    return claimed?.kind === 'replay' ? claimed.answer : 'runs';
  } catch (error) {
    return (error as Problem).code;
  }
}

describe('the store of idempotency keys', () => {
  it('keeps an answer for ten minutes and no longer', () => {
    const { store, clock } = new Stage();
    run(store, 'key', done('1'));
    clock.advance(10 * 60_000 - 1);
    expect(repeat(store, 'key')).toEqual({ ok: true, json: '1', trace: { replayed: true } });
    clock.advance(1);
    expect(repeat(store, 'key')).toBe('runs');
  });

  it('keeps of an answer no more than its own bytes, however many arrived with them', () => {
    const { store } = new Stage();
    const json = Buffer.alloc(65_536, '{"ü": 1}').subarray(0, 9);
    run(store, 'key', { ok: true, json, trace: {} });
    const answer = repeat(store, 'key');
    const kept = typeof answer !== 'string' && answer.ok && Buffer.isBuffer(answer.json) ? answer.json : undefined;
    expect([kept?.equals(json), kept?.buffer.byteLength]).toEqual([true, json.length]);
  });

  it('keeps 10,000 keys: the oldest go first', () => {
    const { store } = new Stage();
    for (let key = 0; key <= 10_000; key++) run(store, `${key}`, done('1'));
    expect(repeat(store, '0')).toBe('runs');
    expect(repeat(store, '10000')).toMatchObject({ json: '1' });
  });

  it('keeps 64 MiB of answers: the oldest go first', () => {
    const { store } = new Stage();
    const large = 'x'.repeat(2 ** 24);
    for (let key = 0; key < 5; key++) run(store, `${key}`, done(large));
    expect(repeat(store, '0')).toBe('runs');
    expect(repeat(store, '4')).toMatchObject({ ok: true });
  });

  it('does not let a forgotten run speak for the key’s next one', () => {
    const { store, clock } = new Stage();
    const first = run(store, 'key');
    clock.advance(11 * 60_000);
    run(store, 'key', done('second'));
    first.ended(done('first'));
    expect(repeat(store, 'key')).toMatchObject({ json: 'second' });
  });

  it('sends nothing whose key was forgotten while it waited', () => {
    const { store, clock } = new Stage();
    const waiting = claim(store, request('key'), undefined);
    clock.advance(11 * 60_000);
    expect(() => waiting?.sending('o')).toThrow(/idempotency-unavailable/);
  });

  it('asks nothing of requests without a key, and writes nothing down', () => {
    const stage = new Stage();
    for (const json of ['1', '2']) {
      const keyed = claim(stage.store, request(), json);
      keyed?.sending('o');
      keyed?.ended(done(json));
    }
    expect(stage.files).toEqual([]);
  });

  it('forgets what was not sent, on disk too', () => {
    const stage = new Stage();
    const problem = new Problem('vm-unavailable', 'away');
    run(stage.store, 'key', { ok: false, problem, trace: {} });
    expect(repeat(stage.store, 'key', '{"other":1}')).toBe('runs');
    expect(repeat(stage.next(), 'key')).toBe('runs');
    expect(stage.files).toEqual([]);
  });

  it('tells a command of the agent from one of the monitor, and names that only look alike', () => {
    const { store } = new Stage();
    const one = { ...{ vm: 'a', command: 'b\nc' }, idempotencyKey: 'k' };
    claim(store, request('k', one), undefined)?.ended(done('1'));
    for (const other of [{ agent: true }, { vm: 'a\nb', command: 'c' }])
      expect(claim(store, request('k', { ...one, ...other }), undefined)).toBeDefined();
  });
});

describe('after the death of the process', () => {
  it('a key with an answer gets it, one without hears that nobody knows, one with another body is refused', () => {
    const stage = new Stage();
    run(stage.store, 'answered', done('{"a": 1}', 'o.1'));
    const problem = new Problem('command-failed', 'no', {
      outcome: 'refused',
      qmp: { class: 'GenericError', desc: 'no' },
    });
    run(stage.store, 'refused', { ok: false, problem, trace: { operation: 'o.2', epoch: 'e', cursor: 'c' } });
    run(stage.store, 'open', undefined, 'o.3');
    run(stage.store, 'open and followed', undefined, 'followed');
    const late = new Problem('deadline-exceeded', 'late', { outcome: 'unknown' });
    run(stage.store, 'past its deadline', { ok: false, problem: late, trace: {} });
    // Queued, but not written.
    claim(stage.store, request('queued'), undefined);
    const next = stage.next();
    expect(repeat(next, 'answered')).toEqual({
      ...{ ok: true, json: '{"a": 1}' },
      trace: { operation: 'o.1', replayed: true },
    });
    expect(repeat(next, 'refused')).toMatchObject({
      problem: {
        code: 'command-failed',
        fields: { vm: 'vm', command: 'stop', outcome: 'refused', qmp: { desc: 'no' } },
      },
      trace: { operation: 'o.2', epoch: 'e', cursor: 'c', replayed: true },
    });
    const unknown = { code: 'outcome-unknown', outcome: 'unknown', retryable: false };
    expect(repeat(next, 'open')).toMatchObject({ problem: unknown, trace: { operation: 'o.3', replayed: true } });
    expect(repeat(next, 'open and followed')).toMatchObject({
      problem: { ...unknown, fields: { operation: '/v1/vms/vm/operations/followed' } },
    });
    expect(repeat(next, 'past its deadline')).toMatchObject({ problem: unknown });
    expect(repeat(next, 'answered', '{}')).toBe('idempotency-mismatch');
    expect(repeat(next, 'open', '{}')).toBe('idempotency-mismatch');
    expect(repeat(next, 'queued')).toBe('runs');
  });

  it('cut off at any byte, its file tells what was written whole, and nothing that was not', () => {
    const stage = new Stage();
    run(stage.store, 'first', done('1'));
    run(stage.store, 'second', done('2'));
    const [name = ''] = stage.files;
    const bytes = readFileSync(stage.state.file(name));
    const ends = [...bytes.entries()].flatMap(([at, byte]) => (byte === 10 ? [at + 1] : []));
    expect(ends).toHaveLength(4);
    for (let length = 0; length <= bytes.length; length++) {
      const state = new StateDirectory(scene.directory());
      writeFileSync(state.file(name), bytes.subarray(0, length));
      const lines = ends.filter((end) => end <= length).length;
      const next = stage.next(state);
      const told = ['first', 'second'].map((key) => {
        const answer = repeat(next, key);
        return typeof answer === 'string' ? answer : answer.ok ? answer.json : answer.problem.code;
      });
      const unknown = 'outcome-unknown';
      expect(told).toEqual([['runs', unknown, '1', '1', '1'][lines], ['runs', 'runs', 'runs', unknown, '2'][lines]]);
    }
  });

  it('keys end when their ten minutes are over, and their files with them, also when nobody comes any more', () => {
    const stage = new Stage();
    run(stage.store, 'old', done('1'));
    stage.clock.advance(6 * 60_000);
    run(stage.store, 'new', done('2'));
    stage.store.close();
    const next = stage.next();
    stage.clock.advance(4 * 60_000);
    expect(repeat(next, 'old')).toBe('runs');
    expect(repeat(next, 'new')).toMatchObject({ json: '2' });
    stage.clock.advance(10 * 60_000);
    expect(stage.files).toEqual([]);
    expect(stage.clock.pending).toBe(0);
  });

  it('of a large return value only that it was done is known', () => {
    const stage = new Stage();
    run(stage.store, 'large', done('x'.repeat(256 * 1024 + 1)));
    expect(repeat(stage.store, 'large')).toMatchObject({ ok: true });
    const problem = {
      code: 'outcome-unknown',
      detail: expect.stringContaining('was done; its 262145 bytes') as string,
    };
    expect(repeat(stage.next(), 'large')).toMatchObject({ problem });
    expect(stage.bytes).toBeLessThan(1000);
  });

  it('files hold neither bodies nor keys, and are for their owner', () => {
    const stage = new Stage();
    claim(stage.store, request('my-key'), '{"password":"hunter2"}')?.sending('o');
    const [name = ''] = stage.files;
    expect(statSync(stage.state.file(name)).mode & 0o777).toBe(0o600);
    expect(readFileSync(stage.state.file(name), 'utf8')).not.toMatch(/hunter2|my-key/);
  });
});

describe('a disk that takes no more', () => {
  it('refuses what carries a key, says so once, and leaves no half line', () => {
    const stage = new Stage();
    run(stage.store, 'before', done('1'));
    stagedDisk.takeOnly(20);
    for (const key of ['a', 'b']) {
      const keyed = claim(stage.store, request(key), undefined);
      const error = (() => {
        try {
          keyed?.sending('o');
        } catch (thrown) {
          return thrown as Problem;
        }
        return undefined;
      })();
      expect(error).toMatchObject({
        code: 'idempotency-unavailable',
        outcome: 'not-sent',
        retryable: true,
        status: 503,
      });
      if (error !== undefined) keyed?.ended({ ok: false, problem: error, trace: {} });
    }
    expect(stage.troubles).toEqual([expect.stringContaining('ENOSPC')]);
    stagedDisk.takeAll();
    run(stage.store, 'after', done('2'));
    expect(stage.troubles).toEqual([expect.any(String), undefined]);
    const next = stage.next();
    expect([repeat(next, 'before'), repeat(next, 'after')]).toMatchObject([{ json: '1' }, { json: '2' }]);
    expect([repeat(next, 'a'), repeat(next, 'b')]).toEqual(['runs', 'runs']);
  });

  it('costs only what would be known after a crash, once the command was sent', () => {
    const stage = new Stage();
    const keyed = run(stage.store, 'key');
    stagedDisk.takeOnly(0);
    keyed.ended(done('1'));
    expect(repeat(stage.store, 'key')).toMatchObject({ json: '1' });
    expect(repeat(stage.next(), 'key')).toMatchObject({ problem: { code: 'outcome-unknown' } });
  });
});

describe('what is on disk', () => {
  it('is bounded by what is kept, however many keys come', () => {
    const stage = new Stage();
    for (let key = 0; key < 15_000; key++) run(stage.store, `${key}`, done('{}'));
    // 10,000 keys of two lines, and a file that has only begun to be of no use.
    expect(stage.bytes).toBeLessThan(5 * 2 ** 20);
    const next = stage.next();
    expect([repeat(next, '0'), repeat(next, '14999')]).toMatchObject(['runs', { json: '{}' }]);
  });

  it('is nothing of commands that were not sent, however many there were', () => {
    const stage = new Stage();
    run(stage.store, 'pinned', done('1'));
    const problem = new Problem('vm-unavailable', 'away');
    for (let count = 0; count < 2000; count++) {
      const keyed = claim(stage.store, request('waiting'), undefined);
      keyed?.ended({ ok: false, problem, trace: {} });
    }
    expect(stage.bytes).toBeLessThan(1000);
  });
});
