import { ManualClock, Scene } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';
import { Principal } from '../access/principal.js';
import { CommandWork } from './command-work.js';
import { OperationStore } from './operation-store.js';
import { WorkFollower } from './work-follower.js';
import type { SchemaCommand } from '../schemas/vm-schema.js';
import { StateDirectory } from '../state/state-directory.js';
import type { Vm } from '../vms/vm.js';
import { CommandQueue } from '../commands/command-queue.js';
import type { CommandRequest } from '../commands/command-request.js';
import { RunningCommand } from '../commands/running-command.js';

const scene = new Scene();
afterEach(() => scene.end());

/** A `stop` that was written, with what is kept of it. */
class StopScene {
  readonly operations = new OperationStore('r');
  readonly follower = scene.keep(
    new WorkFollower({
      state: new StateDirectory(scene.directory()),
      clock: new ManualClock(),
      ...{ eventCursor: () => 'r.1', nextId: () => this.operations.nextId(), isWatched: () => false },
      ...{ publish: () => undefined, audit: () => undefined, ended: () => undefined, trouble: () => undefined },
    }),
    (follower) => follower.stop(),
  );
  readonly command: RunningCommand;

  constructor() {
    const monitor = { places: 8, execute: () => undefined };
    const queue = new CommandQueue({ queue: 10 });
    const vm = { id: 'vm', epoch: 'e.1', ready: true, runState: 'running', monitor, queue } as unknown as Vm;
    const principal = new Principal('p', 'p', { level: 'operate', vms: ['*'] });
    const request = { principal, arrivedAt: performance.now() } as CommandRequest;
    const completion = { kind: 'stop', deadlineMs: null } as const;
    this.command = new RunningCommand(
      ...([vm, { name: 'stop', class: 'operate' } as SchemaCommand, request, undefined] as const),
      { operations: this.operations, eventCursor: () => 'r.1' },
      ...([() => undefined, () => undefined] as const),
      { work: new CommandWork(this.follower, vm, completion, undefined, { dismiss: false }, false) },
    );
    this.command.start(60_000);
    this.command.onWrite();
  }
}

describe('a command whose work is followed', () => {
  it('leaves its work and no operation that says done: once the work is forgotten, there is none', () => {
    const { operations, follower, command } = new StopScene();
    command.settle({ kind: 'return', value: Buffer.from('{}') });
    expect(operations.list('vm')).toEqual([]);
    const [work, ...others] = follower.store.of('vm');
    expect([work?.record.id, work?.record.state, others]).toEqual([command.operation.id, 'running', []]);
  });

  it('leaves its operation when it was refused, and no work', () => {
    const { operations, follower, command } = new StopScene();
    command.settle({ kind: 'error', class: 'GenericError', desc: 'no' });
    expect(operations.list('vm')).toMatchObject([{ id: command.operation.id, state: 'failed' }]);
    expect(follower.store.of('vm')).toEqual([]);
  });
});
