import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { bootLinuxGuest, serialFloodBootSector } from '@qmp-gateway/test-kit';
import { afterAll, describe, expect, it } from 'vitest';
import { GatewayScene, registerVm, run } from './gateway-scene.js';
import { exchange } from './http-exchange.js';
import { SerialReader } from './serial-reader.js';

const scene = new GatewayScene();
afterAll(() => scene.end());

describe('a Linux on a serial line', () => {
  it('takes what is typed, sends five megabytes byte for byte, and is had again after a restart of the gateway', async () => {
    const directory = scene.directory();
    const line = path.join(directory, 'console');
    const guest = await scene.start(
      bootLinuxGuest({
        args: [
          ...['-chardev', `socket,id=console,path=${line},server=on,wait=off`],
          ...['-device', 'virtconsole,chardev=console,id=hvc'],
        ],
      }),
      (booted) => booted.stop(),
    );
    const state = path.join(scene.directory(), 'state');
    const settings = { serials: { paths: [`${directory}/*`] } };
    const options = { state, settings: { listen: ['127.0.0.1:0'], ...settings } };
    let gateway = await scene.gateway(options);
    const vm = await registerVm(gateway, `unix:${guest.socket}`);
    await exchange(gateway, `/v1/vms/${vm}/serials`);
    await guest.run('stty raw -echo </dev/hvc0; setsid sh </dev/hvc0 >/dev/hvc0 2>&1 &');

    const ann = await SerialReader.open(gateway, vm, 'console');
    const bob = await SerialReader.open(gateway, vm, 'console');
    ann.type('ls /\n');
    await Promise.all([ann.says('proc'), bob.says('proc')]);

    await guest.run('head -c 5000000 /dev/urandom >/random');
    // A console of virtio takes sixteen bytes at a time; a port takes what there is.
    const [wide, other] = [
      await SerialReader.open(gateway, vm, 'port0'),
      await SerialReader.open(gateway, vm, 'port0'),
    ];
    const port = await guest.run('ls /dev/vport*p1');
    const sum = (await guest.run('sha256sum /random')).slice(0, 64);
    ann.type(`cat /random >${port}\n`);
    await Promise.all([wide, other].map((reader) => reader.until(({ received }) => received >= 5_000_000)));
    for (const reader of [wide, other]) {
      expect(createHash('sha256').update(reader.output).digest('hex')).toBe(sum);
      expect(reader.news.filter((news) => 'gap' in news)).toEqual([]);
    }
    const first = String(ann.news[0]?.['position']);
    const [name, start] = first.split('.');
    await gateway.stop();
    expect((await ann.closed).code).toBe(1001);

    gateway = await scene.gateway(options);
    await gateway.vmBecomes(vm, 'ready');
    await exchange(gateway, `/v1/vms/${vm}/serials`);
    const after = `${String(name)}.${Number(start) + ann.output.length}`;
    const again = await SerialReader.open(gateway, vm, 'console', { query: `?after=${after}` });
    await again.tells({ gap: null });
    // The shell ended with the connection, as at a real terminal that hangs up.
    await guest.run('echo back again >/dev/hvc0');
    await again.says('back again');
  }, 180_000);
});

describe('a guest that writes without end', () => {
  it('holds nobody up who does not read, and who reads has each byte or its number', async () => {
    const gateway = await scene.gateway();
    const directory = scene.directory();
    const floppy = path.join(directory, 'floppy');
    writeFileSync(floppy, serialFloodBootSector());
    const machine = await scene.qemu({
      ...{ machine: 'pc', accel: 'tcg', directory },
      args: [
        ...['-drive', `if=floppy,format=raw,file=${floppy}`],
        ...['-chardev', `socket,id=s0,path=${path.join(directory, 's0')},server=on,wait=off`, '-serial', 'chardev:s0'],
      ],
    });
    const vm = await registerVm(gateway, `unix:${machine.socket}`);
    await exchange(gateway, `/v1/vms/${vm}/serials`);
    const stuck = await SerialReader.open(gateway, vm, 's0');
    stuck.socket.pause();
    const reader = await SerialReader.open(gateway, vm, 's0');
    await run(gateway, vm, 'cont');
    await reader.until(({ received }) => received > 200_000);
    const { output } = reader;
    expect((await exchange(gateway, '/livez')).status).toBe(200);
    const gaps = reader.news.flatMap(({ gap }) => (typeof gap === 'number' ? [gap] : []));
    let jumps = 0;
    for (let at = 1; at < output.length; at++) if (output[at] !== (output[at - 1]! + 1) % 256) jumps++;
    expect(jumps).toBeLessThanOrEqual(gaps.length);
    stuck.socket.terminate();
    await reader.close();
    await run(gateway, vm, 'quit');
  }, 180_000);
});
