import { fstatSync, readFileSync } from 'node:fs';
import { StratovirtFake } from '@qmp-gateway/test-kit';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { registerVm, run } from '../gateway-scene.js';
import { problemOf } from '../http-exchange.js';
import { buildAddon, DescriptorScene, opened, passed, postFd } from './descriptor-scene.js';

const scene = new DescriptorScene();
beforeAll(buildAddon);
afterEach(() => scene.end());

async function stratovirt(hostPaths: readonly string[]) {
  const fake = scene.keep(await StratovirtFake.start({ descriptors: true }), (made) => made.stop());
  const { gateway, socketOf } = await scene.sharing({ settings: { hostPaths } });
  const vm = await registerVm(gateway, `unix:${fake.endpoint.path}`);
  return { fake, gateway, vm, socketOf };
}

describe('StratoVirt', () => {
  it('takes a file by getfd, which is all it has', async () => {
    const image = scene.image(5);
    const { fake, gateway, vm } = await stratovirt([image]);
    const answer = await postFd(gateway, vm, { path: image, name: 'disk' });
    expect([answer.status, answer.json()]).toEqual([200, expect.objectContaining({ use: 'disk', fdset: null })]);
    const { number } = fake.descriptors.get('disk') ?? { number: -1 };
    expect([fstatSync(number).size, readFileSync(number).length]).toEqual([5, 5]);
    expect(problemOf(await postFd(gateway, vm, { path: image, fdset: true }))).toMatchObject({
      code: 'command-not-found',
    });
    const netdev = JSON.stringify({ id: 'n0', type: 'tap', fd: 'disk' });
    expect((await run(gateway, vm, 'netdev_add', netdev)).status).toBe(200);
    expect([fake.offences, fake.received.length]).toEqual([[], 1]);
  });

  it('gets of several descriptors the one that it would use, and has none left to close', async () => {
    const { fake, gateway, vm, socketOf } = await stratovirt([]);
    const client = await scene.client(socketOf(vm));
    const [first, last] = [opened('/dev/null'), opened(scene.image(7))];
    const reply = await client.ask('{"execute":"getfd","arguments":{"fdname":"x"},"id":"1"}', [first, last]);
    expect(reply).toEqual({ return: {}, id: '1' });
    expect([fake.received.length, fstatSync(fake.descriptors.get('x')?.number ?? -1).size]).toEqual([1, 7]);
    expect(await passed(gateway)).toBe(2);
  });
});

describe('monitors that are no unix sockets', () => {
  it('pass none, and the answer says why', async () => {
    const image = scene.image();
    const fake = scene.keep(await StratovirtFake.start({ tcp: true }), (made) => made.stop());
    const gateway = await scene.gateway({ settings: { hostPaths: [image] } });
    const vm = await registerVm(gateway, `tcp:127.0.0.1:${fake.tcpEndpoint.port}`);
    const refused = await postFd(gateway, vm, { path: image, name: 'a' });
    expect([refused.status, refused.text]).toEqual([501, expect.stringContaining('unix sockets only')]);
  });
});
