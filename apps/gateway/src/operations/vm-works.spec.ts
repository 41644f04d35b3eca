import { describe, expect, it } from 'vitest';
import type { Vm } from '../vms/vm.js';
import { recordOf, restoredOperation, type OperationRecord } from './operation-record.js';
import { lookMs } from './work-announcements.js';
import { jobs, status, WorkScene } from './work.scene.js';

describe('how far work is', () => {
  it('is told at most four times a second, however often it is asked', () => {
    const scene = new WorkScene();
    scene.heard.watched = true;
    scene.begin();
    for (let at = 0; at < 40; at++) {
      scene.clock.advance(lookMs / 4);
      if (scene.asked.length > 0) scene.answer(jobs(at));
      scene.event('JOB_STATUS_CHANGE', status('running'));
    }
    const times = scene.told.map(({ at }) => at);
    expect(times.length).toBeGreaterThan(5);
    for (const [index, at] of times.slice(1).entries()) expect(at - times[index]!).toBeGreaterThanOrEqual(lookMs);
    expect(scene.told.at(-1)?.current).toBeGreaterThan(30);
  });

  it('is asked only while somebody looks, and not written down', () => {
    const scene = new WorkScene();
    const mirror = scene.begin();
    scene.clock.advance(10_000);
    expect(scene.asked).toEqual([]);
    const watcher = { replied: () => undefined, measured: () => undefined, over: () => undefined };
    mirror.watch(watcher);
    scene.works.look();
    scene.clock.advance(lookMs);
    scene.answer(jobs(1));
    scene.clock.advance(lookMs);
    const written = scene.written.length;
    scene.answer(jobs(51));
    expect(mirror.work.progress).toMatchObject({ current: 51, total: 100, unit: 'bytes', rate: 200 });
    expect(scene.written).toHaveLength(written);
    mirror.unwatch(watcher);
    scene.clock.advance(10_000);
    expect(scene.asked).toHaveLength(0);
  });

  it('is asked once in that time, however many look', () => {
    const scene = new WorkScene();
    const mirror = scene.begin();
    const looked: string[] = [];
    mirror.watch({ replied: () => undefined, measured: () => void looked.push('one'), over: () => undefined });
    for (let count = 0; count < 10; count++) scene.works.look();
    scene.answer(jobs(1));
    expect(scene.asked).toEqual([]);
    expect(looked).toEqual(['one']);
    expect(scene.works.canMeasure(mirror)).toBe(false);
    scene.clock.advance(lookMs);
    expect(scene.works.canMeasure(mirror)).toBe(true);
  });
});

describe('the end of a job', () => {
  it('that nothing foretold is read before the job is let go, and told after that', () => {
    const scene = new WorkScene();
    const create = scene.begin({ dismiss: true });
    scene.event('JOB_STATUS_CHANGE', status('aborting'));
    scene.event('JOB_STATUS_CHANGE', status('concluded'));
    expect(scene.answer(jobs(1, { status: 'concluded', error: 'No space' })).command).toBe('query-jobs');
    expect([create.over, scene.asked[0]?.command, scene.asked[0]?.args]).toEqual([false, 'job-dismiss', '{"id":"j"}']);
    scene.event('JOB_STATUS_CHANGE', status('null'));
    scene.answer({});
    expect(create).toMatchObject({ shownState: 'failed', problem: { fields: { qmp: { desc: 'No space' } } } });
  });

  it('is known from its event when the job dismisses itself', () => {
    const scene = new WorkScene();
    const mirror = scene.begin();
    scene.event('JOB_STATUS_CHANGE', status('aborting'));
    scene.event('BLOCK_JOB_COMPLETED', { device: 'j', len: 9, offset: 4, type: 'mirror', error: 'No space' });
    scene.event('JOB_STATUS_CHANGE', status('concluded'));
    expect([mirror.shownState, mirror.problem?.detail, scene.asked]).toEqual(['failed', 'No space', []]);
  });

  it('before the reply is held back until the reply is there', () => {
    const scene = new WorkScene();
    const stream = scene.write();
    scene.event('JOB_STATUS_CHANGE', status('concluded'));
    expect(stream.shownState).toBe('running');
    scene.works.replied(stream, Buffer.from('{}'));
    expect(stream.shownState).toBe('done');
  });

  it('is lost when the job is gone from the next session', () => {
    const scene = new WorkScene();
    const mirror = scene.begin();
    scene.nextSession();
    for (let count = 0; count < 2; count++) scene.answer([]);
    expect([mirror.shownState, mirror.problem?.code]).toEqual(['lost', 'outcome-unknown']);
  });
});

describe('a job that was kept for us', () => {
  const conclude = (scene: WorkScene): void => {
    scene.event('BLOCK_JOB_COMPLETED', { device: 'j', len: 9, offset: 4, type: 'mirror', error: 'No space' });
    scene.event('JOB_STATUS_CHANGE', status('concluded'));
  };
  const lose = (scene: WorkScene) => scene.asked.shift()?.arrived({ kind: 'unknown', cause: 'the session ended' });

  it('is let go in the next session when this one ends before', () => {
    const scene = new WorkScene();
    const mirror = scene.begin({ dismiss: true });
    conclude(scene);
    lose(scene);
    expect(mirror.over).toBe(false);
    scene.nextSession();
    scene.answer(jobs(4, { status: 'concluded', error: 'No space' }));
    scene.answer([]);
    expect(scene.answer({}).command).toBe('job-dismiss');
    expect([mirror.shownState, mirror.problem?.detail]).toEqual(['failed', 'No space']);
  });

  it('ends as it was told when the VM hangs, and is let go whenever it answers', () => {
    const scene = new WorkScene();
    const mirror = scene.begin({ dismiss: true });
    conclude(scene);
    const [dismissal] = scene.asked;
    scene.clock.advance(10_000);
    expect([mirror.shownState, mirror.problem?.detail]).toEqual(['failed', 'No space']);
    dismissal?.arrived({ kind: 'return', value: Buffer.from('{}') });
    expect(scene.told.filter(({ state }) => state === 'failed')).toHaveLength(1);
    expect(scene.clock.pending).toBe(0);
  });

  it('ends as it was told when the VM hangs with others before it in the queue', () => {
    const scene = new WorkScene();
    Object.assign(scene.vm.monitor, { places: 0 });
    const mirror = scene.begin({ dismiss: true });
    conclude(scene);
    expect([scene.asked, mirror.over]).toEqual([[], false]);
    scene.clock.advance(10_000);
    expect(mirror.problem?.detail).toBe('No space');
  });

  it('ends as it was told also when it or the VM is gone by then', () => {
    const [absent, ended] = [new WorkScene(), new WorkScene()];
    const works = [absent, ended].map((scene) => {
      const mirror = scene.begin({ dismiss: true });
      conclude(scene);
      lose(scene);
      return mirror;
    });
    absent.nextSession();
    absent.answer([]);
    absent.asked.shift();
    absent.answer({});
    ended.works.ended('The VM ended.');
    expect(works.map((mirror) => mirror.problem?.detail)).toEqual(['No space', 'No space']);
  });
});

describe('jobs of others', () => {
  it('are followed as far as there is an end to them: ids, kinds, numbers', () => {
    const scene = new WorkScene();
    const odd: string[] = [];
    Object.assign(scene.vm, { anomaly: (kind: string) => odd.push(kind) });
    scene.event('JOB_STATUS_CHANGE', { id: 'j'.repeat(257), status: 'created' });
    expect(scene.written).toEqual([]);
    for (let n = 0; n < 1000; n++) scene.event('JOB_STATUS_CHANGE', { id: `j${n}`, status: 'created' });
    expect(odd).toEqual(Array(744).fill('jobs-left-out'));
    scene.clock.advance(1000);
    for (let n = 0; n < 10; n++) scene.event('JOB_STATUS_CHANGE', { id: `k${n}`, status: 'created' });
    expect(odd).toHaveLength(750);
    const own = scene.begin({ subject: 'own', job: null });
    scene.event('JOB_STATUS_CHANGE', { id: 'own', status: 's'.repeat(65) });
    scene.event('BLOCK_JOB_COMPLETED', { device: 'own', type: 't'.repeat(65), error: 'e'.repeat(10_000) });
    expect(own.work.job).toEqual({ id: 'own', type: null, status: null });
    expect(own.work.foretold).toMatchObject({ problem: { detail: 'e'.repeat(4096) } });
  });

  it('are followed from their first event, and those that were there from the first session', () => {
    const scene = new WorkScene();
    scene.event('JOB_STATUS_CHANGE', { id: 'theirs', status: 'created' });
    expect(scene.answer(jobs(1, { id: 'theirs' })).command).toBe('query-jobs');
    scene.event('JOB_STATUS_CHANGE', { id: 'theirs', status: 'concluded' });
    expect(scene.told.at(-1)?.state).toBe('running');
    scene.clock.advance(lookMs);
    expect(scene.told.at(-1)?.state).toBe('done');
    scene.works.ready(scene.vm);
    scene.answer([...jobs(1), { ...jobs(1)[0], id: 'over', status: 'concluded' }]);
    expect(scene.answer(jobs(1)).command).toBe('query-jobs');
    expect(scene.asked).toEqual([]);
  });
});

describe('a deadline', () => {
  const unplug = { command: 'device_del', completion: 'unplug', subject: 'rng0', job: null } as const;

  it('asks once more before it fails', () => {
    const scene = new WorkScene();
    const [gone, kept] = [scene.begin({ ...unplug, id: 'a' }, 1000), scene.begin({ ...unplug, id: 'b' }, 1000)];
    scene.clock.advance(1000);
    expect(scene.asked[0]?.args).toBe('{"path":"/machine/peripheral/rng0"}');
    scene.asked.shift()?.arrived({ kind: 'error', class: 'DeviceNotFound', desc: '' });
    scene.answer([]);
    expect([gone.shownState, kept.shownState, kept.problem?.code]).toEqual(['done', 'failed', 'deadline-exceeded']);
  });

  it('fails all the same when the VM does not answer', () => {
    const scene = new WorkScene();
    const ignored = scene.begin(unplug, 1000);
    scene.clock.advance(1000 + 10_000);
    expect([ignored.shownState, ignored.problem?.code]).toEqual(['failed', 'deadline-exceeded']);
  });
});

describe('a VM of which nothing is heard', () => {
  const dayMs = 24 * 60 * 60_000;

  it('keeps its work for that long from when the session was lost, however long the work has been going on', () => {
    const scene = new WorkScene();
    scene.works.ready(scene.vm);
    const mirror = scene.begin();
    scene.clock.advance(2 * dayMs);
    scene.works.abandon(dayMs);
    scene.works.away();
    scene.works.abandon(dayMs);
    scene.clock.advance(dayMs - 1);
    scene.works.away();
    scene.works.abandon(dayMs);
    expect(mirror.over).toBe(false);
    scene.clock.advance(1);
    scene.works.abandon(dayMs);
    expect([mirror.shownState, mirror.problem?.code]).toEqual(['lost', 'outcome-unknown']);
  });

  it('has that long again after each session', () => {
    const scene = new WorkScene();
    const mirror = scene.begin();
    scene.clock.advance(dayMs - 1);
    scene.nextSession();
    scene.works.away();
    scene.clock.advance(dayMs - 1);
    scene.works.abandon(dayMs);
    expect(mirror.over).toBe(false);
  });

  it('has its work end as it foretold', () => {
    const scene = new WorkScene();
    const mirror = scene.begin();
    scene.event('BLOCK_JOB_COMPLETED', { device: 'j', len: 9, offset: 9, type: 'mirror' });
    scene.clock.advance(dayMs);
    scene.works.abandon(dayMs);
    expect(mirror.shownState).toBe('done');
  });
});

it('work that nobody could follow any more is bounded', () => {
  const scene = new WorkScene();
  const all = Array.from({ length: 300 }, (_, at) => scene.begin({ id: `o${at}`, subject: `j${at}` }));
  expect(all.filter(({ over }) => over)).toHaveLength(44);
  expect(all[0]?.shownState).toBe('lost');
});

describe('a VM that the gateway forgets', () => {
  it('is told of last by the ends of its work, at once, and by nothing after', () => {
    const scene = new WorkScene();
    const ended = scene.begin();
    scene.clock.advance(lookMs);
    scene.event('JOB_STATUS_CHANGE', status('running'));
    scene.event('JOB_STATUS_CHANGE', status('concluded'));
    scene.begin({ id: 'o2', subject: 'k' });
    const before = scene.told.length;
    const gone = { id: 'vm' } as Vm;
    scene.works.removed(gone);
    expect(ended.shownState).toBe('done');
    expect(
      scene.told
        .slice(before)
        .map(({ state }) => state)
        .sort(),
    ).toEqual(['done', 'lost']);
    expect(scene.sources.slice(before)).toEqual([gone, gone]);
    scene.clock.advance(60_000);
    expect([scene.told.length, scene.clock.pending]).toEqual([before + 2, 0]);
  });
});

describe('a job that was asked to give up', () => {
  it('is cancelled and has not failed, though another run of the gateway hears of its end', () => {
    const scene = new WorkScene();
    const begun = scene.begin();
    const cancellation = { id: 'o2', command: 'job-cancel', completion: 'job-cancellation', job: null } as const;
    scene.begin(cancellation);
    const next = new WorkScene();
    // What was written down is all that is left of it.
    const kept = restoredOperation(JSON.parse(JSON.stringify(recordOf(begun, begun.work))) as OperationRecord);
    next.works.add(kept, next.vm);
    next.nextSession();
    next.answer(jobs(50, { status: 'concluded', error: 'Operation canceled' }));
    expect(kept).toMatchObject({ shownState: 'cancelled', problem: { detail: 'The job was cancelled.' } });
    expect(scene.written.length).toBeGreaterThan(0);
  });
});
