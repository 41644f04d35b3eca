import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { change, echo, type FakeMachine } from '../e2e/fake-machine.js';
import type { GatewayProcess } from '../e2e/gateway-process.js';
import { run } from '../e2e/gateway-scene.js';
import { exchange, type Exchange, type ExchangeOptions } from '../e2e/http-exchange.js';
import { JsonRpcClient } from '../e2e/json-rpc-client.js';
import { FleetScene, isReadyAt, registerAt, rowOf, until } from './fleet-scene.js';

const scene = new FleetScene();
let a: GatewayProcess;
let b: GatewayProcess;
/** Served by B. */
let machine: FakeMachine;

beforeAll(async () => {
  await scene.startNats();
  [a, b] = await Promise.all([scene.node('A'), scene.node('B')]);
  machine = await scene.vm('web', b, [a]);
  await scene.vm('near', a, [b]);
});
afterAll(() => scene.end());

/** Headers that are of the moment, or of one connection. */
const ofTheMoment = ['date', 'x-request-id', 'server-timing', 'qmp-operation', 'qmp-event-cursor', 'location'];
const ofConnection = ['connection', 'keep-alive', 'transfer-encoding', 'qmp-node'];

function lasting({ headers }: Exchange): object {
  const left = Object.entries(headers).filter(([name]) => ![...ofTheMoment, ...ofConnection].includes(name));
  return Object.fromEntries(left);
}

/** Without the name that each problem has. */
function textOf({ text }: Exchange): string {
  return text.replace(/"urn:uuid:[0-9a-f-]{36}"/, '"urn:uuid:"');
}

/** Asks at both, and expects the same of both but what differs each time. @returns A's answer */
async function sameAtBoth(path: string, options: ExchangeOptions = {}): Promise<Exchange> {
  const [atA, atB] = [await exchange(a, path, options), await exchange(b, path, options)];
  expect([atA.status, textOf(atA), lasting(atA)]).toEqual([atB.status, textOf(atB), lasting(atB)]);
  expect([atA.headers['qmp-node'], atB.headers['qmp-node']]).toEqual(['B', undefined]);
  return atA;
}

describe('a VM that only another node serves', () => {
  it.each([
    ['by POST', `/v1/vms/web/qmp/${echo}`, { body: '{"integer":18446744073709551615,"text":"\\u00e4ö"}' }, 200],
    ['by GET', `/v1/vms/web/qmp/${echo}?integer=9007199254740993&flag=true`, {}, 200],
    ['by HEAD', `/v1/vms/web/qmp/${echo}`, { method: 'HEAD' }, 405],
    ['as a message', '/v1/vms/web/qmp', { body: `{"execute":"${echo}","arguments":{"text":"x"}}` }, 200],
    ['out of band', '/v1/vms/web/qmp', { body: '{"exec-oob":"query-yank"}' }, 200],
    ['that it does not have', '/v1/vms/web/qmp/query-nothing', { method: 'POST' }, 404],
    ['that may not be run by GET', '/v1/vms/web/qmp/stop', {}, 405],
    ['that is not well-formed', `/v1/vms/web/qmp/${echo}`, { body: '{"integer":' }, 400],
    ['whose arguments are wrong', `/v1/vms/web/qmp/${echo}`, { body: '{"integer":"x"}' }, 400],
    ['that is only tried', '/v1/vms/web/qmp/stop', { method: 'POST', headers: { 'Dry-Run': 'true' } }, 200],
    ['of an agent that it does not have', '/v1/vms/web/agent/guest-ping', { method: 'POST' }, 404],
    ['in another session', `/v1/vms/web/qmp/${echo}`, { method: 'POST', headers: { 'QMP-VM-Epoch': 'x.1' } }, 412],
  ] as const)('has the bytes of its owner for a command %s', async (_, path, options, status) => {
    expect((await sameAtBoth(path, options)).status).toBe(status);
  });

  it.each([
    ['itself', '/v1/vms/web'],
    ['itself, waited for', '/v1/vms/web?wait=1s'],
    ['its schema', '/v1/vms/web/schema'],
    ['its OpenAPI document', '/v1/vms/web/openapi.json'],
    ['its serial lines', '/v1/vms/web/serials'],
    ['its displays', '/v1/vms/web/displays'],
    ['a path that there is not', '/v1/vms/web/nothing'],
  ])('has the bytes of its owner for %s', async (_, path) => {
    await sameAtBoth(path);
  });

  it('has them where it is asked as a browser or a tool does', async () => {
    const tagged = await sameAtBoth('/v1/vms/web/openapi.json');
    const etag = String(tagged.headers.etag);
    expect((await sameAtBoth('/v1/vms/web/openapi.json', { headers: { 'If-None-Match': etag } })).status).toBe(304);
    const zipped = await exchange(a, '/v1/vms/web/openapi.json', { headers: { 'Accept-Encoding': 'gzip' } });
    expect([zipped.status, zipped.headers['content-encoding']]).toEqual([200, 'gzip']);
    const refused = await exchange(a, '/v1/vms/web', { method: 'PATCH' });
    expect([refused.status, refused.headers.allow]).toEqual([405, 'DELETE, GET, HEAD, PUT']);
  });

  it('keeps its operations at its owner, and they are read at any entry', async () => {
    const answer = await run(a, 'web', change, '{"text":"kept"}');
    const path = `/v1/vms/web/operations/${String(answer.headers['qmp-operation'])}`;
    expect((await sameAtBoth(path)).json()).toMatchObject({ state: 'done', command: change });
    const { operations } = (await sameAtBoth('/v1/vms/web/operations')).json() as { operations: { id: string }[] };
    expect(operations.map(({ id }) => id)).toContain(answer.headers['qmp-operation']);
    const waited = await sameAtBoth(`${path}?wait=1s`);
    expect(waited.status).toBe(200);
  });

  it('goes on behind an entry that did not wait, and the entry tells what became of it', async () => {
    let finish: (() => void) | undefined;
    machine.fake.on(change, () => new Promise((resolve) => (finish = () => resolve({ return: { done: 1 } }))));
    const headers = { Prefer: 'respond-async' };
    const answer = await exchange(a, `/v1/vms/web/qmp/${change}`, { body: '{}', headers });
    expect([answer.status, answer.headers['preference-applied']]).toEqual([202, 'respond-async']);
    const location = String(answer.headers.location);
    expect((await exchange(a, location)).json()).toMatchObject({ state: 'running' });
    await until('the command has arrived', () => Promise.resolve(finish !== undefined));
    const waiting = exchange(a, `${location}?wait=10s`);
    finish?.();
    expect((await waiting).json()).toMatchObject({ state: 'done', return: { done: 1 } });
    machine.fake.on(change, () => ({ json: '{}' }));
  });

  it('does once what is asked for twice with one key, whichever entry it comes by', async () => {
    machine.takeReceived();
    let count = 0;
    machine.fake.on(change, () => ({ return: { count: ++count } }));
    const options = { body: '{}', headers: { 'Idempotency-Key': 'once' } };
    // Each node has a root token of its own: the key is one caller's, so both are asked with A's.
    const first = await exchange(a, `/v1/vms/web/qmp/${change}`, options);
    const again = await exchange(a, `/v1/vms/web/qmp/${change}`, options);
    expect([first.text, again.text, again.headers['idempotency-replayed']]).toEqual([
      '{"count":1}',
      '{"count":1}',
      'true',
    ]);
    await until("B takes A's token", async () => (await exchange(b, '/v1/vms', asA())).status === 200);
    const atB = await exchange(b, `/v1/vms/web/qmp/${change}`, {
      ...options,
      headers: { ...options.headers, ...asA().headers },
    });
    expect([atB.status, atB.text, atB.headers['idempotency-replayed']]).toEqual([200, '{"count":1}', 'true']);
    expect(count).toBe(1);
    machine.fake.on(change, () => ({ json: '{}' }));
  });

  const asA = () => ({ headers: { Authorization: `Bearer ${a.token ?? ''}` } });

  it('is told of alike by both, with its node, in lists and in events', async () => {
    for (const gateway of [a, b]) expect(await rowOf(gateway, 'web')).toMatchObject({ node: 'B', state: 'ready' });
    const { cursor } = (await exchange(a, '/v1/vms')).json();
    const wanted = `/v1/events?event=vm-changed&vm=later&after=${String(cursor)}&wait=10s`;
    await scene.vm('later', b, [a]);
    const { events } = (await exchange(a, wanted)).json() as { events: { data: object }[] };
    expect(events[0]?.data).toMatchObject({ id: 'later', node: 'B' });
    expect((await exchange(b, '/v1/vms/later')).json()).toMatchObject({ node: 'B' });
  });

  it('is registered anew and forgotten by another entry, at its owner', async () => {
    await scene.vm('moved', b, [a]);
    const { endpoint } = machine;
    const other = await scene.vm('spare', b, [a]);
    expect(other.endpoint).not.toBe(endpoint);
    const definition = { endpoint: other.endpoint, labels: { made: 'at-a' } };
    await exchange(a, '/v1/vms/spare', { method: 'DELETE' });
    await until('spare is forgotten at A', async () => (await rowOf(a, 'spare')) === undefined);
    const put = await exchange(a, '/v1/vms/moved', { method: 'PUT', body: JSON.stringify(definition) });
    expect([put.status, put.headers['qmp-node']]).toEqual([200, 'B']);
    await until('its label', async () => (await rowOf(a, 'moved'))?.['state'] === 'ready');
    expect(await rowOf(b, 'moved')).toMatchObject({ labels: { made: 'at-a' }, endpoint: other.endpoint, node: 'B' });
    const { cursor } = (await exchange(a, '/v1/vms')).json();
    const gone = await exchange(a, '/v1/vms/moved', { method: 'DELETE' });
    expect([gone.status, gone.headers['qmp-node']]).toEqual([204, 'B']);
    const told = await exchange(a, `/v1/events?event=vm-removed&after=${String(cursor)}&wait=10s`);
    expect(told.json()).toMatchObject({ events: [{ vm: 'moved', data: { id: 'moved', node: 'B' } }] });
    expect((await exchange(b, '/v1/vms/moved')).status).toBe(404);
  });

  it('is registered at the node that is asked, where no node has it', async () => {
    const { endpoint } = await scene.vm('first', b, [a]);
    await exchange(b, '/v1/vms/first', { method: 'DELETE' });
    await until('it is forgotten at A', async () => (await rowOf(a, 'first')) === undefined);
    await registerAt(a, 'first', { endpoint });
    await isReadyAt(b, 'first');
    expect(await rowOf(b, 'first')).toMatchObject({ node: 'A' });
  });
});

describe('several VMs at several nodes', () => {
  it('are asked at once by any of them', async () => {
    for (const gateway of [a, b]) {
      const answer = await exchange(gateway, `/v1/qmp/${echo}?vm=web,near`, {
        body: '{"integer":9223372036854775807}',
      });
      const lines = answer.text.trimEnd().split('\n');
      const told = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
      expect(told.at(-1)).toEqual({ end: true, selected: 2, ok: 2, failed: 0 });
      expect(told.slice(0, -1).map(({ vm, status }) => [vm, status])).toEqual(
        expect.arrayContaining([
          ['web', 200],
          ['near', 200],
        ]),
      );
      expect(answer.text).toContain('{"integer":9223372036854775807}');
    }
  });

  it('are used over one JSON-RPC connection', async () => {
    const client = scene.keep(await JsonRpcClient.connect(a), (opened) => opened.close());
    const { result } = await client.request('vms', '{}');
    const { vms } = result as { vms: { id: string; node: string }[] };
    expect(vms.map(({ id, node }) => `${id}@${node}`)).toEqual(expect.arrayContaining(['near@A', 'web@B']));
    await client.request('subscribe', '{"vm":["web"],"event":["STOP"]}');
    for (const vm of ['web', 'near']) {
      const answer = await client.request(
        'execute',
        `{"vm":"${vm}","command":"${echo}","arguments":{"integer":18446744073709551615}}`,
      );
      expect(answer.text).toContain('18446744073709551615');
    }
    const refused = await client.request('execute', '{"vm":"web","command":"query-nothing"}');
    expect(refused.error?.data).toMatchObject({ code: 'command-not-found', vm: 'web' });
    await client.request('execute', '{"vm":"web","command":"stop"}');
    expect(await client.events(1)).toMatchObject([{ vm: 'web', event: 'STOP' }]);
  });
});
