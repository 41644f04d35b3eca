import { Scene } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';
import { Problem } from '../problems/problem.js';
import type { CommandCheck } from './command-check.js';
import { CommandRecords } from './command-records.js';
import type { CommandAnswer } from './command-request.js';
import { CommandRun } from './command-run.js';
import { CommandScene, principalOf } from './command.scene.js';
import { DeadlineWheel } from './deadline-wheel.js';
import { RunningCommand } from './running-command.js';

const scene = new Scene();
afterEach(() => scene.end());

/** A command that was sent, and what its caller is told. */
function sent(part: boolean, check?: CommandCheck) {
  const stage = new CommandScene(scene);
  const ends: CommandAnswer[] = [];
  const asker = { answered: (answer: CommandAnswer) => ends.push(answer) };
  const more = { part, late: asker.answered, timeoutMs: 100 };
  const records = new CommandRecords({
    ...{ audit: { refusal: undefined, add: () => undefined, addLater: () => undefined }, metrics: stage.metrics },
    ...{ operations: stage.operations, clock: stage.clock, fault: () => undefined },
  });
  const run = new CommandRun(stage.request('stop', undefined, more), asker, records);
  run.target = stage.path.resolve(principalOf('host'), 'web-1', 'stop');
  run.check = check;
  run.deadlineMs = 100;
  const { operations, clock } = stage;
  const surroundings = { operations, clock, deadlines: new DeadlineWheel(clock), eventCursor: () => 'run.5' };
  const command = new RunningCommand(run, surroundings);
  command.start();
  return { command, ends, operations, clock, kept: () => operations.of('web-1').map(({ id }) => id) };
}

const done = { kind: 'return', value: Buffer.from('{}') } as const;

describe('the operation that an answer names', () => {
  it('is kept', () => {
    const { command, ends, kept } = sent(false);
    command.settle(done);
    expect(ends).toMatchObject([{ json: done.value, trace: { operation: command.operation.id, epoch: 'e.1' } }]);
    expect(kept()).toEqual([command.operation.id]);
  });

  it('is none when it was one of many commands, and not kept', () => {
    const { command, ends, kept } = sent(true);
    command.settle(done);
    expect(ends).toMatchObject([{ json: done.value, trace: { operation: undefined, epoch: 'e.1' } }]);
    expect(kept()).toEqual([]);
  });

  it('is kept of one of many whose deadline was told', () => {
    const { command, ends, kept, clock } = sent(true);
    clock.advance(100);
    command.settle(done);
    const trace = { operation: command.operation.id };
    expect(ends).toMatchObject([
      { problem: { code: 'deadline-exceeded' }, trace },
      { json: done.value, trace },
    ]);
    expect(kept()).toEqual([command.operation.id]);
  });
});

describe('an answer that is withheld', () => {
  const withhold = (answer: Buffer) =>
    answer.includes('hunter2') ? new Problem('forbidden', 'a secret', { outcome: 'refused' }) : undefined;
  const secret = { kind: 'return', value: Buffer.from('{"data":"hunter2"}') } as const;

  it('is told to nobody, and not kept', () => {
    const { command, ends, operations } = sent(false, { withhold });
    command.settle(secret);
    expect(ends).toMatchObject([{ problem: { code: 'forbidden' } }]);
    expect(JSON.stringify([ends, operations.of('web-1')])).not.toContain('hunter2');
  });

  it('is not kept either when it comes after the deadline', () => {
    const { command, ends, operations, clock } = sent(true, { withhold });
    clock.advance(100);
    command.settle(secret);
    expect(ends).toMatchObject([{ problem: { code: 'deadline-exceeded' } }, { problem: { code: 'forbidden' } }]);
    expect(operations.of('web-1')).toMatchObject([{ state: 'failed' }]);
    expect(JSON.stringify([ends, operations.of('web-1')])).not.toContain('hunter2');
  });

  it('is the same bytes when there is nothing to withhold', () => {
    const { command, ends } = sent(false, { withhold });
    command.settle(done);
    expect(ends[0]).toHaveProperty('json', done.value);
  });
});
