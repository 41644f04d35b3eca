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
import { WorkFollower } from './work-follower.js';

const scene = new Scene();
afterEach(() => scene.end());

const principal = new Principal('p', 'p', { level: 'operate', vms: ['*'] });
const minute = 60_000;

/** A desk of one VM, whose commands begin and end as the test says. */
class DeskScene {
  readonly clock = new ManualClock();
  readonly vm = { id: 'vm', epoch: 'e.1', labels: {}, ready: true } as Vm;
  readonly operations = new OperationStore('r', () => this.clock.wall());
  readonly follower = scene.keep(
    new WorkFollower({
      state: new StateDirectory(scene.directory()),
      clock: this.clock,
      ...{ eventCursor: () => 'r.1', nextId: () => this.operations.nextId(), isWatched: () => false },
      ...{ publish: () => undefined, audit: () => undefined, trouble: () => undefined },
    }),
    (follower) => follower.stop(),
  );
  readonly desk: OperationDesk;
  /** Of whoever asks. */
  readonly socket = new EventEmitter();

  constructor() {
    const registry = { get: () => this.vm, require: () => this.vm } as unknown as VmRegistry;
    this.desk = new OperationDesk(registry, this.operations, this.follower, () => 'r.1');
  }

  async one(id: string, waitMs: number): Promise<Record<string, unknown>> {
    const request = { socket: this.socket } as unknown as IncomingMessage;
    return JSON.parse(await this.desk.one(principal, 'vm', id, waitMs, request)) as Record<string, unknown>;
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
    const operation = stage.operations.begin('vm', 'stop', 'p');
    const work = stage.follower.begin(operation, stage.vm, { kind: 'stop', deadlineMs: null }, undefined, {
      dismiss: false,
    });
    const answer = stage.one(operation.id, minute);
    stage.operations.end(operation, 'failed', new Problem('command-failed', 'no'));
    if (work !== undefined) stage.follower.refused(work);
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
