import { setImmediate as microtasksDone } from 'node:timers/promises';
import { ManualClock } from '@qmp-gateway/test-kit';
import { expect, it } from 'vitest';
import { Principal } from '../access/principal.js';
import type { CommandPath } from '../commands/command-request.js';
import { RequestCommands } from '../commands/request-commands.js';
import type { Vm } from '../vms/vm.js';
import { Keyboards } from './keyboards.js';
import { readKeys } from './keys-request.js';

/** VMs that take every key at once, and requests that type at the same time. */
class Scene {
  readonly clock = new ManualClock();
  readonly keyboards = new Keyboards(this.clock);
  readonly typed = new Map<Vm, string>();
  /** Whose callers left. */
  readonly left = new Set<string>();

  vm(id: string): Vm {
    return { id, ready: true, runState: 'running' } as Vm;
  }

  type(vm: Vm, text: string, timeoutMs = 60_000): Promise<unknown> {
    const path: CommandPath = {
      execute: (request, asker) => {
        const args = request.arguments.kind === 'json' ? String(request.arguments.json) : '';
        const key = /"data":"(.)"/.exec(args)?.[1] ?? '';
        this.typed.set(vm, (this.typed.get(vm) ?? '') + key);
        asker.answered({ ok: true, json: '{}', trace: {} });
      },
    };
    const principal = new Principal('token:a', 'a', { level: 'operate', vms: ['*'] });
    const commands = new RequestCommands(path, { principal, requestId: 'r', vm: vm.id });
    const typing = { keys: readKeys({ text }), asked: () => !this.left.has(text), timeoutMs };
    return this.keyboards.type(commands, vm, typing);
  }

  /** Time in which this many keys are played. */
  async play(keys: number): Promise<void> {
    for (let key = 0; key < keys; key++) {
      await microtasksDone();
      this.clock.advance(40);
    }
    await microtasksDone();
  }
}

it('one request types after the other on a VM, and at the same time on another', async () => {
  const scene = new Scene();
  const [web, db] = [scene.vm('web'), scene.vm('db')];
  const all = [scene.type(web, 'aaa'), scene.type(web, 'bbb'), scene.type(web, 'ccc'), scene.type(db, 'ddd')];
  scene.left.add('bbb');
  await scene.play(3);
  expect(scene.typed.get(web)).toMatch(/^aaac?$/);
  expect(scene.typed.get(db)).toBe('ddd');
  await scene.play(3);
  await Promise.all(all);
  expect(scene.typed.get(web)).toBe('aaaccc');
});

it('nothing is typed of what would not be done in time, or when too many wait', async () => {
  const scene = new Scene();
  const web = scene.vm('web');
  const all = [scene.type(web, 'aaaaa')];
  // The first needs 200 ms, these 80: 279 is too little.
  const late = expect(scene.type(web, 'bb', 279)).rejects.toMatchObject({
    ...{ code: 'deadline-exceeded', outcome: 'not-sent', fields: { vm: 'web', retryable: true } },
  });
  for (let waiting = 1; waiting < 32; waiting++) all.push(scene.type(web, 'c'));
  await expect(scene.type(web, 'd')).rejects.toMatchObject({
    ...{ code: 'too-many-requests', outcome: 'not-sent', fields: { vm: 'web' } },
  });
  await scene.play(5 + 31);
  await late;
  await Promise.all(all);
  expect(scene.typed.get(web)).toBe('aaaaa' + 'c'.repeat(31));
});
