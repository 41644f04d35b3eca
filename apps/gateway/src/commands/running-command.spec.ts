import type { Execution } from '@qmp-gateway/qmp';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Principal } from '../access/principal.js';
import { OperationStore } from '../operations/operation-store.js';
import type { SchemaCommand } from '../schemas/vm-schema.js';
import { Problem } from '../problems/problem.js';
import type { CommandCheck } from './command-check.js';
import type { CommandRequest } from './command-request.js';
import type { CommandServer } from './command-server.js';
import { RunningCommand, type CommandEnd } from './running-command.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A command that was sent, and what its caller is told. */
function sent(part: boolean, check?: CommandCheck) {
  const operations = new OperationStore('run');
  const ends: CommandEnd[] = [];
  const monitor = {
    places: 1,
    execute: (execution: Execution) => execution.onWrite?.(),
    resynchronize: () => undefined,
  };
  const server = { id: 'web-1', monitor, queue: { size: 0 }, ready: true, epoch: 'run.1', schema: undefined };
  const request: CommandRequest = {
    ...{
      principal: new Principal('token:a', 'a', { level: 'host', vms: ['*'] }),
      requestId: 'r',
      entrance: 'resource',
    },
    ...{ vm: 'web-1', command: 'stop', arguments: { kind: 'none' }, arrivedAt: performance.now(), part },
  };
  const tell = (end: CommandEnd): void => void ends.push(end);
  const target = { name: 'stop', class: 'operate', deprecated: false } as SchemaCommand;
  const surroundings = { operations, eventCursor: () => 'run.5' };
  const command = new RunningCommand(
    server as unknown as CommandServer,
    target,
    request,
    undefined,
    surroundings,
    tell,
    tell,
    { check },
  );
  command.start(100);
  return { command, ends, operations, kept: () => operations.list('web-1').map(({ id }) => id) };
}

const done = { kind: 'return', value: Buffer.from('{}') } as const;

describe('the operation that an answer names', () => {
  it('is kept', () => {
    const { command, ends, kept } = sent(false);
    command.settle(done);
    expect(ends).toMatchObject([{ value: done.value, trace: { operation: command.operation.id, epoch: 'run.1' } }]);
    expect(kept()).toEqual([command.operation.id]);
  });

  it('is none when it was one of many commands, and not kept', () => {
    const { command, ends, kept } = sent(true);
    command.settle(done);
    expect(ends).toMatchObject([{ value: done.value, trace: { operation: undefined, epoch: 'run.1' } }]);
    expect(kept()).toEqual([]);
  });

  it('is kept of one of many whose deadline was told', () => {
    const { command, ends, kept } = sent(true);
    vi.advanceTimersByTime(100);
    command.settle(done);
    const trace = { operation: command.operation.id };
    expect(ends).toMatchObject([
      { problem: { code: 'deadline-exceeded' }, trace },
      { value: done.value, trace },
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
    expect(JSON.stringify([ends, operations.list('web-1')])).not.toContain('hunter2');
  });

  it('is not kept either when it comes after the deadline', () => {
    const { command, ends, operations } = sent(true, { withhold });
    vi.advanceTimersByTime(100);
    command.settle(secret);
    expect(ends).toMatchObject([{ problem: { code: 'deadline-exceeded' } }, { problem: { code: 'forbidden' } }]);
    expect(operations.list('web-1')).toMatchObject([{ state: 'failed' }]);
    expect(JSON.stringify([ends, operations.list('web-1')])).not.toContain('hunter2');
  });

  it('is the same bytes when there is nothing to withhold', () => {
    const { command, ends } = sent(false, { withhold });
    command.settle(done);
    expect(ends[0]?.value).toBe(done.value);
  });
});
