import { ManualClock, Scene } from '@qmp-gateway/test-kit';
import { afterEach, expect, it } from 'vitest';
import { StateDirectory } from '../state/state-directory.js';
import { WorkFollower } from './work-follower.js';
import { OperationStore } from './operation-store.js';
import type { OperationRecord } from './operation-record.js';
import { UnheardEvents } from './work.scene.js';

const scene = new Scene();
afterEach(() => scene.end());

const dayMs = 24 * 60 * 60_000;

function stage(records: readonly OperationRecord[]): { clock: ManualClock; operations: OperationStore } {
  const clock = new ManualClock();
  const state = new StateDirectory(scene.directory());
  state.write('operations.log', records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  const operations = new OperationStore('r', clock);
  const follower = new WorkFollower({ state, operations, events: new UnheardEvents(), clock });
  follower.load();
  scene.keep(follower, (made) => made.stop());
  return { clock, operations };
}

it('work that went on for days is still followed after a restart, and lost when its VM stays away for one', () => {
  const started = new ManualClock().wall() - 3 * dayMs;
  const { clock, operations } = stage([
    {
      ...{ id: 'o1', vm: 'vm', command: 'blockdev-mirror', principalId: 'p', completion: 'job', subject: 'j', started },
      ...{ deadlineAt: null, epoch: 'e.1', state: 'running', ended: null, result: null, problem: null },
      ...{ progress: null, events: [], job: { id: 'j', type: 'mirror', status: 'running' }, dismiss: true },
    },
  ]);
  const state = () => operations.get('vm', 'o1')?.shownState;
  expect(state()).toBe('running');
  clock.advance(dayMs - 1);
  expect(state()).toBe('running');
  clock.advance(1);
  expect(state()).toBe('lost');
});
