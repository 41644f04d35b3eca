import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { RawQmpClient, type Qemu } from '@qmp-gateway/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, registerVm, run } from './gateway-scene.js';
import { exchange, problemOf } from './http-exchange.js';
import { operationAt, operationOf, OperationStream, prefer, type ShownOperation } from './work-reader.js';

const mebibyte = 2 ** 20;
const size = 256 * mebibyte;

const scene = new GatewayScene();
let gateway: GatewayProcess;
let directory: string;
let qemu: Qemu;
let vm: string;
let names = 0;

beforeAll(async () => {
  gateway = await scene.gateway();
  directory = scene.directory();
  // Data, not a hole: holes are copied by not copying them.
  writeFileSync(path.join(directory, 'source'), Buffer.alloc(size, 0x5a));
  qemu = await scene.qemu({
    qmpSockets: 2,
    args: ['-blockdev', `driver=file,node-name=source,filename=${path.join(directory, 'source')}`],
  });
  vm = await registerVm(gateway, `unix:${qemu.socket}`);
});
afterAll(() => scene.end());

async function command(name: string, args: object): Promise<void> {
  const answer = await run(gateway, vm, name, JSON.stringify(args));
  if (answer.status !== 200) throw new Error(`${name}: ${answer.text}`);
}

/** A node of its own to copy to. */
async function target(): Promise<string> {
  const name = `target${++names}`;
  await command('blockdev-add', { driver: 'null-co', 'node-name': name, size });
  return name;
}

/** A node on which every write finds no space. */
async function fullTarget(): Promise<string> {
  const name = `full${++names}`;
  const enospc = [{ event: 'none', iotype: 'write', errno: 28 }];
  await command('blockdev-add', {
    driver: 'blkdebug',
    'node-name': name,
    image: await target(),
    'inject-error': enospc,
  });
  return name;
}

const jobs = async (): Promise<{ id: string }[]> =>
  JSON.parse((await run(gateway, vm, 'query-jobs')).text) as { id: string }[];

const eventNames = ({ events }: ShownOperation) => events.map(({ event }) => event);

describe('blockdev-mirror of 256 MiB', () => {
  it('tells how far it is, becomes ready, and ends with the job, not with block-job-complete', async () => {
    const stream = await OperationStream.open(gateway, vm);
    const args = { 'job-id': 'm1', device: 'source', target: await target(), sync: 'full', speed: 128 * mebibyte };
    const started = await prefer(gateway, vm, 'blockdev-mirror', {
      prefers: 'respond-async',
      args: { ...args, 'auto-finalize': false },
    });
    expect(started.status).toBe(202);
    expect(started.headers['preference-applied']).toBe('respond-async');
    const mirror = String(started.headers.location);
    expect(mirror).toBe(`/v1/vms/${vm}/operations/${String(started.headers['qmp-operation'])}`);
    expect(started.json()).toMatchObject({ vm, command: 'blockdev-mirror', state: 'running', ended: null });
    const mirrored = operationAt(gateway, mirror, '60s');

    const ready = await stream.until(({ state }) => state === 'ready');
    const currents = stream.progressOf('blockdev-mirror');
    expect(new Set(currents).size).toBeGreaterThan(2);
    expect(currents).toEqual([...currents].sort((a, b) => a - b));
    expect(ready).toMatchObject({
      ...{ progress: { total: size, unit: 'bytes' }, job: { id: 'm1', type: 'mirror' } },
    });

    // Told to finish, it has not finished: it waits for job-finalize.
    const completion = await prefer(gateway, vm, 'block-job-complete', { prefers: 'wait=1', args: { device: 'm1' } });
    expect(completion.status).toBe(202);
    expect(completion.headers['preference-applied']).toBe('wait=1');
    expect(completion.json()).toMatchObject({ command: 'block-job-complete', state: 'running', return: {} });
    expect((await operationAt(gateway, mirror)).state).toBe('ready');

    const finalized = await prefer(gateway, vm, 'job-finalize', { prefers: 'wait=30', args: { id: 'm1' } });
    expect([finalized.status, finalized.text]).toEqual([200, '{}']);
    const ended = await mirrored;
    expect(ended).toMatchObject({ state: 'done', error: null, progress: { current: size, total: size } });
    expect(eventNames(ended)).toContain('BLOCK_JOB_COMPLETED');
    expect(await operationAt(gateway, String(completion.headers.location), '10s')).toMatchObject({ state: 'done' });
    // It was kept until its end was read, and is gone now.
    expect(await jobs()).toEqual([]);
    stream.close();
  });

  it('is waited for by Prefer alone, through block-job-complete', async () => {
    const args = { 'job-id': 'm2', device: 'source', target: await target(), sync: 'full' };
    const stream = await OperationStream.open(gateway, vm);
    const mirror = prefer(gateway, vm, 'blockdev-mirror', { prefers: 'wait=60', args });
    await stream.until(({ state }) => state === 'ready');
    const completion = await prefer(gateway, vm, 'block-job-complete', { prefers: 'wait=30', args: { device: 'm2' } });
    expect([completion.status, completion.text]).toEqual([200, '{}']);
    const answer = await mirror;
    expect([answer.status, answer.text]).toEqual([200, '{}']);
    expect(answer.headers['preference-applied']).toBe('wait=60');
    expect(await operationOf(gateway, vm, answer)).toMatchObject({ state: 'done', command: 'blockdev-mirror' });
    stream.close();
  });

  it('to a full target is failed, and what QEMU said is kept', async () => {
    const args = { 'job-id': 'm3', device: 'source', target: await fullTarget(), sync: 'full' };
    const answer = await prefer(gateway, vm, 'blockdev-mirror', { prefers: 'wait=30', args });
    const said = { class: 'GenericError', desc: 'No space left on device' };
    const problem = {
      code: 'command-failed',
      status: 422,
      outcome: 'refused',
      qmp: said,
      vm,
      command: 'blockdev-mirror',
    };
    expect(problemOf(answer)).toMatchObject(problem);
    expect(answer.headers['preference-applied']).toBe('wait=30');
    expect(await jobs()).toEqual([]);
    const { operation } = answer.json();
    expect(await operationAt(gateway, String(operation))).toMatchObject({
      ...{
        state: 'failed',
        error: { code: 'command-failed', detail: 'No space left on device' },
        problem: { qmp: said },
      },
    });
  });

  it('fails alike when nobody said to wait, and the job dismisses itself', async () => {
    const args = { 'job-id': 'm4', device: 'source', target: await fullTarget(), sync: 'full' };
    const answer = await run(gateway, vm, 'blockdev-mirror', JSON.stringify(args));
    expect([answer.status, answer.text, answer.headers['preference-applied']]).toEqual([200, '{}', undefined]);
    expect(await operationOf(gateway, vm, answer, '30s')).toMatchObject({
      ...{ state: 'failed', error: { detail: 'No space left on device' } },
    });
  });

  it('is cancelled by DELETE', async () => {
    const args = { 'job-id': 'm5', device: 'source', target: await target(), sync: 'full', speed: mebibyte };
    const started = await prefer(gateway, vm, 'blockdev-mirror', { prefers: 'wait=0', args });
    const at = String(started.headers.location);
    // Nobody has looked so far.
    expect((await operationAt(gateway, at)).progress).toMatchObject({ total: size, unit: 'bytes' });
    const dry = await exchange(gateway, at, { method: 'DELETE', headers: { 'dry-run': 'true' } });
    expect(problemOf(dry)).toMatchObject({ code: 'invalid-request' });
    expect((await operationAt(gateway, at)).state).toBe('running');
    const cancelled = await exchange(gateway, at, { method: 'DELETE' });
    expect([200, 202]).toContain(cancelled.status);
    const ended = await operationAt(gateway, at, '30s');
    expect(ended).toMatchObject({ state: 'cancelled', problem: { code: 'command-failed' } });
    expect(eventNames(ended)).toContain('BLOCK_JOB_CANCELLED');
    const again = await exchange(gateway, at, { method: 'DELETE' });
    expect(problemOf(again)).toMatchObject({ code: 'method-not-allowed', command: 'blockdev-mirror' });
    expect(again.headers.allow).toBe('GET, HEAD');
  });
});

describe('other jobs', () => {
  it('block-stream of 256 MiB: progress rises, the wait ends with the job', async () => {
    const file = path.join(directory, 'overlay');
    const created = await prefer(gateway, vm, 'blockdev-create', {
      prefers: 'wait=30',
      args: { 'job-id': 'c1', options: { driver: 'file', filename: file, size: 0 } },
    });
    expect([created.status, created.text]).toEqual([200, '{}']);
    await command('blockdev-add', { driver: 'file', filename: file, 'node-name': 'overlay-file' });
    const format = { driver: 'qcow2', file: 'overlay-file', size };
    expect(
      (await prefer(gateway, vm, 'blockdev-create', { prefers: 'wait=30', args: { 'job-id': 'c2', options: format } }))
        .status,
    ).toBe(200);
    await command('blockdev-add', { driver: 'qcow2', file: 'overlay-file', 'node-name': 'overlay', backing: 'source' });

    const stream = await OperationStream.open(gateway, vm);
    const args = { 'job-id': 's1', device: 'overlay', speed: 128 * mebibyte };
    const answer = await prefer(gateway, vm, 'block-stream', { prefers: 'wait=60', args });
    expect([answer.status, answer.text]).toEqual([200, '{}']);
    const ended = await stream.until(({ state, command: of }) => state === 'done' && of === 'block-stream');
    const currents = stream.progressOf('block-stream');
    expect(new Set(currents).size).toBeGreaterThan(2);
    expect(currents).toEqual([...currents].sort((a, b) => a - b));
    expect(ended.progress).toMatchObject({ current: size, total: size });
    stream.close();
  });

  it('snapshots are saved, loaded and deleted, each done with its job, a failed one with its error', async () => {
    const base = { tag: 'one', devices: ['overlay'] };
    for (const [name, args] of [
      ['snapshot-save', { ...base, 'job-id': 'save', vmstate: 'overlay' }],
      ['snapshot-load', { ...base, 'job-id': 'load', vmstate: 'overlay' }],
      ['snapshot-delete', { ...base, 'job-id': 'delete' }],
    ] as const) {
      const answer = await prefer(gateway, vm, name, { prefers: 'wait=60', args });
      expect([name, answer.status, answer.text]).toEqual([name, 200, '{}']);
      expect(await operationOf(gateway, vm, answer)).toMatchObject({ state: 'done', job: { id: args['job-id'] } });
    }
    const missing = { ...base, 'job-id': 'again', vmstate: 'overlay' };
    const failed = await prefer(gateway, vm, 'snapshot-load', { prefers: 'wait=60', args: missing });
    expect(problemOf(failed)).toMatchObject({ code: 'command-failed', outcome: 'refused', command: 'snapshot-load' });
    expect(failed.json()['detail']).toContain('one');
    expect(await jobs()).toEqual([]);
  });

  it('blockdev-create that fails: its error is read before the job is dismissed', async () => {
    const options = { driver: 'file', filename: path.join(directory, 'no', 'such'), size: 512 };
    const answer = await prefer(gateway, vm, 'blockdev-create', {
      prefers: 'wait=30',
      args: { 'job-id': 'c3', options },
    });
    expect(problemOf(answer)).toMatchObject({ code: 'command-failed', qmp: { class: 'GenericError' } });
    expect(answer.text).toContain('No such file or directory');
    expect(await jobs()).toEqual([]);
  });

  it('leaves a job alone whose caller says itself when it goes', async () => {
    const base = { device: 'source', target: await target(), sync: 'full', 'auto-dismiss': false };
    const cancelled = await prefer(gateway, vm, 'blockdev-mirror', {
      prefers: 'respond-async',
      args: { ...base, 'job-id': 'm6' },
    });
    expect((await exchange(gateway, String(cancelled.headers.location), { method: 'DELETE' })).status).toBeLessThan(
      300,
    );
    await operationAt(gateway, String(cancelled.headers.location), '30s');
    expect((await jobs()).map(({ id }) => id)).toEqual(['m6']);
    await command('job-dismiss', { id: 'm6' });
  });

  it('of another client on the VM’s second monitor appears as well', async () => {
    const other = await RawQmpClient.connect(qemu.sockets[1] ?? '');
    await other.negotiate();
    const args = { 'job-id': 'theirs', device: 'source', target: await target(), sync: 'full', speed: mebibyte };
    const stream = await OperationStream.open(gateway, vm);
    await other.command(JSON.stringify({ execute: 'blockdev-mirror', arguments: args }));
    const told = await stream.until(({ job }) => job?.id === 'theirs' && job.type !== null);
    expect(told).toMatchObject({ vm, command: null, state: 'running', job: { type: 'mirror' } });
    const list = (await exchange(gateway, `/v1/operations?vm=${vm}&state=running`)).json();
    expect(list['operations']).toEqual([expect.objectContaining({ id: told.id })]);
    await other.command(JSON.stringify({ execute: 'block-job-cancel', arguments: { device: 'theirs', force: true } }));
    expect(await operationAt(gateway, `/v1/vms/${vm}/operations/${told.id}`, '30s')).toMatchObject({
      state: 'cancelled',
    });
    other.close();
    stream.close();
  });
});
