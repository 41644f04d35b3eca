import { describe, expect, it } from 'vitest';
import { lookMs } from './work-announcements.js';
import { status, WorkScene } from './work.scene.js';

const tray = (open: boolean, id: string) => ({ id, device: '', 'tray-open': open });

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
    expect([migration.shownState, scene.asked]).toEqual(['running', []]);
    scene.event('MIGRATION', { status: 'completed' });
    expect(migration.shownState).toBe('done');
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
    expect(work.shownState).toBe('done');
  });

  it('that fails is told with the reason, where the VM lives to give one', () => {
    const scene = new WorkScene();
    const work = scene.begin(arrival);
    scene.answer({});
    scene.event('MIGRATION', { status: 'failed' });
    expect(work.over).toBe(false);
    scene.answer({ status: 'failed', 'error-desc': 'load of migration failed' });
    expect([work.shownState, work.problem?.detail]).toEqual(['failed', 'load of migration failed']);
  });

  it('that fails is told when the VM ends with it, and is not when only the session ends', () => {
    const [dead, lost] = [new WorkScene(), new WorkScene()];
    const works = [dead, lost].map((scene) => scene.begin(arrival));
    dead.event('MIGRATION', { status: 'failed' });
    for (const scene of [dead, lost]) scene.works.away();
    expect(works.map(({ shownState }) => shownState)).toEqual(['failed', 'running']);
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
    expect(work.shownState).toBe('lost');
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
  const goesOn = { shownState: 'running' };
  const done = { shownState: 'done' };

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
    expect(work).toMatchObject(goesOn);
    scene.event(event, after);
    expect(work).toMatchObject(done);
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
      expect(work).toMatchObject(expected);
    }
  });

  it('is failed when what it is asked of ends first', () => {
    const scene = new WorkScene(commands);
    const pause = scene.begin({ command: 'job-pause', completion: 'job-pause', subject: 'j', job: null });
    const step = { command: 'migrate-start-postcopy', completion: 'migration-step', subject: '', job: null } as const;
    const postcopy = scene.begin({ ...step, id: 'o2' });
    scene.event('JOB_STATUS_CHANGE', status('aborting'));
    scene.event('MIGRATION', { status: 'failed' });
    expect([pause.shownState, postcopy.shownState]).toEqual(['failed', 'failed']);
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
    expect(work.shownState).toBe(state);
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
    expect(work.shownState).toBe(state);
  });
});
