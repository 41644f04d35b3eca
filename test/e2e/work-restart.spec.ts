import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { RawQmpClient, type Qemu } from '@qmp-gateway/test-kit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, run } from './gateway-scene.js';
import { exchange } from './http-exchange.js';
import { operationAt, prefer } from './work-reader.js';

const mebibyte = 2 ** 20;
const size = 256 * mebibyte;
const vm = 'vm';

const scene = new GatewayScene();
let source: string;
let qemu: Qemu;
let state: string;
let gateway: GatewayProcess;

beforeAll(() => {
  source = path.join(scene.directory(), 'source');
  writeFileSync(source, Buffer.alloc(size, 0x5a));
});
beforeEach(async () => {
  qemu = await scene.qemu({
    machine: 'pc',
    accel: 'tcg',
    qmpSockets: 2,
    args: [
      ...['-blockdev', `driver=file,node-name=source,filename=${source}`],
      ...['-blockdev', `driver=null-co,node-name=target,size=${size}`, '-device', 'virtio-rng-pci,id=rng0'],
    ],
  });
  state = path.join(scene.directory(), 'state');
  gateway = await start();
});
afterAll(() => scene.end());

async function start(): Promise<GatewayProcess> {
  const started = await scene.gateway({ state, args: ['--vm', `${vm}=unix:${qemu.socket}`] });
  await started.vmBecomes(vm, 'ready');
  return started;
}

async function kill(): Promise<void> {
  gateway.process.kill('SIGKILL');
  await gateway.ended;
}

const mirror = { 'job-id': 'm', device: 'source', target: 'target', sync: 'full' };

describe('the gateway is killed', () => {
  it('in the middle of a mirror: the next one finds the job and follows it to its end', async () => {
    const started = await prefer(gateway, vm, 'blockdev-mirror', {
      prefers: 'respond-async',
      args: { ...mirror, speed: mebibyte },
    });
    const at = String(started.headers.location);
    await kill();
    gateway = await start();
    expect(await operationAt(gateway, at)).toMatchObject({ state: 'running', command: 'blockdev-mirror', vm });
    const all = (await exchange(gateway, '/v1/operations')).json();
    expect(all['operations']).toEqual([expect.objectContaining({ id: at.split('/').at(-1) })]);
    expect((await run(gateway, vm, 'block-job-set-speed', '{"device":"m","speed":0}')).status).toBe(200);
    const ended = operationAt(gateway, at, '60s');
    for (let at = 0; at < 1;) {
      const completion = await prefer(gateway, vm, 'block-job-complete', { prefers: 'wait=30', args: { device: 'm' } });
      if (completion.status === 200) at++;
      else expect(completion.text).toContain('cannot accept');
    }
    expect(await ended).toMatchObject({ state: 'done', error: null, progress: { current: size, total: size } });
    expect((await run(gateway, vm, 'query-jobs')).text).toBe('[]');
  });

  it('and the job ends before there is another: its error was kept for it', async () => {
    const started = await prefer(gateway, vm, 'blockdev-mirror', {
      prefers: 'respond-async',
      args: { ...mirror, speed: mebibyte },
    });
    await kill();
    const other = await RawQmpClient.connect(qemu.sockets[1] ?? '');
    await other.negotiate();
    await other.command('{"execute":"job-cancel","arguments":{"id":"m"}}');
    while (!(await other.command('{"execute":"query-jobs"}')).includes('"concluded"'));
    other.close();
    gateway = await start();
    const ended = await operationAt(gateway, String(started.headers.location), '30s');
    expect(ended).toMatchObject({ state: 'failed', problem: { qmp: { desc: 'Operation canceled' } } });
    expect((await run(gateway, vm, 'query-jobs')).text).toBe('[]');
  });

  it('and a job that dismissed itself meanwhile is lost: nothing tells how it ended', async () => {
    const answer = await run(gateway, vm, 'blockdev-mirror', JSON.stringify({ ...mirror, speed: mebibyte }));
    const at = `/v1/vms/${vm}/operations/${String(answer.headers['qmp-operation'])}`;
    expect(await operationAt(gateway, at)).toMatchObject({ state: 'running' });
    await kill();
    const other = await RawQmpClient.connect(qemu.sockets[1] ?? '');
    await other.negotiate();
    await other.command('{"execute":"job-cancel","arguments":{"id":"m"}}');
    while ((await other.command('{"execute":"query-jobs"}')).includes('"id"'));
    other.close();
    gateway = await start();
    const ended = await operationAt(gateway, at, '30s');
    expect(ended).toMatchObject({ state: 'lost', problem: { code: 'outcome-unknown', outcome: 'unknown' } });
  });

  it('and keeps what has ended, and the deadline of what a guest ignores', async () => {
    const stopped = await prefer(gateway, vm, 'stop', { prefers: 'wait=10' });
    expect(stopped.status).toBe(200);
    const headers = { 'Request-Timeout': '2s' };
    const unplug = await prefer(gateway, vm, 'device_del', { prefers: 'respond-async', args: { id: 'rng0' }, headers });
    await operationAt(gateway, String(unplug.headers.location));
    await kill();
    gateway = await start();
    const stop = `/v1/vms/${vm}/operations/${String(stopped.headers['qmp-operation'])}`;
    expect(await operationAt(gateway, stop)).toMatchObject({ state: 'done', command: 'stop', return: {} });
    const ended = await operationAt(gateway, String(unplug.headers.location), '30s');
    expect(ended).toMatchObject({ state: 'failed', problem: { code: 'deadline-exceeded', outcome: 'unknown' } });
  });
});
