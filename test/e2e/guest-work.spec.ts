import { bootLinuxGuest, type LinuxGuest } from '@qmp-gateway/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, registerVm, run } from './gateway-scene.js';
import { problemOf } from './http-exchange.js';
import { operationAt, operationOf, prefer } from './work-reader.js';

const scene = new GatewayScene();
let gateway: GatewayProcess;
let guest: LinuxGuest;
let vm: string;

beforeAll(async () => {
  [gateway, guest] = await Promise.all([
    scene.gateway(),
    // Room for a memory module above what it boots with.
    scene.start(
      bootLinuxGuest({ args: ['-m', '160,slots=1,maxmem=1G', '-object', 'memory-backend-ram,id=ram1,size=128M'] }),
      (one) => one.stop(),
    ),
  ]);
  vm = await registerVm(gateway, `unix:${guest.socket}`);
}, 120_000);
afterAll(() => scene.end());

async function command(name: string, args: object): Promise<void> {
  const answer = await run(gateway, vm, name, JSON.stringify(args));
  if (answer.status !== 200) throw new Error(`${name}: ${answer.text}`);
}

describe('unplugging a device', () => {
  it('that the guest lets go is done', async () => {
    await command('device_add', { driver: 'virtio-rng-pci', id: 'rng1' });
    const answer = await prefer(gateway, vm, 'device_del', { prefers: 'wait=30', args: { id: 'rng1' } });
    expect([answer.status, answer.text]).toEqual([200, '{}']);
    expect(answer.headers['preference-applied']).toBe('wait=30');
    const told = await operationOf(gateway, vm, answer);
    expect(told).toMatchObject({ state: 'done', command: 'device_del', error: null });
    expect(told.events.map(({ event }) => event)).toContain('DEVICE_DELETED');
    const gone = await run(gateway, vm, 'device_del', '{"id":"rng1"}');
    expect(problemOf(gone)).toMatchObject({ code: 'device-not-found' });
  });

  it('that the guest refuses to let go is failed', async () => {
    await command('device_add', { driver: 'pc-dimm', id: 'dimm1', memdev: 'ram1' });
    await guest.run('until [ -e /sys/devices/system/memory/memory32/state ]; do :; done');
    // The kernel keeps directories where they are, and puts them into the new memory first.
    await guest.run('echo online > /sys/devices/system/memory/memory32/state; mkdir /tmp/kept; cd /tmp/kept');
    await guest.run('mkdir $(seq 1 4000)');
    const answer = await prefer(gateway, vm, 'device_del', {
      prefers: 'wait=60',
      args: { id: 'dimm1' },
      headers: { 'Request-Timeout': '60s' },
    });
    expect(problemOf(answer)).toMatchObject({ code: 'command-failed', status: 422, outcome: 'refused', vm });
    expect(answer.json()['detail']).toContain('refused');
    const told = await operationOf(gateway, vm, answer);
    expect(told).toMatchObject({ state: 'failed', command: 'device_del', error: { code: 'command-failed' } });
    const statuses = told.events.map(({ data }) => (data['info'] as { status: number }).status);
    // Eject in progress, then busy.
    expect(statuses).toEqual([0x84, 0x82]);
    const devices = await run(gateway, vm, 'query-memory-devices');
    expect(devices.text).toContain('dimm1');
  });

  it('that the guest ignores is failed at its deadline', async () => {
    const bare = await scene.qemu({ machine: 'pc', accel: 'tcg', args: ['-device', 'virtio-rng-pci,id=rng1'] });
    const id = await registerVm(gateway, `unix:${bare.socket}`);
    // The deadline without a word about it is in test/long/unplug.spec.ts.
    const answer = await prefer(gateway, id, 'device_del', {
      prefers: 'wait=30',
      args: { id: 'rng1' },
      headers: { 'Request-Timeout': '2s' },
    });
    expect(problemOf(answer)).toMatchObject({ code: 'deadline-exceeded', status: 504, outcome: 'unknown', vm: id });
    const told = await operationAt(gateway, String(answer.json()['operation']));
    expect(told).toMatchObject({ state: 'failed', command: 'device_del', error: { code: 'deadline-exceeded' } });
    expect(Date.parse(told.ended ?? '')).toBeGreaterThanOrEqual(Date.parse(told.deadline ?? ''));
  });
});

describe('a balloon', () => {
  it('is done when the guest has the size, also when it has it already', async () => {
    const { actual } = (await run(gateway, vm, 'query-balloon')).json() as { actual: number };
    const value = actual - 16 * 2 ** 20;
    const answer = await prefer(gateway, vm, 'balloon', { prefers: 'wait=60', args: { value } });
    expect([answer.status, answer.text]).toEqual([200, '{}']);
    expect((await run(gateway, vm, 'query-balloon')).text).toContain(String(value));
    expect(await operationOf(gateway, vm, answer)).toMatchObject({ state: 'done', command: 'balloon' });
    expect((await prefer(gateway, vm, 'balloon', { prefers: 'wait=60', args: { value } })).status).toBe(200);
  });
});
