import { afterEach, expect, it } from 'vitest';
import { registerVm, run } from '../gateway-scene.js';
import { exchange, problemOf } from '../http-exchange.js';
import { DescriptorScene, postFd } from './descriptor-scene.js';

const scene = new DescriptorScene();
afterEach(() => scene.end());

it('a gateway without the addon does all but pass descriptors, and says why it does not', async () => {
  const image = scene.image();
  const gateway = await scene.gateway({
    env: { NODE_OPTIONS: '--no-addons' },
    settings: { hostPaths: [image] },
  });
  const qemu = await scene.qemuOfNobody();
  const vm = await registerVm(gateway, `unix:${qemu.socket}`);
  const refused = await postFd(gateway, vm, { path: image, name: 'a' });
  expect([refused.status, refused.text]).toEqual([
    501,
    expect.stringMatching(/started without native addons|no native addon for/),
  ]);
  expect(problemOf(await run(gateway, vm, 'getfd', '{"fdname":"a"}'))).toMatchObject({
    code: 'not-offered',
    status: 501,
  });
  // The list has nothing to tell, and what needs no descriptor goes on.
  expect((await exchange(gateway, `/v1/vms/${vm}/fds`)).json()).toEqual({ fds: [] });
  expect((await run(gateway, vm, 'query-status')).status).toBe(200);
});
