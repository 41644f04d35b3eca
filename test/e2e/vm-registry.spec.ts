import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { fakeMachine, fakeMachineSettings } from './fake-machine.js';
import { GatewayScene, registerVm, run } from './gateway-scene.js';
import type { GatewayProcess } from './gateway-process.js';
import { exchange, problemOf, type Exchange } from './http-exchange.js';

const scene = new GatewayScene();

afterAll(() => scene.end());

function put(
  gateway: GatewayProcess,
  id: string,
  definition: object,
  headers: Record<string, string> = {},
): Promise<Exchange> {
  return exchange(gateway, `/v1/vms/${id}`, { method: 'PUT', body: JSON.stringify(definition), headers });
}

describe('the registry of VMs', () => {
  it('creates, replaces, keeps over a restart, and forgets', async () => {
    const state = path.join(scene.directory(), 'state');
    const machine = await fakeMachine(scene);
    const managed = { vms: { fixed: { endpoint: machine.endpoint } }, ...fakeMachineSettings };
    let gateway = await scene.gateway({ state, settings: managed });

    const definition = { endpoint: `unix:${scene.directory()}/a`, kind: 'qemu', labels: { tenant: 'a' } };
    const created = await put(gateway, 'a', definition, { 'If-None-Match': '*' });
    expect(created.status).toBe(201);
    expect(created.json()).toMatchObject({ id: 'a', source: 'api', labels: { tenant: 'a' }, inFlight: 0 });
    const again = await put(gateway, 'a', definition, { 'If-None-Match': '*' });
    expect(problemOf(again)).toMatchObject({ status: 409, code: 'vm-exists', vm: 'a' });
    expect((await put(gateway, 'a', { ...definition, labels: { tenant: 'b' } })).status).toBe(200);
    expect((await put(gateway, 'b', { endpoint: definition.endpoint })).status).toBe(201);
    expect((await exchange(gateway, '/v1/vms/b', { method: 'DELETE' })).status).toBe(204);

    for (const method of ['PUT', 'DELETE'])
      expect(
        problemOf(
          await exchange(gateway, '/v1/vms/fixed', {
            method,
            ...(method === 'PUT' ? { body: JSON.stringify(definition) } : {}),
          }),
        ),
      ).toMatchObject({ status: 409, code: 'vm-managed' });

    const { token } = gateway;
    expect(await gateway.stop()).toBe(0);
    gateway = await scene.gateway({ state, settings: managed });
    expect(gateway.token).toBe(token);
    const { vms } = (await exchange(gateway, '/v1/vms')).json() as { vms: Record<string, unknown>[] };
    expect(vms.map(({ id, source, labels }) => [id, source, labels])).toEqual([
      ['fixed', 'settings', {}],
      ['a', 'api', { tenant: 'b' }],
    ]);
    const { vms: selected } = (await exchange(gateway, '/v1/vms?label=tenant=b')).json() as { vms: { id: string }[] };
    expect(selected.map(({ id }) => id)).toEqual(['a']);
    const deleted = await exchange(gateway, '/v1/vms/a', { method: 'DELETE' });
    expect([deleted.status, deleted.text]).toEqual([204, '']);
    expect((await exchange(gateway, '/v1/vms/a')).json()).toMatchObject({ code: 'vm-not-found' });
    expect((await exchange(gateway, '/v1/vms/a', { method: 'DELETE' })).status).toBe(404);
  });

  it('keeps the session for new labels, and starts one for a new endpoint', async () => {
    const gateway = await scene.gateway({ settings: fakeMachineSettings });
    const [first, second] = [await fakeMachine(scene), await fakeMachine(scene)];
    await put(gateway, 'vm', { endpoint: first.endpoint });
    const before = await gateway.vmBecomes('vm', 'ready');
    const relabelled = await put(gateway, 'vm', { endpoint: first.endpoint, labels: { role: 'db' } });
    expect(relabelled.json()).toMatchObject({ state: 'ready', epoch: before['epoch'], labels: { role: 'db' } });
    expect(first.fake.accepted).toBe(1);

    const moved = await put(gateway, 'vm', { endpoint: second.endpoint, labels: { role: 'db' } });
    expect(moved.status).toBe(200);
    const after = await gateway.vmBecomes('vm', 'ready');
    expect(after['epoch']).not.toBe(before['epoch']);
    expect(after['endpoint']).toBe(second.endpoint);
    expect(second.fake.accepted).toBe(1);
    expect(first.fake.connections).toHaveLength(0);

    await exchange(gateway, '/v1/vms/vm', { method: 'DELETE' });
    const page = await exchange(gateway, '/v1/events?event=vm-removed&wait=5s');
    expect(page.json()).toMatchObject({ events: [{ vm: 'vm', event: 'vm-removed' }] });
  });

  it('tells how the work of a VM ended before it tells that the VM is gone, and nothing after', async () => {
    const gateway = await scene.gateway({ settings: fakeMachineSettings });
    const machine = await fakeMachine(scene);
    const vm = await registerVm(gateway, machine.endpoint);
    const stopped = await run(gateway, vm, 'stop');
    expect((await exchange(gateway, `/v1/vms/${vm}`, { method: 'DELETE' })).status).toBe(204);
    const { events } = (await exchange(gateway, '/v1/events?after=oldest')).json() as {
      events: { event: string; data: Record<string, unknown> }[];
    };
    expect(events.slice(-2)).toMatchObject([
      { event: 'operation', data: { id: stopped.headers['qmp-operation'], state: 'lost' } },
      { event: 'vm-removed' },
    ]);
  });

  it('lists by pages, in the order of ids, while VMs come and go', async () => {
    const gateway = await scene.gateway();
    const ids = ['b', 'B', 'a.1', 'a-1', 'c'];
    for (const id of ids) await put(gateway, id, { endpoint: 'unix:/nowhere/a' });
    const page = async (query: string) => (await exchange(gateway, `/v1/vms?${query}`)).json();
    const idsOf = ({ vms }: Record<string, unknown>) => (vms as { id: string }[]).map(({ id }) => id);
    const first = await page('limit=2');
    expect(idsOf(first)).toEqual(['B', 'a-1']);
    await exchange(gateway, '/v1/vms/a.1', { method: 'DELETE' });
    await put(gateway, 'a', { endpoint: 'unix:/nowhere/a' });
    const second = await page(`limit=2&continue=${encodeURIComponent(first['continue'] as string)}`);
    expect(idsOf(second)).toEqual(['b', 'c']);
    expect(second).not.toHaveProperty('continue');
    expect(second['cursor']).toBe(first['cursor']);
    expect(idsOf(await page('limit=1&vm=c'))).toEqual(['c']);
    for (const row of second['vms'] as object[]) expect(row).not.toHaveProperty('node');
    for (const query of ['limit=0', 'limit=10001', 'continue=a', 'continue=a.1~-x~n'])
      expect((await exchange(gateway, `/v1/vms?${query}`)).status).toBe(400);
  });

  it('refuses what is no VM, with all faults', async () => {
    const gateway = await scene.gateway();
    const cases: [string, object, string[]][] = [
      ['x', {}, ['/endpoint']],
      ['x', { endpoint: 'unix:relative', kind: 'vmware', label: {} }, ['/endpoint', '/kind', '/label']],
      ['x', { endpoint: `unix:/${'p'.repeat(120)}` }, ['/endpoint']],
      ['x', { endpoint: 'tcp:192.0.2.1:4444' }, ['/endpoint']],
      ['x', { endpoint: 'unix:/a', labels: { a: 1 } }, ['/labels/a']],
      ['x', { endpoint: 'unix:/a', insecure: true }, ['/insecure']],
    ];
    for (const [id, definition, pointers] of cases) {
      const answer = await put(gateway, id, definition);
      expect([answer.status, answer.json()['code']]).toEqual([400, 'invalid-request']);
      const errors = answer.json()['errors'] as { pointer: string }[];
      expect(errors.map(({ pointer }) => pointer).sort()).toEqual(pointers);
    }
    for (const id of ['-a', '.a', 'a%20b', 'a'.repeat(129)])
      expect((await put(gateway, id, { endpoint: 'unix:/a' })).status).toBe(400);
    expect((await exchange(gateway, '/v1/vms')).json()['vms']).toEqual([]);
  });
});
