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
import { OperationStore, type Operation } from './operation-store.js';
import { WorkFollower } from './work-follower.js';
import type { Work } from './work.js';

const scene = new Scene();
afterEach(() => scene.end());

const principal = new Principal('p', 'p', { level: 'operate', vms: ['*'] });
const minute = 60_000;

const completion = { kind: 'stop', deadlineMs: null } as const;

/** A desk of paused VMs, whose commands begin and end as the test says. */
class DeskScene {
  readonly clock = new ManualClock();
  readonly operations = new OperationStore('r', () => this.clock.wall());
  readonly follower = scene.keep(
    new WorkFollower({
      state: new StateDirectory(scene.directory()),
      clock: this.clock,
      ...{ eventCursor: () => 'r.1', nextId: () => this.operations.nextId(), isWatched: () => false },
      ...{ publish: () => undefined, audit: () => undefined, ended: () => undefined, trouble: () => undefined },
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

  begin(vm = 'vm'): { readonly operation: Operation; readonly work: Work } {
    const operation = this.operations.begin(vm, 'stop', 'p');
    const work = this.follower.begin(operation, this.vm(vm), completion, undefined, { dismiss: false });
    if (work === undefined) throw new Error('stop has no work');
    return { operation, work };
  }

  /** A command that returns, and whose work is over then. */
  stop(vm = 'vm'): Work {
    const { operation, work } = this.begin(vm);
    this.follower.replied(work, Buffer.from('{}'));
    this.operations.drop(operation);
    return work;
  }

  async one(id: string, waitMs: number, vm = 'vm'): Promise<Record<string, unknown>> {
    const request = { socket: this.socket } as unknown as IncomingMessage;
    return JSON.parse(await this.desk.one(principal, vm, id, waitMs, request)) as Record<string, unknown>;
  }
}

describe('whoever waits for an operation', () => {
  it('leaves nothing behind, whether the time is up or they leave', async () => {
    const stage = new DeskScene();
    const { socket } = stage;
    const operation = stage.operations.begin('vm', 'device_add', 'p');
    const leaver = stage.one(operation.id, minute);
    expect(operation.whenEnded?.size).toBe(1);
    socket.emit('close');
    expect(await leaver).toMatchObject({ state: 'running' });
    expect(await stage.one(operation.id, 1)).toMatchObject({ state: 'running' });
    expect([operation.whenEnded?.size, socket.listenerCount('close')]).toEqual([0, 0]);
  });

  it('is told of a command that is refused, though its work had an operation already', async () => {
    const stage = new DeskScene();
    const { operation, work } = stage.begin();
    const answer = stage.one(operation.id, minute);
    stage.operations.end(operation, 'failed', new Problem('command-failed', 'no'));
    stage.follower.refused(work);
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
    expect(stage.follower.store.get('quiet', kept.record.id)).toBe(kept);
    await expect(stage.one(oldest.record.id, 0, 'busy')).rejects.toMatchObject({ code: 'operation-not-found' });
  });

  it('holds on to no arguments, which it only needed to keep their secrets out of what it says', () => {
    const stage = new DeskScene();
    const { work } = stage.begin();
    const { shown } = work;
    work.shown = () => 'without secrets';
    stage.follower.replied(work, Buffer.from('{}'));
    expect([work.over, work.shown]).toEqual([true, shown]);
  });
});
