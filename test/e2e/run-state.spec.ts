import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { panicBootSector, powerOffBootSector, watchdogBootSector } from '@qmp-gateway/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, registerVm, run } from './gateway-scene.js';
import { exchange } from './http-exchange.js';
import { operationOf, prefer } from './work-reader.js';

const scene = new GatewayScene();
let gateway: GatewayProcess;

beforeAll(async () => (gateway = await scene.gateway()));
afterAll(() => scene.end());

/** So soon a row shows what `query-status` says. */
const shownWithinMs = 1000;

/** A VM that boots nothing, or this sector; paused. */
async function machine({ sector, args = [] }: { sector?: Buffer; args?: string[] } = {}): Promise<string> {
  const floppy = path.join(scene.directory(), 'boot.img');
  if (sector !== undefined) writeFileSync(floppy, sector);
  const drive = sector === undefined ? [] : ['-drive', `if=floppy,format=raw,file=${floppy}`];
  const qemu = await scene.qemu({ machine: 'pc', accel: 'tcg', args: [...drive, ...args] });
  return await registerVm(gateway, `unix:${qemu.socket}`);
}

async function commands(vm: string, ...names: readonly string[]): Promise<void> {
  for (const name of names) expect([name, (await run(gateway, vm, name)).status]).toEqual([name, 200]);
}

async function truth(vm: string): Promise<string> {
  return String((await run(gateway, vm, 'query-status')).json()['status']);
}

async function row(vm: string): Promise<string> {
  return String((await exchange(gateway, `/v1/vms/${vm}`)).json()['runState']);
}

/** Waits until the VM itself says so, and then for its row, which has a second for it. */
async function becomes(vm: string, wanted: string): Promise<void> {
  while ((await truth(vm)) !== wanted);
  const from = performance.now();
  let shown = await row(vm);
  while (shown !== wanted && performance.now() - from < shownWithinMs) shown = await row(vm);
  expect(shown).toBe(wanted);
}

/** A machine with a disk that takes snapshots. */
async function machineWithDisk(): Promise<string> {
  const disk = path.join(scene.directory(), 'disk.qcow2');
  expect(spawnSync('qemu-img', ['create', '-q', '-f', 'qcow2', disk, '16M']).status).toBe(0);
  const node = `driver=qcow2,node-name=d0,file.driver=file,file.filename=${disk}`;
  return await machine({ args: ['-blockdev', node, '-device', 'virtio-blk-pci,drive=d0'] });
}

const snapshot = { 'job-id': 'j', vmstate: 'd0', devices: ['d0'] };

describe('the run state of a real VM', () => {
  it('is prelaunch after a reset of a stopped one', async () => {
    const vm = await machine();
    await becomes(vm, 'prelaunch');
    await commands(vm, 'cont');
    await becomes(vm, 'running');
    await commands(vm, 'stop');
    await becomes(vm, 'paused');
    await commands(vm, 'system_reset');
    await becomes(vm, 'prelaunch');
  });

  it.each([
    ['guest-panicked', panicBootSector(), ['-device', 'pvpanic', '-action', 'panic=pause']],
    ['watchdog', watchdogBootSector(), ['-device', 'ib700', '-action', 'watchdog=pause']],
    ['shutdown', powerOffBootSector(), ['-no-shutdown']],
  ])('is %s, and prelaunch after a reset', async (runState, sector, args) => {
    const vm = await machine({ sector, args });
    await commands(vm, 'cont');
    await becomes(vm, runState);
    await commands(vm, 'system_reset');
    await becomes(vm, 'prelaunch');
  });

  it.each([
    ['running', 'running', []],
    ['paused', 'paused', ['-S']],
  ])('is followed on both sides of the migration of one that is %s', async (runState, arrived) => {
    const uri = `unix:${path.join(scene.directory(), 'stream')}`;
    const [source, target] = await Promise.all([machine(), machine({ args: ['-incoming', 'defer'] })]);
    await becomes(target, 'inmigrate');
    await commands(source, 'cont');
    if (runState === 'paused') await commands(source, 'stop');
    await becomes(source, runState);
    // The target was started paused as well; what it does when the guest has come is for it to say.
    if (arrived === 'running') await commands(target, 'cont');
    await run(gateway, target, 'migrate-incoming', JSON.stringify({ uri }));
    await becomes(target, 'inmigrate');
    expect((await run(gateway, source, 'migrate', JSON.stringify({ uri }))).status).toBe(200);
    await becomes(target, arrived);
    await becomes(source, 'postmigrate');
    await commands(source, 'system_reset');
    await becomes(source, 'prelaunch');
  });

  it('is finish-migrate while a migration waits for the word to switch over', async () => {
    const uri = `unix:${path.join(scene.directory(), 'stream')}`;
    const [source, target] = await Promise.all([machine(), machine({ args: ['-incoming', 'defer'] })]);
    await run(gateway, target, 'migrate-incoming', JSON.stringify({ uri }));
    const pause = '{"capabilities":[{"capability":"pause-before-switchover","state":true}]}';
    expect((await run(gateway, source, 'migrate-set-capabilities', pause)).status).toBe(200);
    await commands(source, 'cont');
    expect((await run(gateway, source, 'migrate', JSON.stringify({ uri }))).status).toBe(200);
    await becomes(source, 'finish-migrate');
    expect((await run(gateway, source, 'migrate-continue', '{"state":"pre-switchover"}')).status).toBe(200);
    await becomes(source, 'postmigrate');
  });

  it('is what a snapshot leaves, loaded or not', async () => {
    const vm = await machineWithDisk();
    await commands(vm, 'cont');
    const job = async (command: string, tag: string) =>
      await operationOf(
        gateway,
        vm,
        await prefer(gateway, vm, command, { prefers: 'wait=30', args: { ...snapshot, tag } }),
      );
    expect(await job('snapshot-save', 's1')).toMatchObject({ state: 'done' });
    await becomes(vm, 'running');
    await commands(vm, 'stop');
    expect(await job('snapshot-load', 's1')).toMatchObject({ state: 'done' });
    await becomes(vm, await truth(vm));
    await commands(vm, 'cont');
    await becomes(vm, 'running');
    expect(await job('snapshot-load', 'none')).toMatchObject({ state: 'failed' });
    await becomes(vm, 'restore-vm');
    await commands(vm, 'cont');
    const line = JSON.stringify({ 'command-line': 'loadvm none' });
    expect((await run(gateway, vm, 'human-monitor-command', line)).status).toBe(200);
    await becomes(vm, 'restore-vm');
    await commands(vm, 'cont');
    await becomes(vm, 'running');
  });
});
