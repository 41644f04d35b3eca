import { launchQemu } from '@qmp-gateway/test-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exchange } from '../e2e/http-exchange.js';
import { freePort } from '../e2e/reverse-proxy.js';
import { FleetScene, rowOf, until } from './fleet-scene.js';

let scene: FleetScene;

beforeEach(async () => {
  scene = new FleetScene();
  await scene.startNats();
});
afterEach(() => scene.end());

/** A real QEMU whose monitor takes one client at a time, at a port that all hosts reach. */
async function sharedMachine(): Promise<object> {
  const port = await freePort();
  const monitor = ['-chardev', `socket,id=far,host=127.0.0.1,port=${port},server=on,wait=off`];
  await scene.start(launchQemu({ args: [...monitor, '-mon', 'chardev=far,mode=control'] }), (qemu) => qemu.stop());
  return { vms: { far: { endpoint: `tcp:127.0.0.1:${port}`, shared: true } } };
}

describe('an endpoint that two nodes name', () => {
  it('is dialled by one; when that is gone, by the other, under a greater lease', async () => {
    const settings = await sharedMachine();
    const [a, entry] = [await scene.node('a', { settings }), await scene.node('entry')];
    await until('a has it', async () => (await rowOf(a, 'far'))?.['state'] === 'ready');
    const b = await scene.node('b', { settings });
    for (const gateway of [a, b, entry])
      await until('all know it', async () => (await exchange(gateway, '/v1/vms/far/qmp/query-status')).status === 200);
    expect((await exchange(b, '/v1/vms/far/qmp/query-status')).headers['qmp-node']).toBe('a');
    const before = await rowOf(b, 'far');
    expect(before).toMatchObject({ node: 'a', state: 'ready' });
    expect(before?.['epoch']).toMatch(new RegExp(`\\.${String(before?.['lease'])}$`));
    a.process.kill('SIGKILL');
    for (const gateway of [b, entry])
      await until('b has it', async () => (await rowOf(gateway, 'far'))?.['node'] === 'b');
    await until('it answers', async () => (await exchange(entry, '/v1/vms/far/qmp/query-status')).status === 200);
    const after = (await exchange(entry, '/v1/vms')).json() as { vms: { id: string; lease: number; node: string }[] };
    // The record of the node that was killed is there for a while: its row is not.
    expect(after.vms.map(({ id, node }) => [id, node])).toEqual([['far', 'b']]);
    expect(after.vms[0]?.lease).toBeGreaterThan(before?.['lease'] as number);
    expect((await exchange(entry, '/v1/vms/far/qmp/query-status')).headers['qmp-node']).toBe('b');
  });

  it('is given up at a stop, and had by the other at once', async () => {
    const settings = await sharedMachine();
    const a = await scene.node('a', { settings });
    await until('a has it', async () => (await rowOf(a, 'far'))?.['state'] === 'ready');
    const b = await scene.node('b', { settings });
    await until('b knows it', async () => (await rowOf(b, 'far'))?.['node'] === 'a');
    a.process.kill('SIGTERM');
    await until('b has it', async () => {
      const row = await rowOf(b, 'far');
      return row?.['node'] === 'b' && row['state'] === 'ready';
    });
    // Without its lease a VM of the settings is none that somebody else may register.
    const taken = await exchange(b, '/v1/vms/far', { method: 'PUT', body: '{"endpoint":"unix:/x"}' });
    expect([taken.status, taken.json()['code']]).toEqual([409, 'vm-managed']);
  });

  it('is not dialled by a node that cannot ask', async () => {
    const settings = await sharedMachine();
    await scene.nats.first.freeze();
    const lonely = await scene.gateway({
      settings: { fleet: { name: 'prod', node: 'lonely', servers: scene.nats.urls }, ...settings },
    });
    expect(await rowOf(lonely, 'far')).toBeUndefined();
    scene.nats.first.signal('SIGCONT');
    await until('it has it', async () => (await rowOf(lonely, 'far'))?.['state'] === 'ready');
  });
});

describe('a registration for another node', () => {
  it('is refused: it is made there', async () => {
    const [a] = [await scene.node('a'), await scene.node('b')];
    const answer = await exchange(a, '/v1/vms/new?node=b', { method: 'PUT', body: '{"endpoint":"unix:/nowhere"}' });
    expect([answer.status, answer.json()['code']]).toEqual([404, 'vm-not-found']);
    expect(answer.json()['detail']).toContain('registered at the node');
    expect(await rowOf(a, 'new')).toBeUndefined();
    const own = await exchange(a, '/v1/vms/new?node=a', { method: 'PUT', body: '{"endpoint":"unix:/nowhere"}' });
    expect(own.status).toBe(201);
  });
});
