import { ManualClock, Scene } from '@qmp-gateway/test-kit';
import { afterEach, expect, it } from 'vitest';
import { StateDirectory } from '../state/state-directory.js';
import { WorkFollower } from './work-follower.js';
import type { WorkRecord } from './work.js';

const scene = new Scene();
afterEach(() => scene.end());

const dayMs = 24 * 60 * 60_000;

function stage(records: readonly WorkRecord[]): { clock: ManualClock; follower: WorkFollower } {
  const clock = new ManualClock();
  const state = new StateDirectory(scene.directory());
  state.write('operations.log', records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  const follower = new WorkFollower({
    ...{ state, clock, nextId: () => 'o', eventCursor: () => 'r.1', isWatched: () => false },
    ...{ publish: () => undefined, audit: () => undefined, ended: () => undefined, trouble: () => undefined },
  });
  follower.load();
  scene.keep(follower, (made) => made.stop());
  return { clock, follower };
}

it('work that went on for days is still followed after a restart, and lost when its VM stays away for one', () => {
  const started = new ManualClock().wall() - 3 * dayMs;
  const { clock, follower } = stage([
    {
      ...{ id: 'o1', vm: 'vm', command: 'blockdev-mirror', principalId: 'p', completion: 'job', subject: 'j', started },
      ...{ deadlineAt: null, epoch: 'e.1', state: 'running', ended: null, result: null, problem: null },
      ...{ progress: null, events: [], job: { id: 'j', type: 'mirror', status: 'running' }, dismiss: true },
    },
  ]);
  const state = () => follower.store.get('vm', 'o1')?.record.state;
  expect(state()).toBe('running');
  clock.advance(dayMs - 1);
  expect(state()).toBe('running');
  clock.advance(1);
  expect(state()).toBe('lost');
});
