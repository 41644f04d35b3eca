import { ManualClock, Scene } from '@qmp-gateway/test-kit';
import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { Principal } from '../access/principal.js';
import { Problem } from '../problems/problem.js';
import { StateDirectory } from '../state/state-directory.js';
import type { Vm } from '../vms/vm.js';
import type { VmRegistry } from '../vms/vm-registry.js';
import { OperationDesk } from './operation-desk.js';
import { OperationStore } from './operation-store.js';
import type { WorkingOperation } from './operation.js';
import { WorkFollower } from './work-follower.js';
import { UnheardEvents } from './work.scene.js';

const scene = new Scene();
afterEach(() => scene.end());

const principal = new Principal('p', 'p', { level: 'operate', vms: ['*'] });
const minute = 60_000;

const completion = { kind: 'stop', deadlineMs: null } as const;

/** A desk of paused VMs, whose commands begin and end as the test says. */
class DeskScene {
  readonly clock = new ManualClock();
  readonly operations = new OperationStore('r', this.clock);
  readonly follower = scene.keep(
    new WorkFollower({
      state: new StateDirectory(scene.directory()),
      operations: this.operations,
      events: new UnheardEvents(),
      clock: this.clock,
    }),
    (follower) => follower.stop(),
  );
  readonly desk: OperationDesk;
  /** Of whoever asks. */
  readonly socket = new EventEmitter();

  constructor() {
    const registry = {
      get: (id: string) => this.vm(id),
      require: (_: unknown, id: string) => this.vm(id),
    } as unknown as VmRegistry;
    this.desk = new OperationDesk(registry, this.operations, this.follower, () => 'r.1');
  }

  vm(id = 'vm'): Vm {
    return { id, epoch: 'e.1', labels: {}, ready: true, runState: 'paused' } as Vm;
  }

  begin(vm = 'vm'): WorkingOperation {
    const operation = this.operations.begin(vm, 'stop', 'p');
    const working = this.follower.begin(operation, this.vm(vm), undefined, { completion, dismiss: false });
    if (working === undefined) throw new Error('stop has no work');
    return working;
  }

  /** A command that returns, and whose work is over then. */
  stop(vm = 'vm'): WorkingOperation {
    const operation = this.begin(vm);
    operation.sent('e.1');
    this.follower.replied(operation, Buffer.from('{}'));
    return operation;
  }

  async one(id: string, waitMs: number, vm = 'vm'): Promise<Record<string, unknown>> {
    const request = { socket: this.socket } as unknown as IncomingMessage;
    return JSON.parse(await this.desk.one(principal, { vm, id }, waitMs, request)) as Record<string, unknown>;
  }
}

describe('whoever waits for an operation', () => {
  it('leaves nothing behind, whether the time is up or they leave', async () => {
    const stage = new DeskScene();
    const { socket } = stage;
    const operation = stage.operations.begin('vm', 'device_add', 'p');
    const leaver = stage.one(operation.id, minute);
    expect(operation.isAwaited).toBe(true);
    socket.emit('close');
    expect(await leaver).toMatchObject({ state: 'running' });
    const patient = stage.one(operation.id, 1);
    stage.clock.advance(1);
    expect(await patient).toMatchObject({ state: 'running' });
    expect([operation.isAwaited, socket.listenerCount('close')]).toEqual([false, 0]);
  });

  it('is told of a command that is refused, though its work had an operation already', async () => {
    const stage = new DeskScene();
    const operation = stage.begin();
    const answer = stage.one(operation.id, minute);
    stage.follower.refused(operation);
    stage.operations.end(operation, 'failed', null, new Problem('command-failed', 'no'));
    expect(await answer).toMatchObject({ state: 'failed', error: { detail: 'no' } });
  });

  it('finds nothing of an operation that was let go', async () => {
    const stage = new DeskScene();
    const operation = stage.operations.begin('vm', 'stop', 'p');
    const answer = stage.one(operation.id, minute);
    stage.operations.drop(operation);
    await expect(answer).rejects.toMatchObject({ code: 'operation-not-found' });
  });
});

describe('what has ended', () => {
  it('is kept beside any number of outcomes at another VM, whose oldest are told of no longer', async () => {
    const stage = new DeskScene();
    const kept = stage.stop('quiet');
    const oldest = stage.stop('busy');
    for (let count = 0; count < 10_000; count++) stage.stop('busy');
    expect(stage.operations.get('quiet', kept.id)).toBe(kept);
    await expect(stage.one(oldest.id, 0, 'busy')).rejects.toMatchObject({ code: 'operation-not-found' });
  });

  it('holds on to no arguments, which it only needed to keep their secrets out of what it says', () => {
    const stage = new DeskScene();
    const operation = stage.begin();
    const { work } = operation;
    work.redactWith(() => 'without secrets');
    expect(work.failure('hunter2')).toMatchObject({ problem: { detail: 'without secrets' } });
    operation.sent('e.1');
    stage.follower.replied(operation, Buffer.from('{}'));
    expect([operation.over, work.failure('as it is')]).toMatchObject([true, { problem: { detail: 'as it is' } }]);
  });
});
