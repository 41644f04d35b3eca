import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { change, fakeMachine, fakeMachineSettings, type FakeMachine } from './fake-machine.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, makeToken, nextSession, registerVm, run } from './gateway-scene.js';
import { exchange, problemOf } from './http-exchange.js';

const scene = new GatewayScene();
let gateway: GatewayProcess;
let machine: FakeMachine;
let vm: string;
let done: number;

beforeAll(async () => (gateway = await scene.gateway({ settings: fakeMachineSettings })));
beforeEach(async () => {
  machine = await fakeMachine(scene);
  vm = await registerVm(gateway, machine.endpoint);
  done = 0;
  machine.fake.on(change, () => ({ return: ++done }));
});
afterAll(() => scene.end());

const keyed = (args: string | undefined, headers = {}) =>
  run(gateway, vm, change, { args, headers: { 'Idempotency-Key': 'key', ...headers } });

describe('Idempotency-Key', () => {
  it('runs a command once and gives its answer again', async () => {
    const first = await keyed('{"integer":1}');
    const second = await keyed('{"integer":1}');
    expect([first.text, second.text]).toEqual(['1', '1']);
    expect([first.headers['idempotency-replayed'], second.headers['idempotency-replayed']]).toEqual([
      undefined,
      'true',
    ]);
    expect(second.headers['qmp-operation']).toBe(first.headers['qmp-operation']);
    expect(machine.takeReceived()).toEqual([change]);
  });

  it('gives a failure again too', async () => {
    machine.fake.on(change, () => ({ error: { class: 'GenericError', desc: `${++done}` } }));
    const [first, second] = [await keyed(undefined), await keyed(undefined)];
    expect([first.status, second.status, done]).toEqual([422, 422, 1]);
    expect(second.json()['qmp']).toEqual(first.json()['qmp']);
    expect(second.headers['idempotency-replayed']).toBe('true');
  });

  it('is of one principal, VM and command', async () => {
    const other = makeToken(gateway, { level: 'operate', vms: ['*'] });
    await keyed('{"integer":1}');
    expect((await keyed('{"integer":1}', { Authorization: `Bearer ${other}` })).text).toBe('2');
    expect((await run(gateway, vm, 'stop', { headers: { 'Idempotency-Key': 'key' } })).status).toBe(200);
    const elsewhere = await fakeMachine(scene);
    const id = await registerVm(gateway, elsewhere.endpoint);
    expect(
      (await run(gateway, id, change, { args: '{"integer":1}', headers: { 'Idempotency-Key': 'key' } })).status,
    ).toBe(200);
    expect(elsewhere.takeReceived()).toEqual([change]);
  });

  it('refuses another body', async () => {
    await keyed('{"integer":1}');
    const other = await keyed('{"integer":2}');
    expect(problemOf(other)).toMatchObject({ status: 422, code: 'idempotency-mismatch', outcome: 'not-sent' });
    expect(problemOf(await keyed(undefined))).toMatchObject({ code: 'idempotency-mismatch' });
    expect(done).toBe(1);
  });

  it('holds while the command runs, past its deadline, and gives the late answer', async () => {
    machine.fake.on(change, () => null);
    const late = await keyed('{"integer":1}', { 'Request-Timeout': '50ms' });
    expect(problemOf(late)).toMatchObject({ code: 'deadline-exceeded', outcome: 'unknown' });
    const pending = await keyed('{"integer":1}');
    expect(problemOf(pending)).toMatchObject({
      ...{ status: 409, code: 'idempotency-in-progress', outcome: 'not-sent', retryable: true },
    });
    const operation = String(late.json()['operation']);
    expect((await exchange(gateway, operation)).json()).toMatchObject({ state: 'running' });
    const sent = machine.received[0]!;
    machine.fake.answer(sent, { json: '{"late": true}' });
    while ((await exchange(gateway, operation)).json()['state'] === 'running');
    const replayed = await keyed('{"integer":1}');
    expect([replayed.status, replayed.text]).toEqual([200, '{"late": true}']);
    expect(replayed.headers['idempotency-replayed']).toBe('true');
    expect(machine.takeReceived()).toEqual([change]);
  });

  it('keeps that the outcome is unknown, so that a retry does nothing twice', async () => {
    machine.fake.on(change, ({ connection }) => {
      connection.socket.destroy();
      return null;
    });
    const { epoch } = await gateway.vmBecomes(vm, 'ready');
    expect(problemOf(await keyed(undefined))).toMatchObject({ code: 'outcome-unknown' });
    await nextSession(gateway, vm, String(epoch));
    const again = await keyed(undefined);
    expect(problemOf(again)).toMatchObject({ status: 502, code: 'outcome-unknown' });
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(machine.takeReceived()).toEqual([change]);
  });

  it('keeps nothing of what was not sent: the retry runs', async () => {
    const { endpoint } = machine;
    await machine.fake.stop();
    await gateway.vmBecomes(vm, 'waiting');
    expect(problemOf(await keyed(undefined))).toMatchObject({ code: 'vm-unavailable', outcome: 'not-sent' });
    const again = await fakeMachine(scene, { path: `${scene.directory()}/qmp` });
    await exchange(gateway, `/v1/vms/${vm}`, { method: 'PUT', body: JSON.stringify({ endpoint: again.endpoint }) });
    expect(again.endpoint).not.toBe(endpoint);
    await gateway.vmBecomes(vm, 'ready');
    expect((await keyed(undefined)).status).toBe(200);
    expect((await keyed('{"integer":"x"}', { 'Idempotency-Key': 'bad' })).status).toBe(400);
    expect((await keyed('{"integer":1}', { 'Idempotency-Key': 'bad' })).status).toBe(200);
    expect(again.takeReceived()).toEqual([change, change]);
  });

  it('counts a dry run for nothing', async () => {
    await keyed(undefined, { 'Dry-Run': 'true' });
    expect((await keyed(undefined)).text).toBe('1');
  });
});
