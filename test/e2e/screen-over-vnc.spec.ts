/** Pictures of VMs that can write no file for the gateway: over VNC. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPng } from '../../apps/gateway/src/screen/png.scene.js';
import { readPpm } from '../../apps/gateway/src/screen/ppm.js';
import { vmWithDisplay } from './fake-display.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, makeToken, registerVm, run } from './gateway-scene.js';
import { exchange, problemOf } from './http-exchange.js';
import { freePort } from './reverse-proxy.js';

const scene = new GatewayScene();
let gateway: GatewayProcess;
beforeAll(async () => {
  gateway = await scene.gateway();
});
afterAll(() => scene.end());

/** A VM whose monitor is reached over tcp, and by a unix socket as another VM. */
async function machine(...args: string[]): Promise<{ remote: string; local: string }> {
  const port = await freePort();
  const monitor = ['-qmp', `tcp:127.0.0.1:${port},server=on,wait=off`];
  const qemu = await scene.qemu({ machine: 'pc', accel: 'tcg', args: ['-device', 'VGA', ...monitor, ...args] });
  const remote = await registerVm(gateway, `tcp:127.0.0.1:${port}`);
  return { remote, local: await registerVm(gateway, `unix:${qemu.socket}`) };
}

async function screen(vm: string, query = '', token = gateway.token ?? ''): Promise<{ status: number; bytes: Buffer }> {
  const headers = { Authorization: `Bearer ${token}` };
  const answer = await gateway.fetch(`/v1/vms/${vm}/screen.png${query}`, { headers });
  return { status: answer.status, bytes: Buffer.from(await answer.arrayBuffer()) };
}

describe('a picture of a VM of the network', () => {
  it('has the pixels that QEMU writes', async () => {
    const { remote, local } = await machine('-vnc', `127.0.0.1:${(await freePort()) - 5900}`);
    const file = join(scene.directory(), 'screen.ppm');
    await run(gateway, local, 'screendump', JSON.stringify({ filename: file }));
    const { status, bytes } = await screen(remote);
    expect(status).toBe(200);
    const seen = readPng(bytes);
    expect([seen.width, seen.height]).toEqual([640, 480]);
    expect(readPpm(readFileSync(file))).toEqual(seen);
  });

  it('is not had by who may not take pictures, nor of one device, nor without VNC', async () => {
    const { remote } = await machine('-vnc', `127.0.0.1:${(await freePort()) - 5900}`);
    const commands = { deny: ['screendump'] };
    const denied = makeToken(gateway, { level: 'read', vms: ['*'], commands });
    expect((await screen(remote, '', denied)).status).toBe(403);
    expect((await screen(remote, '?device=vga0')).status).toBe(501);
    const without = await machine();
    const refused = await exchange(gateway, `/v1/vms/${without.remote}/screen.png`);
    expect(problemOf(refused)).toMatchObject({ status: 501, code: 'not-offered' });
    expect(refused.json()['detail']).toContain('over VNC');
  });

  it('with a password is not had', async () => {
    const { remote } = await machine('-vnc', `127.0.0.1:${(await freePort()) - 5900},password=on`);
    expect((await screen(remote)).status).toBe(501);
  });
});

describe('a display that says nothing', () => {
  it('costs its callers their time, and holds up no pictures of other VMs', async () => {
    const silent = await vmWithDisplay(scene, gateway, () => undefined);
    const { local } = await machine();
    const waiting = Array.from({ length: 20 }, () => screen(silent));
    // Until they are where they wait.
    await new Promise((resolve) => setTimeout(resolve, 500));
    const began = performance.now();
    expect((await screen(local)).status).toBe(200);
    expect(performance.now() - began).toBeLessThan(5000);
    expect(new Set((await Promise.all(waiting)).map(({ status }) => status))).toEqual(new Set([501, 504]));
  });
});
