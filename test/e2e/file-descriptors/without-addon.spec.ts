import { afterEach, beforeAll, expect, it } from 'vitest';
import { registerVm, run } from '../gateway-scene.js';
import { problemOf } from '../http-exchange.js';
import { buildAddon, DescriptorScene, opened, postFd } from './descriptor-scene.js';

const scene = new DescriptorScene();
// The test itself sends descriptors.
beforeAll(buildAddon);
afterEach(() => scene.end());

it('a gateway without the addon does all but pass descriptors, and says why it does not', async () => {
  const image = scene.image();
  const { gateway, socketOf } = await scene.sharing({
    env: { NODE_OPTIONS: '--no-addons' },
    settings: { hostPaths: [image] },
  });
  const qemu = await scene.qemuOfNobody();
  const vm = await registerVm(gateway, `unix:${qemu.socket}`);
  const refused = await postFd(gateway, vm, { path: image, name: 'a' });
  expect([refused.status, refused.text]).toEqual([501, expect.stringContaining('started without native addons')]);
  expect(problemOf(await run(gateway, vm, 'getfd', '{"fdname":"a"}'))).toMatchObject({
    code: 'not-offered',
    status: 501,
  });
  const client = await scene.client(socketOf(vm));
  expect(await client.ask('{"execute":"query-name","id":1}', [opened('/dev/null')])).toEqual({ return: {}, id: 1 });
  expect(
    await client.ask('{"execute":"getfd","arguments":{"fdname":"a"},"id":2}', [opened('/dev/null')]),
  ).toMatchObject({
    id: 2,
    error: { class: 'GenericError' },
  });
  expect((await run(gateway, vm, 'query-status')).status).toBe(200);
});
