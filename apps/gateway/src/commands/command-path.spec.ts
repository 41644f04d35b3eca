import { Scene } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';
import type { CommandAnswer } from './command-request.js';
import { CommandScene, FakeVm, principalOf, schema } from './command.scene.js';

const scene = new Scene();
afterEach(() => scene.end());

describe('a command', () => {
  it('is sent, answered, kept as an operation, audited and counted', () => {
    const stage = new CommandScene(scene);
    stage.execute('device_del', '{"id": "d0"}');
    expect(stage.vm.commands).toEqual(['device_del {"id": "d0"}']);
    stage.clock.advance(20);
    stage.vm.reply({ done: 1 });
    const [answer] = stage.answers;
    expect(answer).toMatchObject({ ok: true, trace: { epoch: 'e.1', cursor: 'r.7', queueMs: 0, qmpMs: 20 } });
    expect(stage.operations.get('web-1', answer?.trace.operation ?? '')).toMatchObject({ shownState: 'running' });
    expect(stage.audited).toMatchObject([
      { vm: 'web-1', command: 'device_del', arguments: { id: 'd0' }, outcome: 'done', work: 'running', ms: 20 },
    ]);
    expect(stage.metrics.commands.get('qemu')?.get('device_del')?.get('done')).toBe(1);
  });

  it('that has no work is done with its reply', () => {
    const stage = new CommandScene(scene);
    stage.execute('query-status');
    stage.vm.reply({ running: true });
    expect(stage.told).toEqual(['{"running":true}']);
    expect(stage.operations.of('web-1')).toMatchObject([{ state: 'done', work: null }]);
  });
});

describe('refusals come in the order', () => {
  const refused = (command: string, args?: string, more: object = {}): string[] => {
    const stage = new CommandScene(scene);
    stage.execute(command, args, more);
    expect(stage.vm.sent).toEqual([]);
    return stage.told;
  };
  // Each request has the faults of all those below it.
  const faulty = { epoch: 'other', principal: principalOf('read') };

  it.each([
    ['VM', 'nothing', '{', { vm: 'none', ...faulty }, 'vm-not-found'],
    ['agent', 'nothing', '{', { agent: true, ...faulty }, 'route-not-found'],
    ['command', 'nothing', '{', faulty, 'command-not-found'],
    ['JSON', 'device_del', '{', faulty, 'malformed-json'],
    ['policy', 'device_del', '{"nonsense": 1}', faulty, 'forbidden'],
    ['arguments', 'device_del', '{"nonsense": 1}', { epoch: 'other' }, 'invalid-arguments'],
    ['size', 'device_del', `{"id": "${'d'.repeat(1000)}"}`, { epoch: 'other' }, 'body-too-large'],
    ['deadline', 'device_del', '{"id": "d0"}', { epoch: 'other', timeoutMs: 1e9 }, 'invalid-request'],
    ['epoch', 'device_del', '{"id": "d0"}', { epoch: 'other' }, 'epoch-changed'],
  ])('%s', (_, command, args, more, code) => {
    expect(refused(command, args, more)).toEqual([code]);
  });

  it('VM state, after the epoch', () => {
    const stage = new CommandScene(scene);
    stage.vm.ready = false;
    stage.execute('query-status');
    expect(stage.told).toEqual(['vm-unavailable']);
    expect(stage.audited).toMatchObject([{ outcome: 'not-sent', problem: 'vm-unavailable' }]);
  });

  it('full queue, at last', () => {
    const stage = new CommandScene(scene);
    for (let count = 0; count < 4; count++) stage.execute('query-status');
    expect([stage.told, stage.vm.sent.length, stage.vm.queue.size]).toEqual([['queue-full'], 1, 2]);
    for (let count = 0; count < 3; count++) stage.vm.reply(count);
    expect(stage.told).toEqual(['queue-full', '0', '1', '2']);
  });

  it('GET of what changes something, before its arguments are read', () => {
    expect(refused('device_del', '{', { readOnly: true })).toEqual(['method-not-allowed']);
  });
});

describe('a deadline', () => {
  it('in the queue ends a command that was not sent', () => {
    const stage = new CommandScene(scene);
    stage.execute('query-status');
    stage.execute('query-status', undefined, { timeoutMs: 100 });
    stage.clock.advance(99);
    expect(stage.answers).toEqual([]);
    stage.clock.advance(1);
    expect(stage.answers).toMatchObject([{ ok: false, problem: { code: 'deadline-exceeded', outcome: 'not-sent' } }]);
    stage.vm.reply(1);
    expect([stage.told, stage.vm.sent]).toEqual([['deadline-exceeded', '1'], []]);
  });

  it('after the write lets the command go on, whose late reply is kept and audited once more', () => {
    const stage = new CommandScene(scene);
    const late: CommandAnswer[] = [];
    stage.execute('query-status', undefined, { timeoutMs: 100, late: (answer) => late.push(answer) });
    stage.clock.advance(100);
    expect(stage.answers).toMatchObject([{ ok: false, problem: { code: 'deadline-exceeded', outcome: 'unknown' } }]);
    stage.clock.advance(900);
    stage.vm.reply(1);
    expect([stage.answers.length, late]).toMatchObject([1, [{ ok: true }]]);
    expect(stage.operations.of('web-1')).toMatchObject([{ state: 'done', returned: '1' }]);
    expect(stage.audited).toMatchObject([
      { outcome: 'unknown', ms: 100 },
      { late: true, outcome: 'done', ms: 1000 },
    ]);
  });

  it('runs from the arrival of the request, however long its checks took', () => {
    const stage = new CommandScene(scene);
    stage.clock.advance(80);
    stage.execute('query-status', undefined, { timeoutMs: 100, arrivedAt: 0 });
    stage.clock.advance(20);
    expect(stage.told).toEqual(['deadline-exceeded']);
  });

  it('leaves no timer of its own behind', () => {
    const stage = new CommandScene(scene);
    const run = () => {
      stage.execute('query-status');
      stage.vm.reply();
      return stage.clock.pending;
    };
    // The one of all deadlines goes on until it finds that there are none.
    const after = run();
    expect([run(), run()]).toEqual([after, after]);
    stage.clock.advance(60_000);
    expect(stage.clock.pending).toBe(after - 1);
  });
});

describe('a VM of which nothing is known yet', () => {
  const arriving = (): CommandScene => {
    const vm = new FakeVm();
    Object.assign(vm, { schema: undefined, ready: false, arriving: true });
    return new CommandScene(scene, [vm]);
  };

  it('is waited for until its first session', () => {
    const stage = arriving();
    stage.execute('query-status');
    stage.clock.advance(9999);
    stage.vm.change({ schema, ready: true, arriving: false });
    stage.vm.reply(1);
    expect(stage.told).toEqual(['1']);
  });

  it('is waited for ten seconds, or as long as the caller says', () => {
    const [patient, hasty] = [arriving(), arriving()];
    patient.execute('query-status');
    hasty.execute('query-status', undefined, { timeoutMs: 50 });
    hasty.clock.advance(50);
    patient.clock.advance(10_000);
    for (const { answers } of [patient, hasty])
      expect(answers).toMatchObject([{ problem: { code: 'deadline-exceeded', outcome: 'not-sent', retryable: true } }]);
  });
});

describe('a dry run', () => {
  it('says what would be sent, and sends nothing', () => {
    const stage = new CommandScene(scene);
    stage.execute('device_del', '{"id": "d0"}', { dryRun: true });
    expect(stage.told).toEqual(['{"wouldSend":{"execute":"device_del","arguments":{"id": "d0"}},"class":"configure"}']);
    expect([stage.vm.sent, stage.operations.of('web-1')]).toEqual([[], []]);
    expect(stage.audited).toMatchObject([{ dryRun: true, outcome: 'done' }]);
  });

  it('is refused as the command would be', () => {
    const stage = new CommandScene(scene);
    stage.execute('device_del', '{}', { dryRun: true });
    expect(stage.told).toEqual(['invalid-arguments']);
  });
});

describe('a command with a key', () => {
  const keyed = { idempotencyKey: 'key' };

  it('is sent once, and its answer given again', () => {
    const stage = new CommandScene(scene);
    stage.execute('query-status', undefined, keyed);
    stage.vm.reply(1);
    stage.execute('query-status', undefined, keyed);
    expect([stage.told, stage.vm.sent]).toEqual([['1', '1'], []]);
    expect(stage.answers[1]?.trace.replayed).toBe(true);
    expect(stage.audited).toMatchObject([{ outcome: 'done' }, { outcome: 'done', replayed: true }]);
  });

  it('is in progress until its late reply, and clashes with other arguments', () => {
    const stage = new CommandScene(scene);
    stage.execute('device_del', '{"id": "d0"}', { ...keyed, timeoutMs: 100 });
    stage.clock.advance(100);
    stage.execute('device_del', '{"id": "d0"}', keyed);
    stage.execute('device_del', '{"id": "d1"}', keyed);
    stage.vm.reply();
    stage.execute('device_del', '{"id": "d0"}', keyed);
    expect(stage.told).toEqual(['deadline-exceeded', 'idempotency-in-progress', 'idempotency-mismatch', '{}']);
  });

  it('runs again when nothing was sent', () => {
    const stage = new CommandScene(scene);
    stage.vm.ready = false;
    stage.execute('query-status', undefined, keyed);
    stage.vm.ready = true;
    stage.execute('query-status', undefined, keyed);
    stage.vm.reply(1);
    expect(stage.told).toEqual(['vm-unavailable', '1']);
  });
});

it('a fault in telling an answer answers nobody twice', () => {
  const stage = new CommandScene(scene);
  let told = 0;
  const asker = {
    answered: () => {
      told++;
      throw new Error('a fault of ours');
    },
  };
  stage.path.execute(stage.request('nothing', undefined, { dryRun: true }), {
    answered: (answer) => expect(answer.ok).toBe(false),
  });
  stage.path.execute(stage.request('query-status', undefined, { dryRun: true }), asker);
  expect([told, stage.faults.length, stage.audited.length]).toEqual([1, 1, 2]);
});
