import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { change, echo, type FakeMachine } from '../e2e/fake-machine.js';
import type { GatewayProcess } from '../e2e/gateway-process.js';
import { makeToken, run } from '../e2e/gateway-scene.js';
import { exchange, problemOf, type Exchange } from '../e2e/http-exchange.js';
import { FleetScene, until } from './fleet-scene.js';

const scene = new FleetScene();
/** `B` takes `operate` from other nodes at most; at `C` nothing of level `host` is run. */
let [a, b, c]: GatewayProcess[] = [];
let machine: FakeMachine;

beforeAll(async () => {
  await scene.startNats();
  [a, b, c] = await Promise.all([
    scene.node('A'),
    scene.node('B', { fleet: { maxLevel: 'operate' } }),
    scene.node('C', { settings: { hostCommands: false } }),
  ]);
  machine = await scene.vm('at-b', b, [a, c], { labels: { tier: 'one' } });
  await scene.vm('at-c', c, [a, b]);
});
afterAll(() => scene.end());

const bearer = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } });

/** Runs a command at A as the holder of a token. */
const as = (token: string, vm: string, command: string): Promise<Exchange> => run(a!, vm, command, bearer(token));

const audited = (gateway: GatewayProcess, part: string): Record<string, unknown>[] =>
  readFileSync(path.join(gateway.state, 'audit.log'), 'utf8')
    .split('\n')
    .filter((line) => line.includes(part))
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('what a caller may do with a VM of another node', () => {
  it('ends at its own level, which the owner sees to', async () => {
    const token = makeToken(a!, { level: 'read', vms: ['*'] });
    expect((await as(token, 'at-b', echo)).status).toBe(200);
    const refused = await as(token, 'at-b', change);
    expect([refused.status, refused.headers['qmp-node']]).toEqual([403, 'B']);
    expect(refused.json()).toMatchObject({ code: 'forbidden', outcome: 'not-sent' });
    expect(machine.takeReceived()).toEqual([echo]);
  });

  it('ends at the level that the owner takes from other nodes', async () => {
    const near = await run(b!, 'at-b', 'screendump', { args: '{"id":"x"}', headers: { 'Dry-Run': 'true' } });
    const far = await run(a!, 'at-b', 'screendump', { args: '{"id":"x"}', headers: { 'Dry-Run': 'true' } });
    expect([near.status, far.status]).toEqual([200, 403]);
    expect(problemOf(far)).toMatchObject({ code: 'forbidden' });
    expect((await run(a!, 'at-b', 'stop')).status).toBe(200);
    const removed = await exchange(a!, '/v1/vms/at-b', { method: 'DELETE' });
    expect([removed.status, removed.json()]).toMatchObject([403, { code: 'forbidden' }]);
  });

  it('ends at what the owner runs at all', async () => {
    const [near, far] = [
      await run(c!, 'at-c', 'screendump', '{"id":"x"}'),
      await run(a!, 'at-c', 'screendump', '{"id":"x"}'),
    ];
    expect([near.status, problemOf(near)]).toEqual([far.status, problemOf(far)]);
    expect(near.status).toBe(403);
  });

  it('is nothing where it does not see the VM', async () => {
    const token = makeToken(a!, { level: 'host', vms: ['at-c', 'label:tier=two'] });
    for (const resource of ['', '/qmp/query-status', '/operations', '/monitor', '/schema'])
      expect((await exchange(a!, `/v1/vms/at-b${resource}`, bearer(token))).status).toBe(404);
    const { vms } = (await exchange(a!, '/v1/vms', bearer(token))).json() as { vms: { id: string }[] };
    expect(vms.map(({ id }) => id)).toEqual(['at-c']);
    const byLabel = makeToken(a!, { level: 'host', vms: ['label:tier=one'] });
    expect((await as(byLabel, 'at-b', echo)).status).toBe(200);
  });

  it('has no commands that were taken from it', async () => {
    const token = makeToken(a!, { level: 'host', vms: ['*'], commands: { deny: ['__com.*'] } });
    expect((await as(token, 'at-b', echo)).status).toBe(403);
    expect((await as(token, 'at-b', 'query-status')).status).toBe(200);
  });

  it('is told by the owner, for a command with and without its arguments', async () => {
    const query = '/v1/access?vm=at-b&command=screendump';
    const [near, far] = [await exchange(b!, query), await exchange(a!, query)];
    expect([near.json()['allowed'], far.json()['allowed'], far.headers['qmp-node']]).toEqual([true, false, 'B']);
    expect(far.json()).toMatchObject({ level: 'operate' });
    const body = '{"vm":"at-b","command":"screendump","arguments":{"id":"x"}}';
    const asked = await exchange(a!, '/v1/access', { body });
    expect([asked.status, asked.json()['allowed'], asked.headers['qmp-node']]).toEqual([200, false, 'B']);
    const unknown = await exchange(a!, '/v1/access', { body: '{"vm":"at-b","command":"query-nothing"}' });
    expect(problemOf(unknown)).toMatchObject({ code: 'command-not-found', vm: 'at-b' });
    expect((await exchange(a!, '/v1/access', { body: '{"vm":"none","command":"stop"}' })).status).toBe(404);
  });

  it('is on record at both ends', async () => {
    const answer = await run(a!, 'at-b', change, {
      args: '{"text":"on record"}',
      headers: { 'X-Request-Id': 'recorded' },
    });
    const operation = answer.headers['qmp-operation'];
    await until('the line at both', () =>
      Promise.resolve([a!, b!].every((node) => audited(node, 'recorded').length > 0)),
    );
    expect(audited(a!, 'recorded')).toMatchObject([
      { entrance: 'fleet', node: 'B', vm: 'at-b', operation, status: 200 },
    ]);
    const lines = audited(b!, 'recorded');
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line).toMatchObject({ via: 'A', principal: expect.any(String), vm: 'at-b' });
  });

  it('is on record with the node for what the gateway runs for it', async () => {
    const headers = { 'X-Request-Id': 'by-keys' };
    await exchange(a!, '/v1/vms/at-c/keys', { body: '{"text":"x"}', headers });
    await exchange(a!, '/v1/vms/at-c/qom/machine', { headers });
    await until('its lines', () => Promise.resolve(audited(c!, 'by-keys').length > 0));
    for (const line of audited(c!, 'by-keys')) expect(line).toMatchObject({ via: 'A', entrance: 'resource' });
  });

  it('is on record with the node where a VM is registered or forgotten', async () => {
    const { endpoint } = await scene.vm('brief', c!, [a!]);
    const headers = { 'X-Request-Id': 'registered' };
    const put = await exchange(a!, '/v1/vms/brief', {
      ...{ method: 'PUT', headers },
      body: JSON.stringify({ endpoint, labels: { x: 'y' } }),
    });
    expect(put.status).toBe(200);
    expect((await exchange(a!, '/v1/vms/brief', { method: 'DELETE', headers })).status).toBe(204);
    const both = () => [a!, c!].every((node) => audited(node, 'registered').length === 2);
    await until('both lines at both', () => Promise.resolve(both()));
    for (const line of audited(c!, 'registered')) expect(line).toMatchObject({ via: 'A', vm: 'brief' });
    expect(audited(a!, 'registered')).toMatchObject([
      { node: 'C', method: 'PUT' },
      { node: 'C', method: 'DELETE' },
    ]);
  });
});
