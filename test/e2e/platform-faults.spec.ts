import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { RawQmpClient } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';
import { echo, fakeMachine, fakeMachineSettings } from './fake-machine.js';
import { anomalies, FaultScene } from './fault-scene.js';
import { GatewayScene, registerVm, run, runningOperations } from './gateway-scene.js';
import { exchange } from './http-exchange.js';

const scene = new FaultScene();
/** For gateways that are killed: what must hold at an orderly end does not there. */
const killed = new GatewayScene();

afterEach(async () => {
  await scene.end();
  await killed.end();
});

describe('a VM that others control too', () => {
  it('is shown as its events say, whoever caused them', async () => {
    const qemu = await scene.qemu({ qmpSockets: 2 });
    const gateway = await scene.gateway();
    const vm = await registerVm(gateway, `unix:${qemu.socket}`);
    const other = scene.keep(await RawQmpClient.connect(qemu.sockets[1] ?? ''), (client) => client.close());
    await other.negotiate();
    for (const [command, event, runState] of [
      ['cont', 'RESUME', 'running'],
      ['stop', 'STOP', 'paused'],
    ]) {
      const { cursor } = (await exchange(gateway, '/v1/vms')).json() as { cursor: string };
      await other.command(`{"execute":"${command}"}`);
      const page = await exchange(gateway, `/v1/vms/${vm}/events?event=${event}&after=${cursor}&wait=10s&limit=1`);
      expect(page.json()['events']).toHaveLength(1);
      expect((await exchange(gateway, `/v1/vms/${vm}`)).json()).toMatchObject({ runState });
    }
  });
});

describe('a command of the human monitor that fails', () => {
  it('is text like any other answer of it: its 200 says that the text came', async () => {
    const qemu = await scene.qemu();
    const gateway = await scene.gateway();
    const vm = await registerVm(gateway, `unix:${qemu.socket}`);
    const answer = await run(gateway, vm, 'human-monitor-command', '{"command-line":"no-such-command"}');
    expect([answer.status, answer.json()]).toEqual([200, expect.stringContaining('unknown command')]);
    const { commands } = (await exchange(gateway, `/v1/vms/${vm}/schema`)).json() as {
      commands: { name: string; class: string; returns: string }[];
    };
    expect(commands.find(({ name }) => name === 'human-monitor-command')).toMatchObject({
      class: 'host',
      returns: 'str',
    });
  });
});

describe('a VM of a release to come', () => {
  it('is taken as it is: run state, events and commands that nobody knows', async () => {
    const gateway = await scene.gateway();
    const machine = await fakeMachine(scene);
    machine.fake.on('query-status', () => ({ json: '{"status": "entangled", "running": true, "since-11.2": {}}' }));
    const vm = await registerVm(gateway, machine.endpoint);
    expect((await exchange(gateway, `/v1/vms/${vm}`)).json()).toMatchObject({ state: 'ready', runState: 'entangled' });
    machine.fake.emit('FROM_LATER', { unheard: ['of'] });
    const page = await exchange(gateway, `/v1/vms/${vm}/events?event=FROM_LATER&after=oldest&wait=10s`);
    expect(page.json()['events']).toMatchObject([{ event: 'FROM_LATER', data: { unheard: ['of'] } }]);
    // Without a class in the settings it needs level host, which the token has.
    expect((await run(gateway, vm, echo, '{"anything":[1]}')).text).toBe('{"anything":[1]}');
  });
});

describe('a VM that cannot be reached', () => {
  it('is a row with nulls and a series, and costs no other its own', async () => {
    const qemu = await scene.qemu();
    const gateway = await scene.gateway({
      args: ['--vm', `gone=unix:${qemu.directory}/gone`, '--vm', `here=unix:${qemu.socket}`],
    });
    await gateway.vmBecomes('gone', 'waiting');
    await gateway.vmBecomes('here', 'ready');
    const nothing = { health: null, runState: null, epoch: null, version: null, name: null, uuid: null, schema: null };
    expect((await exchange(gateway, '/v1/vms/gone')).json()).toMatchObject({ ...nothing, inFlight: 0 });
    const { text } = await exchange(gateway, '/metrics');
    for (const [vm, state, value] of [
      ['gone', 'waiting', 1],
      ['gone', 'ready', 0],
      ['here', 'ready', 1],
    ])
      expect(text).toContain(`qmpgw_vm_state{vm="${vm}",state="${state}"} ${value}\n`);
    expect(text).not.toMatch(/NaN|undefined|null/);
  });
});

describe('a process with few descriptors', () => {
  it('takes no more clients than it can, and keeps its VMs and room for more', async () => {
    const openFiles = 256;
    const gateway = await scene.gateway({ openFiles, settings: fakeMachineSettings });
    const [first, second] = [await fakeMachine(scene), await fakeMachine(scene)];
    const vm = await registerVm(gateway, first.endpoint);
    const { hostname, port } = new URL(gateway.url);
    let refused = 0;
    const clients = Array.from({ length: 3 * openFiles }, () =>
      connect(Number(port), hostname)
        .on('error', () => undefined)
        .on('close', () => refused++),
    );
    await Promise.all(clients.map((socket) => once(socket, 'connect').catch(() => undefined)));
    // Half of them and more are closed at once.
    while (refused < clients.length / 2) await new Promise((resolve) => setImmediate(resolve));
    expect(descriptorsOf(gateway.process.pid)).toBeLessThan(openFiles);

    for (const socket of clients) socket.destroy();
    while (descriptorsOf(gateway.process.pid) > openFiles / 2) await new Promise((resolve) => setImmediate(resolve));
    expect((await exchange(gateway, `/v1/vms/${vm}`)).json()).toMatchObject({ state: 'ready' });
    expect(first.fake.accepted).toBe(1);
    await registerVm(gateway, second.endpoint);
  });
});

describe('a gateway that is killed with a command in flight', () => {
  it('knows the late reply for a stranger when it is back', async () => {
    const qemu = await scene.qemu({ machine: 'pc' });
    const state = path.join(killed.directory(), 'state');
    const args = ['--vm', `web=unix:${qemu.socket}`];
    const first = await killed.gateway({ state, args });
    await first.vmBecomes('web', 'ready');
    const dump = run(first, 'web', 'human-monitor-command', '{"command-line":"xp /6000000xb 0"}').catch(() => null);
    while ((await runningOperations(first, 'web')) === 0);
    await usesProcessor(qemu.process.pid);
    // Until the next gateway waits for it, however long that takes to start: otherwise the reply goes to nobody.
    qemu.kill('SIGSTOP');
    first.process.kill('SIGKILL');
    await first.ended;
    expect(await dump).toBeNull();

    const second = await scene.gateway({ state, args });
    await expect.poll(() => connectionsTo(qemu.socket), { timeout: 10_000 }).toBeGreaterThan(2);
    qemu.kill('SIGCONT');
    await second.vmBecomes('web', 'ready');
    expect((await run(second, 'web', 'query-status')).status).toBe(200);
    expect(await anomalies(second, 'web', 'foreign-reply')).toBe(1);
  });
});

/** Sockets of this path: that of the server, those it has accepted, and those that wait for it. */
function connectionsTo(socket: string): number {
  return readFileSync('/proc/net/unix', 'latin1')
    .split('\n')
    .filter((line) => line.endsWith(` ${socket}`)).length;
}

function descriptorsOf(pid: number | undefined): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Resolves when the process has used processor time for 100 ms since the call. */
async function usesProcessor(pid: number | undefined): Promise<void> {
  const ticks = (): number => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
    return Number(fields[11]) + Number(fields[12]);
  };
  const began = ticks();
  while (ticks() < began + 10) await new Promise((resolve) => setTimeout(resolve, 5));
}
