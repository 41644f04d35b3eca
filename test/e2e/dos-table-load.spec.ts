/** Denial of service by how much and how often: connections, streams, events, expensive commands, VMs that misbehave. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { FakeMonitor, RawWebSocket } from '@qmp-gateway/test-kit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { change, fakeMachine, fakeMachineSettings, type FakeMachine } from './fake-machine.js';
import type { GatewayProcess } from './gateway-process.js';
import { sumOf } from './fault-scene.js';
import { GatewayScene, makeToken, registerVm, run } from './gateway-scene.js';
import { GoodClient, probedMemory } from './good-client.js';
import { exchange } from './http-exchange.js';
import { JsonRpcClient } from './json-rpc-client.js';

const connections = 400;
const scene = new GatewayScene();
let gateway: GatewayProcess;
let attacked: FakeMachine;
let vm: string;
let good: GoodClient;
let attack: string;
/** Credentials of whoever attacks: valid ones. */
let attacker: GatewayProcess;

beforeAll(async () => {
  gateway = await scene.gateway({
    settings: { ...fakeMachineSettings, limits: { connections, queue: 40 }, history: { events: 1000, bytes: '1MiB' } },
    env: probedMemory,
  });
  attacked = await fakeMachine(scene);
  vm = await registerVm(gateway, attacked.endpoint);
  good = new GoodClient(gateway, await registerVm(gateway, (await fakeMachine(scene)).endpoint), change);
  attacker = { ...gateway, token: makeToken(gateway, { level: 'operate', vms: ['*'] }) };
});
afterAll(() => scene.end());
beforeEach(async ({ task }) => {
  attack = task.name;
  await good.before();
});
/** Ends what a test has opened, and resolves when it is gone. */
const endings: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(endings.splice(0).map((end) => end()));
  await good.afterwards(attack);
  expect(gateway.log().filter(({ level }) => Number(level) >= 50)).toEqual([]);
});

const openSocket = (): Socket => {
  const { hostname, port } = new URL(gateway.url);
  const socket = connect(Number(port), hostname).on('error', () => undefined);
  endings.push(() => allGone([socket.destroy()]));
  return socket;
};
const openRpc = async (): Promise<JsonRpcClient> => {
  const client = await JsonRpcClient.connect(attacker);
  endings.push(() => {
    client.close();
    return client.closed;
  });
  return client;
};
const allGone = (sockets: readonly Socket[]) =>
  Promise.all(sockets.filter(({ closed }) => !closed).map((socket) => once(socket, 'close')));

/** A request for a stream of events, on a connection that is never read from. */
async function stuckReader(path: string): Promise<Socket> {
  const socket = openSocket().pause();
  await once(socket, 'connect');
  const head = [`GET ${path} HTTP/1.1`, `Host: ${new URL(gateway.url).host}`, 'Accept: text/event-stream'];
  socket.write([...head, `Authorization: Bearer ${attacker.token ?? ''}`, '\r\n'].join('\r\n'));
  return socket;
}

/** How many events so far: `in`, `delivered`, `dropped` */
async function eventCount(what: string): Promise<number> {
  const { text } = await exchange(gateway, '/metrics');
  return sumOf(text, `qmpgw_events_total\\{what="${what}"\\}`);
}

const eventLines = (count: number, bytes: number) => {
  const pad = 'x'.repeat(bytes);
  const line = (n: number) =>
    `{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "FLOOD", "data": {"n": ${n}, "pad": "${pad}"}}\r\n`;
  return Buffer.from(Array.from({ length: count }, (_, n) => line(n)).join(''));
};

/** Floods from the attacked VM, and waits until the gateway has read it all. */
async function flood(rounds: number, lines: Buffer, events: number): Promise<void> {
  const before = await eventCount('in');
  const [connection] = attacked.fake.connections;
  for (let round = 0; round < rounds; round++) {
    if (connection?.socket.write(lines) === false) await once(connection.socket, 'drain');
    if (round === rounds >> 1) await good.isServed('during');
  }
  await expect.poll(() => eventCount('in'), { timeout: 40_000 }).toBeGreaterThanOrEqual(before + rounds * events);
}

describe('connections', () => {
  it('by the thousand that say nothing push out nobody who has credentials', async () => {
    const stream = await stuckReader('/v1/events');
    const idle: Socket[] = [];
    for (let wave = 0; wave < 10; wave++) {
      const sockets = Array.from({ length: connections }, openSocket);
      idle.push(...sockets);
      await Promise.all(sockets.map((socket) => once(socket, 'connect').catch(() => undefined)));
      await good.isServed(`wave ${wave}`);
    }
    await allGone(idle.slice(0, -connections));
    expect(stream.closed).toBe(false);
  });

  it('of one principal, all it can get, leave half to the others', async () => {
    const held: Socket[] = [];
    for (let n = 0; n < connections; n++) held.push(await stuckReader('/v1/events?event=NONE'));
    // Those that were refused were closed with an answer.
    const refused = held.slice(connections / 2);
    for (const socket of refused) socket.resume();
    await allGone(refused);
    await good.isServed('during');
    expect((await exchange(attacker, '/v1/vms')).json()).toMatchObject({ code: 'too-many-requests', retryable: true });
  });
});

describe('streams', () => {
  it('that are never read cost their budget and no more', async () => {
    await Promise.all(Array.from({ length: 30 }, (_, n) => stuckReader(`/v1/events?vm=${vm}&event=F*,X${n}`)));
    for (let n = 0; n < 10; n++) {
      const socket = await RawWebSocket.connect(
        `${gateway.url.replace('http', 'ws')}/v1/ws`,
        ['qmp-gateway.v1'],
        { Authorization: `Bearer ${attacker.token ?? ''}` },
        () => undefined,
      );
      socket.send(`{"jsonrpc":"2.0","id":1,"method":"subscribe","params":{"vm":"${vm}","event":["F*","Y${n}"]}}`);
      socket.socket.pause();
      endings.push(() => socket.destroy());
    }
    await flood(60, eventLines(1000, 1000), 1000);
    expect(await eventCount('dropped')).toBeGreaterThan(0);
  });

  it('are bounded: a hundred of a connection, half of all of a principal', async () => {
    let held = 0;
    let refusal: unknown;
    while (refusal === undefined) {
      const client = await openRpc();
      let answers = 0;
      for (; answers < 101 && refusal === undefined; answers++) {
        const { error } = await client.request('subscribe', `{"vm":"${vm}"}`);
        if (error === undefined) held++;
        else if (answers === 100) expect(error.data).toMatchObject({ code: 'too-many-requests' });
        else refusal = error.data?.['code'];
      }
    }
    expect(refusal).toBe('too-many-requests');
    expect(held).toBe(connections / 2);
    await flood(5, eventLines(500, 100), 500);
    await good.isServed('with all of them');
  });
});

describe('virtual machines', () => {
  it('that flood cost nobody else', async () => {
    await flood(100, eventLines(2000, 50), 2000);
  });

  it('that send odd bytes without end fill no log', async () => {
    const [connection] = attacked.fake.connections;
    const before = gateway.stderr().length;
    const counted = () => exchange(gateway, '/metrics').then(({ text }) => text);
    const lines = Buffer.from('{"return": {}, "id": "stranger"}\r\n'.repeat(20_000));
    if (connection?.socket.write(lines) === false) await once(connection.socket, 'drain');
    await good.isServed('during');
    const anomalies = new RegExp(`^qmpgw_vm_anomalies_total\\{vm="${vm}",kind="foreign-reply"\\} 20000$`, 'm');
    await expect.poll(counted, { timeout: 20_000 }).toMatch(anomalies);
    expect(gateway.stderr().length - before).toBeLessThan(20_000);
  });

  it('that are gone, or close at once, are dialled again and again, and cost nobody else', async () => {
    const closing = scene.keep(await FakeMonitor.start({ connected: ({ socket }) => socket.destroy() }), (fake) =>
      fake.stop(),
    );
    const { endpoint } = closing;
    if (endpoint.kind !== 'unix') throw new Error('a fake listens on a unix socket');
    const ids = Array.from({ length: 200 }, (_, n) => `storm-${n}`);
    for (const [n, id] of ids.entries()) {
      const body = JSON.stringify({
        endpoint: n % 2 === 0 ? `unix:${endpoint.path}` : `unix:${endpoint.path}-none-${n}`,
      });
      expect((await exchange(gateway, `/v1/vms/${id}`, { method: 'PUT', body })).status).toBe(201);
    }
    await expect.poll(() => closing.accepted, { timeout: 30_000 }).toBeGreaterThan(500);
    await good.isServed('during');
    await Promise.all(ids.map((id) => exchange(gateway, `/v1/vms/${id}`, { method: 'DELETE' })));
  });
});

describe('commands', () => {
  it('that cost a real VM much leave others their turn, and the queue its bound', async () => {
    const qemu = await scene.qemu();
    const real = await registerVm(gateway, `unix:${qemu.socket}`);
    const sent = { headers: { 'Request-Timeout': '60s' } };
    const rpcs = await Promise.all(Array.from({ length: 2 }, openRpc));
    const params = JSON.stringify({ vm: real, command: 'query-qmp-schema', timeout: 60 });
    const answers = rpcs.flatMap((rpc) => Array.from({ length: 50 }, () => rpc.request('execute', params)));
    const began = performance.now();
    const mine = await run(gateway, real, 'query-status', { headers: sent.headers });
    process.stdout.write(`  on the attacked VM itself ${(performance.now() - began).toFixed(0)} ms\n`);
    expect(mine.status).toBe(200);
    await good.isServed('during');
    const codes = (await Promise.all(answers)).map(({ error }) => error?.data?.['code'] ?? 'done');
    expect(codes.filter((code) => code === 'queue-full').length).toBeGreaterThan(0);
    expect(new Set(codes)).toEqual(new Set(['done', 'queue-full']));
    await exchange(gateway, `/v1/vms/${real}`, { method: 'DELETE' });
  });
});
