import { readFileSync } from 'node:fs';
import { RawQmpClient } from '@qmp-gateway/test-kit';
import { afterAll, expect, it } from 'vitest';
import { GatewayScene, registerVm, run } from './gateway-scene.js';
import { exchange } from './http-exchange.js';

const scene = new GatewayScene();
afterAll(() => scene.end());

/** Shared objects that a QEMU has loaded from its directory of modules. */
function modulesOf(pid: number): string[] {
  const files = readFileSync(`/proc/${pid}/maps`, 'latin1').matchAll(/\/qemu\/([^/\s]+\.so)/g);
  return [...new Set([...files].map(([, name = '']) => name))].sort();
}

it('what the gateway asks of a QEMU by itself makes it load no module: a QEMU whose files were updated may end of that', async () => {
  const gateway = await scene.gateway();
  const qemu = await scene.qemu({
    machine: 'pc',
    accel: 'tcg',
    qmpSockets: 2,
    args: ['-device', 'VGA', '-vnc', 'none'],
  });
  const pid = qemu.process.pid ?? 0;
  // It answers when its machine is made, and with it what that needs is loaded.
  const direct = scene.keep(await RawQmpClient.connect(qemu.sockets[1] ?? ''), ({ socket }) => socket.destroy());
  await direct.negotiate();
  const before = modulesOf(pid);
  const vm = await registerVm(gateway, `unix:${qemu.socket}`);
  for (const path of ['', '/displays', '/openapi.json', '/screen.png', '/commands', '/access'])
    await exchange(gateway, `/v1/vms/${vm}${path}`);
  expect(modulesOf(pid)).toEqual(before);
  // The command that does.
  await run(gateway, vm, 'qom-list-types');
  expect(modulesOf(pid).length).toBeGreaterThan(before.length);
});
