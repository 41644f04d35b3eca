import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, registerVm, run } from './gateway-scene.js';
import { exchange, problemOf } from './http-exchange.js';
import { RawQmpClient } from '@qmp-gateway/test-kit';
import { operationAt, operationOf, OperationStream, prefer } from './work-reader.js';

const scene = new GatewayScene();
let gateway: GatewayProcess;

beforeAll(async () => (gateway = await scene.gateway()));
afterAll(() => scene.end());

interface Pair {
  readonly source: string;
  readonly target: string;
  readonly uri: string;
}

/** Two VMs of the same make, the second of which awaits the first. */
async function pair(): Promise<Pair> {
  const uri = `unix:${path.join(scene.directory(), 'stream')}`;
  const [from, to] = await Promise.all([
    scene.qemu({ machine: 'pc', accel: 'tcg' }),
    scene.qemu({ machine: 'pc', accel: 'tcg', args: ['-incoming', 'defer'] }),
  ]);
  const source = await registerVm(gateway, `unix:${from.socket}`);
  const target = await registerVm(gateway, `unix:${to.socket}`);
  expect((await run(gateway, target, 'migrate-incoming', JSON.stringify({ uri }))).status).toBe(200);
  return { source, target, uri };
}

/** Bytes per second. */
async function limit(vm: string, bandwidth: number): Promise<void> {
  expect((await run(gateway, vm, 'migrate-set-parameters', `{"max-bandwidth":${bandwidth}}`)).status).toBe(200);
}

const statuses = ({ events }: { events: readonly { event: string; data: Record<string, unknown> }[] }) =>
  events.filter(({ event }) => event === 'MIGRATION').map(({ data }) => data['status']);

describe('a live migration', () => {
  it('is watched in the event stream and waited for', async () => {
    const { source, target, uri } = await pair();
    await limit(source, 400_000);
    const stream = await OperationStream.open(gateway, source);
    const migration = prefer(gateway, source, 'migrate', { prefers: 'wait=60', args: { uri } });
    const halfway = await stream.until(({ progress }) => progress !== null && progress.current > 0);
    expect(halfway).toMatchObject({ command: 'migrate', state: 'running', progress: { unit: 'bytes' } });
    await limit(source, 1e9);
    const answer = await migration;
    expect([answer.status, answer.text]).toEqual([200, '{}']);
    expect(answer.headers['preference-applied']).toBe('wait=60');
    const ended = await stream.until(({ state }) => state !== 'running');
    expect(ended).toMatchObject({ state: 'done', error: null });
    // The gateway has switched these events on.
    expect(statuses(ended)).toEqual(['setup', 'active', 'completed']);
    const progress = stream.progressOf('migrate');
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    expect(JSON.parse((await run(gateway, source, 'query-status')).text)).toMatchObject({ status: 'postmigrate' });
    expect((await run(gateway, target, 'query-migrate')).text).toContain('"completed"');
    stream.close();
  });

  it('is cancelled half way', async () => {
    const { source, uri } = await pair();
    await limit(source, 10_000);
    const stream = await OperationStream.open(gateway, source);
    const started = await prefer(gateway, source, 'migrate', { prefers: 'wait=1', args: { uri } });
    expect(started.status).toBe(202);
    expect(started.json()).toMatchObject({ state: 'running', command: 'migrate' });
    const at = String(started.headers.location);
    await stream.until(({ progress }) => progress !== null && progress.current > 0);
    const waited = operationAt(gateway, at, '30s');
    expect([200, 202]).toContain((await exchange(gateway, at, { method: 'DELETE' })).status);
    const ended = await waited;
    expect(ended).toMatchObject({ state: 'cancelled', error: { code: 'command-failed' } });
    expect(ended.progress?.current).toBeLessThan(ended.progress?.total ?? 0);
    expect(statuses(ended).at(-1)).toBe('cancelled');
    stream.close();
  });

  it('that cannot reach its target is failed, with what QEMU says of it', async () => {
    const qemu = await scene.qemu({ machine: 'pc', accel: 'tcg' });
    const vm = await registerVm(gateway, `unix:${qemu.socket}`);
    const uri = `unix:${path.join(scene.directory(), 'nobody')}`;
    const answer = await prefer(gateway, vm, 'migrate', { prefers: 'wait=30', args: { uri } });
    expect(problemOf(answer)).toMatchObject({ code: 'command-failed', status: 422, vm, command: 'migrate' });
    expect(answer.json()['detail']).toContain('No such file or directory');
    expect(await operationOf(gateway, vm, answer)).toMatchObject({ state: 'failed' });
  });
});

describe('a guest that arrives', () => {
  const target = (...args: string[]) => scene.qemu({ machine: 'pc', accel: 'tcg', args });

  it('is waited for on its target, whose row says running when the VM does', async () => {
    const uri = `unix:${path.join(scene.directory(), 'stream')}`;
    const [from, to] = await Promise.all([scene.qemu({ machine: 'pc', accel: 'tcg' }), target('-incoming', 'defer')]);
    const [source, vm] = await Promise.all([from, to].map(({ socket }) => registerVm(gateway, `unix:${socket}`)));
    const soon = await prefer(gateway, vm!, 'migrate-incoming', { prefers: 'wait=1', args: { uri } });
    expect(soon.status).toBe(202);
    expect(soon.json()).toMatchObject({ state: 'running', command: 'migrate-incoming', progress: null });
    const waited = operationAt(gateway, String(soon.headers.location), '30s');
    // It runs as soon as the guest is there.
    for (const ready of [vm!, source!]) expect((await run(gateway, ready, 'cont')).status).toBe(200);
    expect((await prefer(gateway, source!, 'migrate', { prefers: 'wait=30', args: { uri } })).status).toBe(200);
    const ended = await waited;
    expect(ended).toMatchObject({ state: 'done', error: null });
    // The gateway has switched these events on, here too.
    expect(statuses(ended)).toEqual(expect.arrayContaining(['active', 'completed']));
    const { events } = (
      await exchange(gateway, `/v1/vms/${vm}/events?event=vm-changed&after=oldest`)
    ).json() as unknown as { events: { data: { runState: string } }[] };
    expect(events.at(-1)?.data.runState).toBe('running');
  });

  it('that never comes whole is failed, though the process ends with it', async () => {
    const uri = `unix:${path.join(scene.directory(), 'stream')}`;
    const [from, to] = await Promise.all([scene.qemu({ machine: 'pc', accel: 'tcg' }), target('-incoming', 'defer')]);
    const [source, vm] = await Promise.all([from, to].map(({ socket }) => registerVm(gateway, `unix:${socket}`)));
    const started = await prefer(gateway, vm!, 'migrate-incoming', { prefers: 'respond-async', args: { uri } });
    const at = String(started.headers.location);
    await limit(source!, 10_000);
    expect((await run(gateway, source!, 'migrate', JSON.stringify({ uri }))).status).toBe(200);
    const stream = await OperationStream.open(gateway, vm!);
    while (!statuses(await operationAt(gateway, at)).includes('active'));
    from.kill('SIGKILL');
    expect(await operationAt(gateway, at, '30s')).toMatchObject({ state: 'failed', error: { code: 'command-failed' } });
    stream.close();
  });

  it('and was expected from the start is an operation without a command', async () => {
    const uri = `unix:${path.join(scene.directory(), 'stream')}`;
    const [from, to] = await Promise.all([scene.qemu({ machine: 'pc', accel: 'tcg' }), target('-incoming', uri)]);
    const vm = await registerVm(gateway, `unix:${to.socket}`);
    const stream = await OperationStream.open(gateway, vm);
    // Whoever migrates does it past the gateway.
    const other = scene.keep(await RawQmpClient.connect(from.socket), (client) => client.close());
    await other.negotiate();
    await other.command(JSON.stringify({ execute: 'migrate', arguments: { uri } }));
    const ended = await stream.until(({ state }) => state !== 'running');
    expect(ended).toMatchObject({ command: null, state: 'done', error: null });
    stream.close();
  });

  it('cannot be sent back', async () => {
    const uri = `unix:${path.join(scene.directory(), 'stream')}`;
    const vm = await registerVm(gateway, `unix:${(await target('-incoming', 'defer')).socket}`);
    const started = await prefer(gateway, vm, 'migrate-incoming', { prefers: 'respond-async', args: { uri } });
    const answer = await exchange(gateway, String(started.headers.location), { method: 'DELETE' });
    expect(problemOf(answer)).toMatchObject({ status: 405, code: 'method-not-allowed' });
  });
});
