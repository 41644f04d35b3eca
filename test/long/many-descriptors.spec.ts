import { afterEach, beforeAll, expect, it } from 'vitest';
import {
  buildAddon,
  DescriptorScene,
  metric,
  opened,
  openFiles,
  passed,
  postFd,
} from '../e2e/file-descriptors/descriptor-scene.js';
import { registerVm } from '../e2e/gateway-scene.js';

const scene = new DescriptorScene();
beforeAll(buildAddon);
afterEach(() => scene.end());

const rounds = 5;
const ofClient = 1800;
const ofPosts = 200;
/** Bytes that the gateway may be larger after 8,000 more; the first 2,000 have warmed it up. */
const growth = 48 * 2 ** 20;

it('passes ten thousand descriptors: none is open afterwards, and memory does not grow', async () => {
  const image = scene.image();
  const { gateway, socketOf } = await scene.sharing({ settings: { hostPaths: [image] } });
  const qemu = await scene.qemuOfNobody();
  const vm = await registerVm(gateway, `unix:${qemu.socket}`);
  const client = await scene.client(socketOf(vm));
  const before = openFiles(gateway);
  const sizes: number[] = [];
  for (let round = 0; round < rounds; round++) {
    // One name: QEMU closes what had it before.
    for (let at = 0; at < ofClient; at++)
      expect(await client.ask('{"execute":"getfd","arguments":{"fdname":"a"},"id":1}', [opened('/dev/null')])).toEqual({
        return: {},
        id: 1,
      });
    for (let at = 0; at < ofPosts; at++)
      expect((await postFd(gateway, vm, { path: image, name: 'b' })).status).toBe(200);
    sizes.push(await metric(gateway, 'process_resident_memory_bytes'));
  }
  expect(await passed(gateway)).toBe(rounds * (ofClient + ofPosts));
  await expect.poll(() => openFiles(gateway)).toBeLessThanOrEqual(before);
  expect(sizes.at(-1)! - sizes[0]!).toBeLessThan(growth);
});
