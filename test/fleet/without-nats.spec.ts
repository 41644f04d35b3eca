import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeMachine } from '../e2e/fake-machine.js';
import { run } from '../e2e/gateway-scene.js';
import { exchange } from '../e2e/http-exchange.js';
import { FleetScene, isReadyAt, refusalOf, registerAt, rowOf, until } from './fleet-scene.js';

let scene: FleetScene;

beforeEach(async () => {
  scene = new FleetScene();
  await scene.startNats();
});
afterEach(() => scene.end());

describe('without NATS', () => {
  it('a node serves its own, tells what it knew of others, and is whole again afterwards', async () => {
    const [a, b] = await Promise.all([scene.node('A'), scene.node('B')]);
    await scene.vm('web', b, [a]);
    await scene.vm('near', a, [b]);
    await scene.nats.first.kill();
    await until('A has noticed', async () => (await run(a, 'web', 'stop')).status === 503);
    expect(refusalOf(await run(a, 'web', 'stop'))).toEqual([503, 'fleet-unavailable', 'not-sent']);
    expect((await run(a, 'near', 'stop')).status).toBe(200);
    expect((await exchange(a, '/v1/vms/web')).json()).toMatchObject({ id: 'web', node: 'B' });
    await until('it is unreachable', async () => (await rowOf(a, 'web'))?.['state'] === 'unreachable');
    expect((await exchange(a, '/readyz')).status).toBe(200);
    expect((await exchange(a, '/readyz?fleet=1')).status).toBe(503);
    expect((await exchange(a, '/livez')).status).toBe(200);
    await scene.nats.first.start();
    await until('it is ready again', async () => (await rowOf(a, 'web'))?.['state'] === 'ready');
    await until('it can be asked again', async () => (await run(a, 'web', 'stop')).status === 200);
  });

  it('a node starts and serves, and joins when NATS comes', async () => {
    await scene.nats.first.kill();
    const settings = { fleet: { name: 'prod', node: 'A', servers: scene.nats.urls, heartbeat: '300ms' } };
    const a = await scene.gateway({ settings });
    const { endpoint } = await fakeMachine(scene);
    await registerAt(a, 'own', { endpoint });
    expect((await run(a, 'own', 'query-status')).status).toBe(200);
    await scene.nats.first.start();
    await until('it has joined', async () => (await exchange(a, '/readyz?fleet=1')).status === 200, 30_000);
    const b = await scene.node('B');
    await isReadyAt(b, 'own');
  });
});
