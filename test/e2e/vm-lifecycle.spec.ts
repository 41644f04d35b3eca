import path from 'node:path';
import { RawQmpClient, launchQemu } from '@qmp-gateway/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nextNdjsonEvents, openLines } from './event-readers.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, registerVm, run } from './gateway-scene.js';
import { exchange, problemOf } from './http-exchange.js';

const scene = new GatewayScene();
let gateway: GatewayProcess;

beforeAll(async () => (gateway = await scene.gateway()));
afterAll(() => scene.end());

describe('a VM that comes and goes', () => {
  it('is killed and started again at its socket: waiting, then ready in a new epoch, 503 meanwhile', async () => {
    const directory = scene.directory();
    const first = scene.keep(await launchQemu({ directory }), (qemu) => qemu.stop());
    const vm = await registerVm(gateway, `unix:${first.socket}`);
    const before = await gateway.vmBecomes(vm, 'ready');
    const changes = await openLines(gateway, `/v1/vms/${vm}/events?event=vm-changed`, 'application/x-ndjson');
    scene.keep(changes, (stream) => stream.close());

    first.kill('SIGKILL');
    await first.ended;
    await gateway.vmBecomes(vm, 'waiting');
    const meanwhile = await run(gateway, vm, 'stop');
    expect(meanwhile.status).toBe(503);
    expect(problemOf(meanwhile)).toMatchObject({
      ...{ status: 503, code: 'vm-unavailable', vm, command: 'stop', outcome: 'not-sent', retryable: true },
      lastError: { code: expect.stringMatching(/^(?:connection-(?:lost|reset)|refused)$/) },
    });
    expect(Number(meanwhile.headers['retry-after'])).toBeGreaterThan(0);
    // What can be checked without the VM still is.
    expect((await run(gateway, vm, 'stopp')).status).toBe(404);

    scene.keep(await launchQemu({ directory }), (qemu) => qemu.stop());
    const after = await gateway.vmBecomes(vm, 'ready');
    expect(after['epoch']).not.toBe(before['epoch']);
    expect(after).toMatchObject({ state: 'ready', health: 'ok', runState: 'prelaunch' });
    const states: unknown[] = [];
    while (states.at(-1) !== 'ready') {
      const [change] = await nextNdjsonEvents(changes, 1);
      if (states.at(-1) !== change?.data['state']) states.push(change?.data['state']);
    }
    // How often it was dialled in between is nobody's business.
    expect(states).toEqual(['waiting', 'ready']);
    expect((await run(gateway, vm, 'stop')).headers['qmp-vm-epoch']).toBe(after['epoch']);
  });

  it('is closed after quit, not lost', async () => {
    const qemu = await scene.qemu();
    const vm = await registerVm(gateway, `unix:${qemu.socket}`);
    const answer = await run(gateway, vm, 'quit');
    expect([answer.status, answer.text]).toEqual([200, '{}']);
    await gateway.vmBecomes(vm, 'closed');
    await qemu.ended;
  });

  it('has a monitor that another client holds: busy, then ready when it is let go', async () => {
    const qemu = await scene.qemu();
    const other = scene.keep(await RawQmpClient.connect(qemu.socket), (client) => client.close());
    await other.negotiate();
    const vm = await registerVm(gateway, `unix:${qemu.socket}`, { state: 'busy' });
    const answer = await run(gateway, vm, 'stop', { headers: { 'Request-Timeout': '30s' } });
    expect(problemOf(answer)).toMatchObject({ code: 'vm-unavailable', outcome: 'not-sent' });
    other.close();
    await gateway.vmBecomes(vm, 'ready');
  });

  it('has no socket yet: waiting, with the reason', async () => {
    const directory = scene.directory();
    const vm = await registerVm(gateway, `unix:${path.join(directory, 'qmp0')}`, { state: 'waiting' });
    const view = (await exchange(gateway, `/v1/vms/${vm}`)).json();
    expect(view).toMatchObject({
      ...{ state: 'waiting', health: null, runState: null, retryAt: expect.any(String) },
      lastError: { code: 'no-such-file', detail: expect.any(String), time: expect.any(String) },
    });
    scene.keep(await launchQemu({ directory }), (qemu) => qemu.stop());
    await gateway.vmBecomes(vm, 'ready');
  });

  it('is stopped (SIGSTOP): its callers wait for their deadline, the list answers at once', async () => {
    const qemu = await scene.qemu();
    const vm = await registerVm(gateway, `unix:${qemu.socket}`);
    qemu.kill('SIGSTOP');
    const asked = run(gateway, vm, 'query-status', { headers: { 'Request-Timeout': '1s' } });
    expect((await exchange(gateway, '/v1/vms')).status).toBe(200);
    expect(problemOf(await asked)).toMatchObject({ code: 'deadline-exceeded', outcome: 'unknown' });
    qemu.kill('SIGCONT');
  });
});

describe('the gateway', () => {
  it('starts whatever its VMs do, and is ready at once', async () => {
    const directory = scene.directory();
    const dead = await launchQemu({ directory });
    dead.kill('SIGKILL');
    await dead.ended;
    const held = await scene.qemu();
    const other = scene.keep(await RawQmpClient.connect(held.socket), (client) => client.close());
    await other.negotiate();
    const mute = await scene.fake({ connected: () => undefined });
    const { path: mutePath } = mute.endpoint as { path: string };
    const own = await scene.gateway({
      args: [
        ...['--vm', `missing=unix:${directory}/nothing`, '--vm', `dead=unix:${dead.socket}`],
        ...['--vm', `held=unix:${held.socket}`, '--vm', `mute=unix:${mutePath}`, '--vm', 'refused=tcp:127.0.0.1:1'],
      ],
    });
    expect((await exchange(own, '/readyz')).status).toBe(200);
    await Promise.all([
      ...['missing', 'dead', 'refused'].map((vm) => own.vmBecomes(vm, 'waiting')),
      ...['held', 'mute'].map((vm) => own.vmBecomes(vm, 'busy')),
    ]);
    expect(await own.stop()).toBe(0);
  });
});
