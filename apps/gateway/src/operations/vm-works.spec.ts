import type { Execution, Outcome, QmpEvent } from '@qmp-gateway/qmp';
import { ManualClock } from '@qmp-gateway/test-kit';
import { describe, expect, it } from 'vitest';
import { CommandQueue } from '../commands/command-queue.js';
import type { Vm } from '../vms/vm.js';
import { lookMs, VmWorks } from './vm-works.js';
import { Work, type WorkRecord } from './work.js';

interface Asked {
  readonly command: string;
  readonly args: string | undefined;
  readonly arrived: (outcome: Outcome) => void;
}

/** Work followed on a VM that does what the test says. */
class WorkScene {
  readonly clock = new ManualClock();
  /** Questions that have no answer yet. */
  readonly asked: Asked[] = [];
  readonly changed: string[] = [];
  readonly told: { readonly at: number; readonly state: string; readonly current: number | undefined }[] = [];
  /** The VMs that were named with it. */
  readonly sources: (Vm | undefined)[] = [];
  watched = false;
  expectsMigration = false;
  readonly vm: Vm;
  readonly works: VmWorks;

  constructor(commands = ['query-jobs', 'job-dismiss', 'qom-list', 'query-migrate']) {
    const queue = new CommandQueue({ queue: 10 });
    const monitor = {
      places: 8,
      execute: (execution: Execution) => {
        const { command, argumentsJson: args } = execution;
        this.asked.push({ command, args, arrived: (outcome) => execution.settle(outcome) });
      },
    };
    const schema = {
      commands: new Map(commands.map((name) => [name, {}])),
      model: { events: new Map(['JOB_STATUS_CHANGE', 'BLOCK_EXPORT_DELETED'].map((name) => [name, {}])) },
    };
    this.vm = {
      ...{ id: 'vm', epoch: 'e.1', ready: true, runState: 'running' },
      queue,
      monitor,
      schema,
    } as unknown as Vm;
    this.works = new VmWorks({
      clock: this.clock,
      eventCursor: () => 'r.1',
      changed: (work) => this.changed.push(work.record.state),
      publish: ({ record }, vm) => {
        this.sources.push(vm);
        this.told.push({ at: this.clock.now(), state: record.state, current: record.progress?.current });
      },
      isWatched: () => this.watched,
      foreign: (_vm, completion, subject) => work({ id: 'foreign', command: null, completion, subject }),
      expectMigration: () => void (this.expectsMigration = true),
      audit: () => undefined,
    });
  }

  /** Work whose command was written and has returned. */
  begin(record: Partial<WorkRecord> = {}, deadlineMs: number | null = null): Work {
    const begun = work(record);
    this.works.add(begun, this.vm);
    this.works.written(begun, 'e.1', deadlineMs);
    this.works.replied(begun, Buffer.from('{}'));
    return begun;
  }

  event(name: string, data: object): void {
    const event: QmpEvent = { name, data: JSON.stringify(data), timestamp: 'null', receivedAt: this.clock.wall() };
    this.works.event(this.vm, event);
  }

  nextSession(): void {
    Object.assign(this.vm, { epoch: 'e.2' });
    this.works.ready(this.vm);
  }

  /** Answers the oldest question. */
  answer(value: unknown): Asked {
    const [question] = this.asked.splice(0, 1);
    if (question === undefined) throw new Error('nothing was asked');
    question.arrived({ kind: 'return', value: Buffer.from(JSON.stringify(value)) });
    return question;
  }
}

function work(record: Partial<WorkRecord> = {}): Work {
  return new Work({
    ...{ id: 'o1', vm: 'vm', command: 'blockdev-mirror', principalId: 'p', completion: 'job', subject: 'j' },
    ...{ started: 1, deadlineAt: null, epoch: null, state: 'running', ended: null, result: null, problem: null },
    ...{ progress: null, events: [], job: { id: 'j', type: null, status: null }, dismiss: false },
    ...record,
  });
}

const jobs = (current: number, rest: object = {}) => [
  { id: 'j', type: 'mirror', status: 'running', 'current-progress': current, 'total-progress': 100, ...rest },
];
const status = (text: string) => ({ id: 'j', status: text });
const tray = (open: boolean, id: string) => ({ id, device: '', 'tray-open': open });

describe('how far work is', () => {
  it('is told at most four times a second, however often it is asked', () => {
    const scene = new WorkScene();
    scene.watched = true;
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
    const forget = () => undefined;
    mirror.waiters.add(forget);
    scene.works.look();
    scene.clock.advance(lookMs);
    scene.answer(jobs(1));
    scene.clock.advance(lookMs);
    const written = scene.changed.length;
    scene.answer(jobs(51));
    expect(mirror.record.progress).toMatchObject({ current: 51, total: 100, unit: 'bytes', rate: 200 });
    expect(scene.changed).toHaveLength(written);
    mirror.waiters.delete(forget);
    scene.clock.advance(10_000);
    expect(scene.asked).toHaveLength(0);
  });

  it('is asked once in that time, however many look', () => {
    const scene = new WorkScene();
    const mirror = scene.begin();
    const looked: string[] = [];
    mirror.lookers.add(() => looked.push('one'));
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
    expect(create.record).toMatchObject({ state: 'failed', problem: { fields: { qmp: { desc: 'No space' } } } });
  });

  it('is known from its event when the job dismisses itself', () => {
    const scene = new WorkScene();
    const mirror = scene.begin();
    scene.event('JOB_STATUS_CHANGE', status('aborting'));
    scene.event('BLOCK_JOB_COMPLETED', { device: 'j', len: 9, offset: 4, type: 'mirror', error: 'No space' });
    scene.event('JOB_STATUS_CHANGE', status('concluded'));
    expect([mirror.record.state, mirror.problem?.detail, scene.asked]).toEqual(['failed', 'No space', []]);
  });

  it('before the reply is held back until the reply is there', () => {
    const scene = new WorkScene();
    const stream = work();
    scene.works.add(stream, scene.vm);
    scene.works.written(stream, 'e.1', null);
    scene.event('JOB_STATUS_CHANGE', status('concluded'));
    expect(stream.record.state).toBe('running');
    scene.works.replied(stream, Buffer.from('{}'));
    expect(stream.record.state).toBe('done');
  });

  it('is lost when the job is gone from the next session', () => {
    const scene = new WorkScene();
    const mirror = scene.begin();
    scene.nextSession();
    for (let count = 0; count < 2; count++) scene.answer([]);
    expect([mirror.record.state, mirror.problem?.code]).toEqual(['lost', 'outcome-unknown']);
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
    expect([mirror.record.state, mirror.problem?.detail]).toEqual(['failed', 'No space']);
  });

  it('ends as it was told when the VM hangs, and is let go whenever it answers', () => {
    const scene = new WorkScene();
    const mirror = scene.begin({ dismiss: true });
    conclude(scene);
    const [dismissal] = scene.asked;
    scene.clock.advance(10_000);
    expect([mirror.record.state, mirror.problem?.detail]).toEqual(['failed', 'No space']);
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
    expect(scene.changed).toEqual([]);
    for (let n = 0; n < 1000; n++) scene.event('JOB_STATUS_CHANGE', { id: `j${n}`, status: 'created' });
    expect(odd).toEqual(Array(744).fill('jobs-left-out'));
    scene.clock.advance(1000);
    for (let n = 0; n < 10; n++) scene.event('JOB_STATUS_CHANGE', { id: `k${n}`, status: 'created' });
    expect(odd).toHaveLength(750);
    const own = scene.begin({ subject: 'own', job: null });
    scene.event('JOB_STATUS_CHANGE', { id: 'own', status: 's'.repeat(65) });
    scene.event('BLOCK_JOB_COMPLETED', { device: 'own', type: 't'.repeat(65), error: 'e'.repeat(10_000) });
    expect(own.record.job).toEqual({ id: 'own', type: null, status: null });
    expect(own.foretold).toMatchObject({ problem: { detail: 'e'.repeat(4096) } });
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

describe('a migration', () => {
  const migrate = { command: 'migrate', completion: 'migration', subject: '', job: null } as const;

  it('goes on in a state that no release has had yet, and is asked for while no event tells', () => {
    const scene = new WorkScene();
    const migration = scene.begin(migrate);
    scene.answer({ status: 'warming-up' });
    scene.clock.advance(1000);
    scene.answer({ status: 'warming-up' });
    scene.event('MIGRATION', { status: 'cooling-down' });
    scene.clock.advance(60_000);
    expect([migration.record.state, scene.asked]).toEqual(['running', []]);
    scene.event('MIGRATION', { status: 'completed' });
    expect(migration.record.state).toBe('done');
  });
});

describe('a guest that arrives', () => {
  const arrival = { completion: 'arrival', command: 'migrate-incoming', subject: '', job: null } as const;
  const inmigrate = (scene: WorkScene) => Object.assign(scene.vm, { runState: 'inmigrate' });

  it('is asked for while no event tells, and is done when it is complete', () => {
    const scene = new WorkScene();
    const work = scene.begin(arrival);
    // A release that tells of the preparation alone tells nothing of the end.
    scene.event('MIGRATION', { status: 'setup' });
    for (const answer of [{}, { status: 'setup' }, { status: 'active' }, { status: 'a status of tomorrow' }]) {
      scene.answer(answer);
      expect(work.over).toBe(false);
      scene.clock.advance(1000);
    }
    scene.answer({ status: 'completed' });
    expect(work.record.state).toBe('done');
  });

  it('that fails is told with the reason, where the VM lives to give one', () => {
    const scene = new WorkScene();
    const work = scene.begin(arrival);
    scene.answer({});
    scene.event('MIGRATION', { status: 'failed' });
    expect(work.over).toBe(false);
    scene.answer({ status: 'failed', 'error-desc': 'load of migration failed' });
    expect([work.record.state, work.problem?.detail]).toEqual(['failed', 'load of migration failed']);
  });

  it('that fails is told when the VM ends with it, and is not when only the session ends', () => {
    const [dead, lost] = [new WorkScene(), new WorkScene()];
    const works = [dead, lost].map((scene) => scene.begin(arrival));
    dead.event('MIGRATION', { status: 'failed' });
    for (const scene of [dead, lost]) scene.works.away();
    expect(works.map(({ record }) => record.state)).toEqual(['failed', 'running']);
    inmigrate(lost);
    lost.asked.length = 0;
    lost.nextSession();
    // 7.2 has no status while nobody has come.
    for (const { command } of [...lost.asked]) lost.answer(command === 'query-jobs' ? [] : {});
    expect(works[1]!.over).toBe(false);
  });

  it('is lost with a VM that was started anew, and awaits nobody', () => {
    const scene = new WorkScene();
    const work = scene.begin(arrival);
    scene.asked.length = 0;
    scene.nextSession();
    scene.answer({});
    expect(work.record.state).toBe('lost');
  });

  it('is followed from its first sign, where it was expected from the start', () => {
    const scene = new WorkScene();
    inmigrate(scene);
    scene.works.ready(scene.vm);
    expect(scene.expectsMigration).toBe(true);
    scene.asked.length = 0;
    for (const status of ['setup', 'active', 'active']) scene.event('MIGRATION', { status });
    scene.event('MIGRATION', { status: 'completed' });
    scene.clock.advance(lookMs);
    expect(scene.told.map(({ state }) => state)).toEqual(['running', 'done']);
  });

  it('or leaves is followed too when another client had it do so', () => {
    const scene = new WorkScene();
    scene.event('MIGRATION', { status: 'active' });
    scene.event('MIGRATION', { status: 'completed' });
    scene.clock.advance(lookMs);
    expect(scene.told.map(({ state }) => state)).toEqual(['running', 'done']);
  });
});

describe('what is only asked for with its command', () => {
  const commands = ['query-jobs', 'query-migrate', 'query-status', 'query-block', 'query-block-exports'];
  const goesOn = { state: 'running' };
  const done = { state: 'done' };

  it.each([
    ['migrate_cancel', 'migration-step', '', 'MIGRATION', [{ status: 'cancelling' }, { status: 'cancelled' }]],
    [
      'migrate-start-postcopy',
      'migration-step',
      '',
      'MIGRATION',
      [{ status: 'active' }, { status: 'postcopy-active' }],
    ],
    ['migrate-pause', 'migration-step', '', 'MIGRATION', [{ status: 'active' }, { status: 'postcopy-paused' }]],
    ['migrate-recover', 'migration-step', '', 'MIGRATION', [{ status: 'setup' }, { status: 'postcopy-recover' }]],
    ['job-pause', 'job-pause', 'j', 'JOB_STATUS_CHANGE', [status('running'), status('paused')]],
    ['job-resume', 'job-resumption', 'j', 'JOB_STATUS_CHANGE', [status('paused'), status('running')]],
    ['blockdev-open-tray', 'tray', 'cd', 'DEVICE_TRAY_MOVED', [tray(false, 'cd'), tray(true, 'cd')]],
    ['block-export-del', 'export-removal', 'e', 'BLOCK_EXPORT_DELETED', [{ id: 'other' }, { id: 'e' }]],
    ['guest-shutdown', 'guest-shutdown', 'powerdown', 'SHUTDOWN', [undefined, { guest: true }]],
    ['guest-shutdown', 'guest-shutdown', 'reboot', 'RESET', [undefined, { guest: true }]],
    ['system_wakeup', 'wakeup', '', 'WAKEUP', [undefined, {}]],
  ] as const)('%s is done when its event says so', (command, completion, subject, event, [before, after]) => {
    const scene = new WorkScene(commands);
    const work = scene.begin({ command, completion, subject, job: null });
    if (before !== undefined) scene.event(event, before);
    expect(work.record).toMatchObject(goesOn);
    scene.event(event, after);
    expect(work.record).toMatchObject(done);
  });

  it.each([
    ['migrate_cancel', 'migration-step', '', { status: 'active' }, { status: 'cancelled' }],
    ['job-pause', 'job-pause', 'j', [status('running')], [status('paused')]],
    ['job-resume', 'job-resumption', 'j', [status('paused')], [status('running')]],
    ['blockdev-open-tray', 'tray', 'cd', [{ qdev: 'cd', tray_open: false }], [{ qdev: 'cd', tray_open: true }]],
    ['blockdev-open-tray', 'tray', 'hd', [], [{ device: 'hd' }]],
  ] as const)('%s is done when the VM says so, event or not', (command, completion, subject, before, after) => {
    for (const [answer, expected] of [
      [before, goesOn],
      [after, done],
    ] as const) {
      const scene = new WorkScene(commands);
      const work = scene.begin({ command, completion, subject, job: null });
      scene.answer(answer);
      expect(work.record).toMatchObject(expected);
    }
  });

  it('is failed when what it is asked of ends first', () => {
    const scene = new WorkScene(commands);
    const pause = scene.begin({ command: 'job-pause', completion: 'job-pause', subject: 'j', job: null });
    const step = { command: 'migrate-start-postcopy', completion: 'migration-step', subject: '', job: null } as const;
    const postcopy = scene.begin({ ...step, id: 'o2' });
    scene.event('JOB_STATUS_CHANGE', status('aborting'));
    scene.event('MIGRATION', { status: 'failed' });
    expect([pause.record.state, postcopy.record.state]).toEqual(['failed', 'failed']);
  });

  it('is late with the reason: a VM that awaits a migration does not run yet', () => {
    const scene = new WorkScene(commands);
    Object.assign(scene.vm, { runState: 'inmigrate' });
    const cont = scene.begin({ command: 'cont', completion: 'cont', subject: '', job: null }, 1000);
    scene.clock.advance(1000);
    scene.answer({ running: false, status: 'inmigrate' });
    expect(cont.problem?.detail).toContain('awaits a migration');
  });
});

describe('a reset', () => {
  const reset = { command: 'system_reset', completion: 'reset', subject: '', job: null } as const;

  it.each([
    ['RESET', {}, 'done'],
    ['SHUTDOWN', { guest: false, reason: 'host-qmp-system-reset' }, 'done'],
    ['SHUTDOWN', { guest: true, reason: 'guest-shutdown' }, 'running'],
    ['SHUTDOWN', {}, 'running'],
  ])('is told by %s with %j: %s', (event, data, state) => {
    const scene = new WorkScene();
    const work = scene.begin(reset);
    scene.event(event, data);
    expect(work.record.state).toBe(state);
  });

  it.each([
    [true, 'done'],
    [false, 'lost'],
    [null, 'lost'],
  ])('of a VM that ended, and whose end a reset is: %s, is %s', (resetEnds, state) => {
    const scene = new WorkScene();
    Object.assign(scene.vm, { resetEnds });
    const work = scene.begin(reset);
    scene.works.ended('The VM ended before its work did.');
    expect(work.record.state).toBe(state);
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
    expect([gone.record.state, kept.record.state, kept.problem?.code]).toEqual(['done', 'failed', 'deadline-exceeded']);
  });

  it('fails all the same when the VM does not answer', () => {
    const scene = new WorkScene();
    const ignored = scene.begin(unplug, 1000);
    scene.clock.advance(1000 + 10_000);
    expect([ignored.record.state, ignored.problem?.code]).toEqual(['failed', 'deadline-exceeded']);
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
    expect([mirror.record.state, mirror.problem?.code]).toEqual(['lost', 'outcome-unknown']);
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
    expect(mirror.record.state).toBe('done');
  });
});

it('work that nobody could follow any more is bounded', () => {
  const scene = new WorkScene();
  const all = Array.from({ length: 300 }, (_, at) => scene.begin({ id: `o${at}`, subject: `j${at}` }));
  expect(all.filter(({ over }) => over)).toHaveLength(44);
  expect(all[0]?.record.state).toBe('lost');
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
    expect(ended.record.state).toBe('done');
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
    const kept = new Work(JSON.parse(JSON.stringify(begun.record)) as WorkRecord);
    Object.assign(kept, { written: true, replied: true });
    next.works.add(kept, next.vm);
    next.nextSession();
    next.answer(jobs(50, { status: 'concluded', error: 'Operation canceled' }));
    expect(kept.record).toMatchObject({ state: 'cancelled', problem: { detail: 'The job was cancelled.' } });
    expect(scene.changed.length).toBeGreaterThan(0);
  });
});
