import { afterEach, expect, it } from 'vitest';
import { FaultScene } from '../e2e/fault-scene.js';
import { registerVm, run } from '../e2e/gateway-scene.js';

const times = 100;
const scene = new FaultScene();

afterEach(() => scene.end());

it('quit is 200 a hundred times of a hundred', async () => {
  const gateway = await scene.gateway();
  for (let count = 0; count < times; count++) {
    const qemu = await scene.qemu();
    const vm = await registerVm(gateway, `unix:${qemu.socket}`);
    // Also with commands in front of it, whose unread line ends turn the end into a reset.
    const before = Array.from({ length: count % 4 }, () => run(gateway, vm, 'query-status'));
    const answer = await run(gateway, vm, 'quit');
    expect([answer.status, answer.text]).toEqual([200, '{}']);
    await gateway.vmBecomes(vm, 'closed');
    await Promise.all(before);
    await qemu.ended;
    await qemu.stop();
  }
});
