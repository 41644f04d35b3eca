import { afterAll, expect, it } from 'vitest';
import { GatewayScene, makeToken, registerVm, run } from './gateway-scene.js';
import { exchange } from './http-exchange.js';
import { hostVectors } from './policy-samples.js';

const scene = new GatewayScene();
afterAll(() => scene.end());

it('no way into the host of a real QEMU is open to level configure', async () => {
  const gateway = await scene.gateway();
  const vm = await registerVm(gateway, `unix:${(await scene.qemu()).socket}`);
  const offered = (await exchange(gateway, `/v1/vms/${vm}/qmp/query-commands`)).json() as unknown as { name: string }[];
  const names = new Set(offered.map(({ name }) => name));
  const configure = { ...gateway, token: makeToken(gateway, { level: 'configure', vms: ['*'] }) };
  const wrong: unknown[] = [];
  for (const [command, args] of hostVectors) {
    const { status, ...answer } = await run(configure, vm, command, args);
    const { code, outcome } = answer.json();
    const expected = names.has(command) ? 'forbidden' : 'command-not-found';
    if (code !== expected || outcome !== 'not-sent') wrong.push({ command, args, status, code, outcome });
  }
  expect(wrong).toEqual([]);
  // Most of them are commands of this release.
  expect(hostVectors.filter(([command]) => names.has(command)).length).toBeGreaterThan(80);
});
