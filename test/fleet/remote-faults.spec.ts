import path from 'node:path';
import { FaultProxy } from '@qmp-gateway/test-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { change } from '../e2e/fake-machine.js';
import type { GatewayProcess } from '../e2e/gateway-process.js';
import { run } from '../e2e/gateway-scene.js';
import { exchange } from '../e2e/http-exchange.js';
import { FleetScene, isReadyAt, pause, refusalOf, rowOf, until } from './fleet-scene.js';

const rounds = Number(process.env['FLEET_ROUNDS'] ?? 2);

let scene: FleetScene;

beforeEach(async () => {
  scene = new FleetScene();
  await scene.startNats();
});
afterEach(() => scene.end());

/** Ends a gateway as a power cut would. */
async function kill(gateway: GatewayProcess): Promise<void> {
  gateway.process.kill('SIGKILL');
  await gateway.ended;
}

describe('a command for another node', () => {
  it(
    `is never run after its caller was told that it was not: ${rounds} rounds, delayed and frozen`,
    async () => {
      const proxy = await scene.start(FaultProxy.start(scene.nats.first.port), (made) => made.stop());
      const times = { heartbeat: '300ms', unreachableAfter: '5s' };
      const [a, b] = await Promise.all([
        scene.node('A', { servers: [`nats://127.0.0.1:${proxy.port}`], fleet: times }),
        scene.node('B', { fleet: times }),
      ]);
      const machine = await scene.vm('web', b, [a]);
      for (let round = 0; round < rounds; round++) {
        machine.takeReceived();
        const frozen = round % 2 === 1;
        if (frozen) await scene.nats.first.freeze();
        else proxy.toServer.delayMs = 2000;
        const answer = await run(a, 'web', 'stop', { headers: { 'Request-Timeout': '400ms' } });
        expect([503, 504]).toContain(answer.status);
        await pause(1600);
        scene.nats.first.signal('SIGCONT');
        proxy.toServer.delayMs = 0;
        await until('a later command works', async () => (await run(a, 'web', 'query-status')).status === 200, 10_000);
        await pause(1000);
        expect(machine.takeReceived()).toEqual([]);
      }
    },
    120_000 + rounds * 15_000,
  );

  it('is not sent to a node that is gone, whose VMs stay listed, and are back with it', async () => {
    const state = path.join(scene.directory(), 'state');
    const [a, first] = await Promise.all([scene.node('A'), scene.node('B', { state })]);
    const { endpoint } = await scene.vm('web', first, [a]);
    const before = await rowOf(a, 'web');
    const { cursor } = (await exchange(a, '/v1/vms')).json();
    await kill(first);
    const asked = performance.now();
    expect(refusalOf(await run(a, 'web', 'stop'))).toEqual([503, 'vm-unavailable', 'not-sent']);
    expect(performance.now() - asked).toBeLessThan(5000);
    const changes = `/v1/events?event=vm-changed&after=${String(cursor)}&wait=10s`;
    const { events } = (await exchange(a, changes)).json() as { events: { data: object }[] };
    expect(events[0]?.data).toMatchObject({ id: 'web', node: 'B', state: 'unreachable', heard: expect.any(String) });
    expect(await rowOf(a, 'web')).toMatchObject({ state: 'unreachable', node: 'B', labels: {} });
    // What it was when it was heard last is told, as the list does: nobody can be asked.
    const told = await exchange(a, '/v1/vms/web');
    expect([told.status, told.json()]).toMatchObject([200, { id: 'web', state: 'unreachable', node: 'B' }]);
    expect((await exchange(a, '/v1/vms/web', { method: 'HEAD' })).status).toBe(200);
    const refused = await run(a, 'web', 'stop');
    expect([...refusalOf(refused), refused.json()['retryable']]).toEqual([503, 'vm-unavailable', 'not-sent', true]);
    expect(refused.json()['detail']).toMatch(/Node B.*last heard at 20/);

    const again = await scene.node('B', { state, settings: { vms: { web: { endpoint } } } });
    await isReadyAt(a, 'web');
    expect((await run(a, 'web', 'query-status')).status).toBe(200);
    expect((await rowOf(a, 'web'))?.['epoch']).not.toBe(before?.['epoch']);
    expect((await exchange(again, '/v1/vms/web')).json()).toMatchObject({ node: 'B' });
  });

  it('that its node wrote before it was gone is unknown', async () => {
    const [a, b] = await Promise.all([scene.node('A'), scene.node('B')]);
    const machine = await scene.vm('web', b, [a]);
    machine.fake.on(change, () => null);
    const written = machine.fake.next(change);
    const answer = run(a, 'web', change, '{}');
    await written;
    await kill(b);
    const lost = await answer;
    expect(refusalOf(lost)).toEqual([502, 'outcome-unknown', 'unknown']);
    expect(lost.json()['operation']).toMatch(/^\/v1\/vms\/web\/operations\//);
  });

  it('whose deadline came while its node waited for the VM is unknown, and its operation tells later', async () => {
    const [a, b] = await Promise.all([scene.node('A'), scene.node('B')]);
    const machine = await scene.vm('web', b, [a]);
    machine.fake.on(change, () => null);
    const written = machine.fake.next(change);
    const late = await run(a, 'web', change, { headers: { 'Request-Timeout': '300ms' } });
    expect(refusalOf(late)).toEqual([504, 'deadline-exceeded', 'unknown']);
    const operation = String(late.json()['operation']);
    machine.fake.answer(await written, { return: { late: true } });
    await until('it has ended', async () => (await exchange(a, operation)).json()['state'] !== 'running');
    expect((await exchange(a, operation)).json()).toMatchObject({ state: 'done', return: { late: true } });
  });

  it('whose entry lost NATS after handing it over is unknown, and its operation tells when NATS is back', async () => {
    const proxy = await scene.start(FaultProxy.start(scene.nats.first.port), (made) => made.stop());
    const [a, b] = await Promise.all([
      scene.node('A', { servers: [`nats://127.0.0.1:${proxy.port}`] }),
      scene.node('B'),
    ]);
    const machine = await scene.vm('web', b, [a]);
    machine.fake.on(change, () => null);
    const written = machine.fake.next(change);
    const answer = run(a, 'web', change, '{}');
    const command = await written;
    proxy.cut();
    const lost = await answer;
    expect(refusalOf(lost)).toEqual([502, 'outcome-unknown', 'unknown']);
    machine.fake.answer(command, { return: { count: 1 } });
    const operation = String(lost.json()['operation']);
    await until('the operation is told', async () => (await exchange(a, operation)).status === 200);
    await until('it has ended', async () => (await exchange(a, operation)).json()['state'] !== 'running');
    expect(machine.received.filter(({ name }) => name === change)).toHaveLength(1);
  });
});
