import { NatsServers } from '@qmp-gateway/test-kit';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nextNdjsonEvents, openLines } from '../e2e/event-readers.js';
import { fakeMachine } from '../e2e/fake-machine.js';
import type { GatewayProcess } from '../e2e/gateway-process.js';
import { GatewayScene, makeToken } from '../e2e/gateway-scene.js';
import { exchange } from '../e2e/http-exchange.js';
import { pause } from './directory-nodes.js';

let scene: GatewayScene;
let nats: NatsServers;

beforeEach(async () => {
  scene = new GatewayScene();
  nats = await scene.start(NatsServers.start(), (servers) => servers.stop());
});
afterEach(() => scene.end());

type Row = Readonly<Record<string, unknown>>;

const node = (name: string, more: object = {}, state = scene.directory()): Promise<GatewayProcess> =>
  scene.gateway({
    state,
    settings: {
      fleet: { name: 'prod', node: name, servers: nats.urls, heartbeat: '300ms', unreachableAfter: '1500ms', ...more },
    },
  });

async function vmAt(gateway: GatewayProcess, id: string, labels: object = {}): Promise<void> {
  const { endpoint } = await fakeMachine(scene);
  const answer = await exchange(gateway, `/v1/vms/${id}`, {
    method: 'PUT',
    body: JSON.stringify({ endpoint, labels }),
  });
  expect(answer.status).toBe(201);
}

async function vms(gateway: GatewayProcess, query = ''): Promise<Row[]> {
  return (await exchange(gateway, `/v1/vms${query}`)).json()['vms'] as Row[];
}

const shown = (rows: readonly Row[]): string[] =>
  rows.map(({ id, node: at, state }) => `${String(id)}@${String(at)} ${String(state)}`);

/** Waits until the list of a gateway is this one. */
async function lists(gateway: GatewayProcess, expected: readonly string[]): Promise<Row[]> {
  const end = Date.now() + 15_000;
  for (;;) {
    const rows = await vms(gateway);
    if (shown(rows).join() === expected.join()) return rows;
    if (Date.now() > end) expect(shown(rows)).toEqual(expected);
    await pause(30);
  }
}

async function readiness(gateway: GatewayProcess, query = ''): Promise<[number, unknown]> {
  const answer = await exchange(gateway, `/readyz${query}`);
  return [answer.status, answer.json()['status']];
}

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  const end = Date.now() + 15_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not so: ${what}`);
    await pause(30);
  }
}

describe('the lists of a fleet', () => {
  it('are the same at every entry, but for what is of the moment', async () => {
    const [a, b] = await Promise.all([node('a'), node('b')]);
    await Promise.all([vmAt(a, 'vm-2'), vmAt(b, 'vm-1', { tenant: 'x' }), vmAt(b, 'vm-3')]);
    const expected = ['vm-1@b ready', 'vm-2@a ready', 'vm-3@b ready'];
    const [atA, atB] = [await lists(a, expected), await lists(b, expected)];
    const lasting = (rows: readonly Row[]): Row[] => rows.map(({ heard: _, inFlight: __, ...row }) => row);
    expect(lasting(atA)).toEqual(lasting(atB));
    expect(shown(await vms(a, '?node=b'))).toEqual(['vm-1@b ready', 'vm-3@b ready']);
    expect(shown(await vms(a, '?label=tenant%3Dx'))).toEqual(['vm-1@b ready']);
    // The position belongs to the list: nothing after it changes a row of it.
    const { cursor } = (await exchange(a, '/v1/vms')).json();
    const page = (await exchange(a, `/v1/events?event=vm-changed&after=${String(cursor)}`)).json();
    expect(page['events']).toEqual([]);
  });

  it('come in pages, all with the cursor of the first', async () => {
    const [a, b] = await Promise.all([node('a'), node('b')]);
    for (const id of ['vm-1', 'vm-3']) await vmAt(a, id);
    for (const id of ['vm-2', 'vm-4', 'vm-5']) await vmAt(b, id);
    await lists(a, ['vm-1@a ready', 'vm-2@b ready', 'vm-3@a ready', 'vm-4@b ready', 'vm-5@b ready']);
    const pages: string[][] = [];
    const cursors = new Set<unknown>();
    let query = '?limit=2';
    for (;;) {
      const page = (await exchange(a, `/v1/vms${query}`)).json();
      pages.push((page['vms'] as Row[]).map(({ id }) => String(id)));
      cursors.add(page['cursor']);
      if (page['continue'] === undefined) break;
      query = `?limit=2&continue=${encodeURIComponent(page['continue'] as string)}`;
      await vmAt(b, `vm-4-${pages.length}`);
    }
    expect(pages.flat().filter((id) => id.length === 4)).toEqual(['vm-1', 'vm-2', 'vm-3', 'vm-4', 'vm-5']);
    expect(cursors.size).toBe(1);
    const bad = await exchange(a, '/v1/vms?continue=x');
    expect(bad.status).toBe(400);
  });

  it('show reduced rows of other nodes to those below level configure, and only what they see', async () => {
    const [a, b] = await Promise.all([node('a'), node('b')]);
    await vmAt(b, 'vm-1', { tenant: 'x' });
    await vmAt(b, 'vm-2');
    await lists(a, ['vm-1@b ready', 'vm-2@b ready']);
    const token = makeToken(a, { level: 'read', vms: ['label:tenant=x'] });
    const headers = { Authorization: `Bearer ${token}` };
    const rows = (await exchange(a, '/v1/vms', { headers })).json()['vms'] as Row[];
    expect(shown(rows)).toEqual(['vm-1@b ready']);
    expect(rows[0]).not.toHaveProperty('endpoint');
    const nodes = (await exchange(a, '/v1/nodes', { headers })).json()['nodes'] as Row[];
    expect(nodes.map((each) => [each['node'], each['vms']])).toEqual([
      ['a', 0],
      ['b', 1],
    ]);
  });
});

describe('a gateway of a fleet', () => {
  it('that is killed leaves its VMs unreachable, which streams tell; it is back with new epochs', async () => {
    const state = scene.directory();
    const [a, b] = await Promise.all([node('a'), node('b', {}, state)]);
    await vmAt(b, 'vm-1');
    const [before] = await lists(a, ['vm-1@b ready']);
    const stream = await openLines(a, '/v1/events?event=vm-changed', 'application/x-ndjson');
    b.process.kill('SIGKILL');
    await once(b.process, 'close');
    const [event] = await nextNdjsonEvents(stream, 1);
    expect(event!.data).toMatchObject({ id: 'vm-1', state: 'unreachable', node: 'b' });
    const [row] = await lists(a, ['vm-1@b unreachable']);
    expect(row).toMatchObject({ health: null, runState: null });
    const nodes = (await exchange(a, '/v1/nodes')).json()['nodes'] as Row[];
    expect(nodes.map((each) => [each['node'], each['state'], each['vms']])).toEqual([
      ['a', 'reachable', 0],
      ['b', 'unreachable', 1],
    ]);

    await node('b', {}, state);
    const [after] = await lists(a, ['vm-1@b ready']);
    expect(after!['epoch']).not.toBe(before!['epoch']);
    stream.close();
  });

  it('that stops is gone, with its VMs', async () => {
    const [a, b] = await Promise.all([node('a'), node('b')]);
    await vmAt(b, 'vm-1');
    await lists(a, ['vm-1@b ready']);
    const stream = await openLines(a, '/v1/events?event=vm-removed', 'application/x-ndjson');
    await b.stop();
    await lists(a, []);
    const [event] = await nextNdjsonEvents(stream, 1);
    expect(event).toMatchObject({ vm: 'vm-1', event: 'vm-removed', data: { id: 'vm-1', node: 'b' } });
    expect((await exchange(a, '/v1/nodes')).json()['nodes']).toHaveLength(1);
    stream.close();
  });

  it('is removed by hand when it is gone for good, by level host only', async () => {
    const [a, b, c] = await Promise.all([node('a'), node('b'), node('c')]);
    await vmAt(b, 'vm-1');
    await lists(c, ['vm-1@b ready']);
    const remove = async (name: string, headers = {}): Promise<unknown> =>
      (await exchange(a, `/v1/nodes/${name}`, { method: 'DELETE', headers })).status;
    await lists(a, ['vm-1@b ready']);
    expect(await remove('b')).toBe(409);
    expect(await remove('a')).toBe(409);
    expect(await remove('nobody')).toBe(404);
    b.process.kill('SIGKILL');
    for (const each of [a, c]) await lists(each, ['vm-1@b unreachable']);
    const token = makeToken(a, { level: 'configure', vms: ['*'] });
    expect(await remove('b', { Authorization: `Bearer ${token}` })).toBe(403);
    expect(await remove('b')).toBe(204);
    for (const each of [a, c]) await lists(each, []);
  });

  it('serves its own VMs while NATS is away, and says what is', async () => {
    const [a, b] = await Promise.all([node('a'), node('b')]);
    await vmAt(a, 'vm-1');
    await vmAt(b, 'vm-2');
    await lists(a, ['vm-1@a ready', 'vm-2@b ready']);
    expect(await readiness(a, '?fleet=1')).toEqual([200, 'ok']);
    await nats.first.kill();
    await until(async () => (await readiness(a))[1] === 'degraded', 'degraded');
    expect(await readiness(a)).toEqual([200, 'degraded']);
    expect((await readiness(a, '?fleet=1'))[0]).toBe(503);
    expect((await exchange(a, '/livez')).status).toBe(200);
    await lists(a, ['vm-1@a ready', 'vm-2@b unreachable']);
    expect(await (await a.fetch('/metrics')).text()).toContain('qmpgw_fleet_connected 0');
    await nats.first.start();
    await lists(a, ['vm-1@a ready', 'vm-2@b ready']);
    await until(async () => (await readiness(a, '?fleet=1'))[0] === 200, 'ready');
    const metrics = await (await a.fetch('/metrics')).text();
    expect(metrics).toContain('qmpgw_fleet_connected 1');
    expect(metrics).toContain('qmpgw_fleet_nodes{state="reachable"} 1');
    expect(metrics).toMatch(/qmpgw_fleet_reconnects_total [1-9]/);
  });

  it('does not join under a name that another one has, and serves its own VMs', async () => {
    const a = await node('a');
    await until(async () => (await readiness(a, '?fleet=1'))[0] === 200, 'joined');
    const other = await node('a');
    await vmAt(other, 'vm-1');
    await until(async () => (await exchange(other, '/readyz')).json()['fleet'] === 'fleet-misconfigured', 'refused');
    const answer = await exchange(other, '/readyz?fleet=1');
    expect([answer.status, answer.json()['code']]).toEqual([503, 'fleet-misconfigured']);
    await until(() => Promise.resolve(other.stderr().includes('node-name-taken')), 'said in the log');
    await lists(other, ['vm-1@a ready']);
    expect(await vms(a)).toEqual([]);
    await a.stop();
    await until(async () => (await readiness(other, '?fleet=1'))[0] === 200, 'joined after the other one');
  });

  it('takes the tokens that another one made', async () => {
    const [a, b] = await Promise.all([node('a'), node('b')]);
    const answer = await exchange(a, '/v1/tokens', { method: 'POST', body: '{"level":"read","vms":["*"]}' });
    const { token, id } = answer.json() as { token: string; id: string };
    const status = async (): Promise<number> =>
      (await exchange(b, '/v1/vms', { headers: { Authorization: `Bearer ${token}` } })).status;
    await until(async () => (await status()) === 200, 'known at b');
    await exchange(b, `/v1/tokens/${id}`, { method: 'DELETE' });
    await until(
      async () => (await exchange(a, '/v1/vms', { headers: { Authorization: `Bearer ${token}` } })).status === 401,
      'revoked at a',
    );
  });
});
