import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { powerButtonBootSector } from '@qmp-gateway/test-kit';
import { afterEach, expect, it } from 'vitest';
import { GatewayScene, registerVm, run } from '../e2e/gateway-scene.js';
import { exchange } from '../e2e/http-exchange.js';

const times = 100;
const vmsAtOnce = 2;
const scene = new GatewayScene();

afterEach(() => scene.end());

it('a powerdown finds its own SHUTDOWN, never that of an earlier run, a hundred times', async () => {
  const gateway = await scene.gateway();
  const eventAfter = async (vm: string, after: unknown, event: string) => {
    const page = await exchange(gateway, `/v1/vms/${vm}/events?after=${String(after)}&event=${event}&wait=60s&limit=1`);
    return (page.json()['events'] as { epoch: string; data: object }[])[0];
  };
  const shutDownAgainAndAgain = async (): Promise<number> => {
    const directory = scene.directory();
    const floppy = join(directory, 'guest.img');
    writeFileSync(floppy, powerButtonBootSector());
    const args = ['-device', 'pvpanic', '-drive', `if=floppy,format=raw,file=${floppy},readonly=on`];
    const launch = () => scene.qemu({ machine: 'pc', accel: 'tcg', directory, args });
    let qemu = await launch();
    const vm = await registerVm(gateway, `unix:${qemu.socket}`);
    const epochs = new Set<string>();
    for (let count = 0; count < times / vmsAtOnce; count++) {
      const { epoch } = await gateway.vmBecomes(vm, 'ready');
      epochs.add(String(epoch));
      const started = await run(gateway, vm, 'cont');
      expect(await eventAfter(vm, started.headers['qmp-event-cursor'], 'GUEST_CRASHLOADED')).toMatchObject({ epoch });
      const pressed = await run(gateway, vm, 'system_powerdown');
      expect(pressed.status).toBe(200);
      const end = await eventAfter(vm, pressed.headers['qmp-event-cursor'], 'SHUTDOWN');
      expect(end).toMatchObject({ epoch, data: { guest: true, reason: 'guest-shutdown' } });
      await gateway.vmBecomes(vm, 'closed');
      await qemu.ended;
      qemu = await launch();
    }
    return epochs.size;
  };
  const runs = await Promise.all(Array.from({ length: vmsAtOnce }, shutDownAgainAndAgain));
  expect(runs).toEqual(runs.map(() => times / vmsAtOnce));
});
