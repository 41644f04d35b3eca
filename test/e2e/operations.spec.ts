import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { change, echo, fakeMachine, fakeMachineSettings, type FakeMachine } from './fake-machine.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, makeToken, registerVm, run, runningOperations } from './gateway-scene.js';
import { exchange, problemOf } from './http-exchange.js';

const scene = new GatewayScene();
let gateway: GatewayProcess;
let machine: FakeMachine;
let vm: string;

beforeAll(async () => (gateway = await scene.gateway({ settings: fakeMachineSettings })));
beforeEach(async () => {
  machine = await fakeMachine(scene);
  vm = await registerVm(gateway, machine.endpoint);
});
afterAll(() => scene.end());

const operation = async (path: string) => (await exchange(gateway, path)).json();

/** Runs a command into its deadline. @returns the path of its operation */
async function late(): Promise<string> {
  machine.fake.on(change, () => null);
  const answer = await run(gateway, vm, change, { headers: { 'Request-Timeout': '50ms' } });
  expect(problemOf(answer)).toMatchObject({ code: 'deadline-exceeded', outcome: 'unknown' });
  return String(answer.json()['operation']);
}

async function ended(path: string): Promise<Record<string, unknown>> {
  for (;;) {
    const told = await operation(path);
    if (told['state'] !== 'running') return told;
  }
}

describe('an operation', () => {
  it('tells of every command that was accepted', async () => {
    const answer = await run(gateway, vm, echo, '{"integer":18446744073709551615}');
    const path = `/v1/vms/${vm}/operations/${String(answer.headers['qmp-operation'])}`;
    expect(await operation(path)).toEqual({
      ...{ id: answer.headers['qmp-operation'], vm, command: echo, state: 'done' },
      ...{ epoch: answer.headers['qmp-vm-epoch'], started: expect.any(String), ended: expect.any(String) },
      ...{ progress: null, error: null, events: [] },
      return: expect.anything(),
    });
    expect((await exchange(gateway, path)).text).toContain('"return":{"integer":18446744073709551615}');
    for (const list of ['/v1/operations', `/v1/vms/${vm}/operations`]) {
      const { operations } = (await exchange(gateway, list)).json() as { operations: Record<string, unknown>[] };
      const row = operations.find(({ id }) => id === answer.headers['qmp-operation']);
      expect(row).toMatchObject({ state: 'done' });
      // Lists of what commands returned could be any size.
      expect(row).not.toHaveProperty('return');
    }
  });

  it('goes on after the deadline: running, then done with the late value', async () => {
    const path = await late();
    expect(await operation(path)).toMatchObject({ state: 'running', ended: null, command: change });
    machine.fake.answer(machine.received[0]!, { json: '{"wide": 9223372036854775807}' });
    expect(await ended(path)).toMatchObject({ state: 'done' });
    expect((await exchange(gateway, path)).text).toContain('"return":{"wide": 9223372036854775807}');
  });

  it('fails late, or is lost with the session', async () => {
    const failing = await late();
    machine.fake.answer(machine.received[0]!, { error: { class: 'GenericError', desc: 'late' } });
    expect(await ended(failing)).toMatchObject({
      ...{ state: 'failed', problem: { code: 'command-failed', outcome: 'refused', qmp: { desc: 'late' } } },
    });
    const lost = await late();
    machine.fake.connections[0]?.socket.destroy();
    expect(await ended(lost)).toMatchObject({
      state: 'lost',
      problem: { code: 'outcome-unknown', outcome: 'unknown' },
    });
  });

  it('keeps its place among the eight until the VM answers', async () => {
    for (let count = 0; count < 8; count++) await late();
    const ninth = run(gateway, vm, change, '{"text":"ninth"}');
    while ((await runningOperations(gateway, vm)) < 9);
    expect((await exchange(gateway, `/v1/vms/${vm}`)).json()['inFlight']).toBe(8);
    expect(machine.received).toHaveLength(8);
    const arrived = machine.fake.next(change);
    machine.fake.answer(machine.received[0]!, { json: '{}' });
    machine.fake.answer(await arrived, { json: '"ninth"' });
    expect((await ninth).text).toBe('"ninth"');
  });

  it('is for its principal and level host', async () => {
    const operator = { level: 'operate', vms: ['*'] } as const;
    const own = { Authorization: `Bearer ${makeToken(gateway, operator)}` };
    const other = { Authorization: `Bearer ${makeToken(gateway, operator)}` };
    const answer = await run(gateway, vm, change, { headers: own });
    const path = `/v1/vms/${vm}/operations/${String(answer.headers['qmp-operation'])}`;
    const status = async (headers = {}) => (await exchange(gateway, path, { headers })).status;
    expect([await status(own), await status(other), await status()]).toEqual([200, 404, 200]);
    const list = (await exchange(gateway, `/v1/vms/${vm}/operations`, { headers: other })).json();
    expect(list['operations']).toEqual([]);
    const elsewhere = path.replace(vm, await registerVm(gateway, (await fakeMachine(scene)).endpoint));
    expect((await exchange(gateway, elsewhere)).status).toBe(404);
  });

  it('is there for what the deadline of a real QEMU left', async () => {
    const real = await registerVm(gateway, `unix:${(await scene.qemu({ machine: 'pc' })).socket}`);
    const dump = await run(gateway, real, 'human-monitor-command', {
      args: '{"command-line":"xp /1000000xb 0"}',
      headers: {
        'Request-Timeout': '20ms',
      },
    });
    expect(problemOf(dump)).toMatchObject({ code: 'deadline-exceeded', outcome: 'unknown' });
    const told = await ended(String(dump.json()['operation']));
    expect(told['state']).toBe('done');
    expect(String(told['return']).length).toBeGreaterThan(2 ** 20);
  });
});

describe('the last word of a VM', () => {
  it('is found after the cursor of the command that ended it, never that of an earlier run', async () => {
    const directory = scene.directory();
    let qemu = await scene.qemu({ directory });
    const id = await registerVm(gateway, `unix:${qemu.socket}`);
    const epochs = new Set<string>();
    for (let times = 0; times < 20; times++) {
      const { epoch } = await gateway.vmBecomes(id, 'ready');
      epochs.add(String(epoch));
      const answer = await run(gateway, id, 'quit');
      expect(answer.status).toBe(200);
      const after = String(answer.headers['qmp-event-cursor']);
      const page = await exchange(gateway, `/v1/vms/${id}/events?after=${after}&event=SHUTDOWN&wait=20s&limit=1`);
      expect(page.json()).toMatchObject({ events: [{ event: 'SHUTDOWN', epoch }] });
      await gateway.vmBecomes(id, 'closed');
      await qemu.ended;
      qemu = await scene.qemu({ directory });
    }
    expect(epochs.size).toBe(20);
  });
});
