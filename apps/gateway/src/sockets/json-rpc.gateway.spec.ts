import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Logger } from '@nestjs/common';
import { ManualClock, RawWebSocket } from '@qmp-gateway/test-kit';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { Principal } from '../access/principal.js';
import type { CommandAnswer, CommandRequest } from '../commands/command-request.js';
import { ReplyBudget } from '../commands/reply-budget.js';
import { EventHub } from '../events/event-hub.js';
import { Problem, problemBody } from '../problems/problem.js';
import { JsonRpcGateway } from './json-rpc.gateway.js';
import { QmpWsAdapter } from './qmp-ws-adapter.js';
import type { SocketParts } from './socket-connection.js';
import { socketProviders } from './socket-providers.js';
import { SocketRouter } from './socket-router.js';
import { vmNotFound } from '../vms/vm-registry.js';

interface Message {
  id: unknown;
  result?: unknown;
  error?: unknown;
  method?: string;
  params?: unknown;
}

class SocketsModule {
  readonly purpose = 'a place for the providers';
}

const replies = new ReplyBudget({ replyBytes: 1 });
/** The time a client may take nothing; 60 s in the gateway. */
const stuckMs = 500;

let hub: EventHub;
let router: SocketRouter;
let server: Server;
let valid: boolean;
let parts: SocketParts;
let clock: ManualClock;
let commands: { request: CommandRequest; answer: (answer: CommandAnswer) => void }[];
/** Answers commands at once when set. */
let instant: ((request: CommandRequest) => string) | undefined;
const clients: WebSocket[] = [];

beforeEach(async () => {
  hub = new EventHub({
    run: 'r1',
    subscriber: { events: 100, bytes: 200_000, allBytes: 1e9, stuckMs, bookmarkMs: 15_000 },
  });
  commands = [];
  instant = undefined;
  valid = true;
  const principal = new Principal('p', 'p', { level: 'host', vms: ['*'] }, () => valid);
  clock = new ManualClock();
  parts = {
    clock,
    leavers: new Set(),
    hub,
    path: {
      execute: (request, answer) => {
        commands.push({ request, answer });
        if (instant !== undefined) answer({ ok: true, json: Buffer.from(instant(request)), trace: {} });
      },
    },
    directory: {
      find: (id) => (id === 'a' ? { id, labels: {} } : undefined),
      list: (_principal, selector) => [`{"selected":${JSON.stringify(selector.vms)}}`],
      notFound: (_principal, id) => vmNotFound(id),
    },
    registry: { get: () => undefined },
  };
  router = new SocketRouter(parts);
  server = createServer().listen(0, '127.0.0.1');
  server.on('upgrade', (request, socket, head) => {
    const [path = '', query = ''] = (request.url ?? '').split('?');
    const context = { principal, requestId: 'req', arrivedAt: 0, path, query, answerHeaders: {}, replies };
    const problem = router.route(request, socket, head, context);
    if (problem === undefined) return;
    socket.end(
      `HTTP/1.1 ${problem.status} Refused\r\nConnection: close\r\n\r\n${JSON.stringify(problemBody(problem))}`,
    );
  });
  const gateway = new JsonRpcGateway(parts);
  router
    .serverOf('/v1/ws')
    .on('connection', (client, connection) => gateway.handleConnection(client, connection as never));
  await once(server, 'listening');
});

afterEach(() => {
  for (const client of clients.splice(0)) client.terminate();
  hub.closeAll();
  router.terminate();
  server.close();
});

const address = (path: string) => `ws://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;

async function open(protocols: string[] = ['qmp-gateway.v1'], path = '/v1/ws'): Promise<WebSocket> {
  const client = new WebSocket(address(path), protocols);
  clients.push(client);
  await once(client, 'open');
  return client;
}

/** Sends texts and resolves with as many messages. */
async function exchange(client: WebSocket, texts: readonly string[], count = texts.length): Promise<string[]> {
  const received: string[] = [];
  const enough = new Promise<void>((resolve) => {
    client.on('message', (data: Buffer) => {
      received.push(data.toString());
      if (received.length >= count) resolve();
    });
  });
  for (const text of texts) client.send(text);
  await enough;
  client.removeAllListeners('message');
  return received;
}

async function call(client: WebSocket, method: string, params?: unknown): Promise<Message> {
  const [text = ''] = await exchange(client, [JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })]);
  return JSON.parse(text) as Message;
}

const closed = async (client: WebSocket): Promise<number> => ((await once(client, 'close')) as [number])[0];

const publish = (vm: string, name: string, data?: string) =>
  hub.publish({ id: vm, labels: {}, epoch: 'r1.1' }, { name, data, timestamp: '{}', receivedAt: 0 });

describe('the upgrade', () => {
  it('selects our sub-protocol and never one that carries a token', async () => {
    expect((await open(['bearer.secret', 'qmp-gateway.v1'])).protocol).toBe('qmp-gateway.v1');
    expect((await open([])).protocol).toBe('');
  });

  it.each([
    ['/v1/elsewhere', 404, 'route-not-found'],
    ['/v1/ws?token=x', 400, 'invalid-request'],
    ['/v1/vms/unknown/monitor', 404, 'vm-not-found'],
  ])('is refused at %s', async (path, status, code) => {
    const client = new WebSocket(address(path));
    const [, response] = (await once(client, 'unexpected-response')) as [
      unknown,
      AsyncIterable<Buffer> & { statusCode: number },
    ];
    expect(response.statusCode).toBe(status);
    let text = '';
    for await (const chunk of response) text += chunk.toString();
    expect(JSON.parse(text)).toMatchObject({ code });
  });

  it('works under Nest, through its adapter', async () => {
    Logger.overrideLogger(false);
    const module = { module: SocketsModule, providers: socketProviders(parts) };
    const nest = await NestFactory.create(module, new ExpressAdapter());
    const own = new SocketRouter(parts);
    nest.useWebSocketAdapter(new QmpWsAdapter(own));
    await nest.init();
    router = own;
    expect(await call(await open(), 'ping')).toEqual({ jsonrpc: '2.0', id: 1, result: {} });
    await nest.close();
  });
});

describe('execute', () => {
  it('hands the command on and brings the value back byte for byte', async () => {
    instant = () => '{"n": 18446744073709551615, "f": 1.50}';
    const client = await open();
    const request =
      '{"jsonrpc":"2.0","id":7,"method":"execute","params":{"vm":"a","command":"x","arguments":{"big": 9223372036854775807},' +
      '"oob":true,"timeout":"500ms","dryRun":false,"int64":"string","idempotencyKey":"k","epoch":"r1.1"}}';
    expect(await exchange(client, [request])).toEqual([
      '{"jsonrpc":"2.0","id":7,"result":{"n": 18446744073709551615, "f": 1.50}}',
    ]);
    expect(commands[0]?.request).toMatchObject({
      entrance: 'json-rpc',
      vm: 'a',
      command: 'x',
      arguments: { kind: 'json', json: '{"big": 9223372036854775807}' },
      outOfBand: true,
      timeoutMs: 500,
      dryRun: false,
      int64: 'string',
      idempotencyKey: 'k',
      epoch: 'r1.1',
    });
  });

  it('takes seconds as a number', async () => {
    instant = () => '{}';
    await call(await open(), 'execute', { vm: 'a', command: 'x', timeout: 2.5 });
    expect(commands[0]?.request.timeoutMs).toBe(2500);
    expect(commands[0]?.request.arguments).toEqual({ kind: 'none' });
  });

  it.each(['1', '1.50', '-0', '"a\\u0041"', 'null', '123456789012345678901234567890'])(
    'echoes the id %s',
    async (id) => {
      instant = () => '{}';
      const client = await open();
      const text = `{"jsonrpc":"2.0","id":${id},"method":"ping"}`;
      expect(await exchange(client, [text])).toEqual([`{"jsonrpc":"2.0","id":${id},"result":{}}`]);
    },
  );

  it('answers pipelined requests in the order they are done', async () => {
    const client = await open();
    const texts = [1, 2, 3].map((id) =>
      JSON.stringify({ jsonrpc: '2.0', id, method: 'execute', params: { vm: 'a', command: 'x' } }),
    );
    const answers = exchange(client, texts);
    while (commands.length < 3) await new Promise((resolve) => setImmediate(resolve));
    for (const index of [2, 0, 1]) commands[index]!.answer({ ok: true, json: Buffer.from(String(index)), trace: {} });
    expect((await answers).map((text) => (JSON.parse(text) as { id: number }).id)).toEqual([3, 1, 2]);
  });

  it('tells a problem in data', async () => {
    const client = await open();
    const answer = call(client, 'execute', { vm: 'a', command: 'x' });
    while (commands.length < 1) await new Promise((resolve) => setImmediate(resolve));
    commands[0]!.answer({ ok: false, problem: new Problem('forbidden', 'Needs level host.'), trace: {} });
    expect(await answer).toMatchObject({
      error: { code: -32000, message: 'Needs level host.', data: { code: 'forbidden', status: 403 } },
    });
  });

  it('reads no further while 256 are unanswered, and loses none', async () => {
    const client = await open();
    const texts = Array.from({ length: 1000 }, (_, id) =>
      JSON.stringify({ jsonrpc: '2.0', id, method: 'execute', params: { vm: 'a', command: 'x' } }),
    );
    const answers = exchange(client, texts);
    while (commands.length < 256) await new Promise((resolve) => setImmediate(resolve));
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(commands).toHaveLength(256);
    for (let i = 0; i < 1000; i++) {
      while (commands.length <= i) await new Promise((resolve) => setImmediate(resolve));
      commands[i]!.answer({ ok: true, json: Buffer.from('{}'), trace: {} });
    }
    expect((await answers).map((text) => (JSON.parse(text) as { id: number }).id)).toEqual(texts.map((_, id) => id));
  });

  it('reads no further while the client takes no answers', async () => {
    const big = JSON.stringify('x'.repeat(1024 * 1024));
    instant = () => big;
    const client = await open();
    client.pause();
    const text = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'execute', params: { vm: 'a', command: 'x' } });
    // Filled up beyond what a socket holds, so that later requests come in chunks of their own.
    for (let i = 0; i < 100; i++) {
      client.send(text);
      await new Promise((resolve) => setImmediate(resolve));
    }
    let before = -1;
    while (commands.length > before) {
      before = commands.length;
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(commands.length).toBeLessThan(60);
    let received = 0;
    const all = new Promise<void>((resolve) => client.on('message', () => ++received === 100 && resolve()));
    client.resume();
    await all;
    expect(commands).toHaveLength(100);
  });
});

describe('bad requests', () => {
  it.each([
    ['{"jsonrpc":"2.0",', -32700, null],
    ['{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', -32700, null],
    ['[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600, null],
    ['"ping"', -32600, null],
    ['{"jsonrpc":"2.0","id":{},"method":"ping"}', -32600, null],
    ['{"id":1,"method":"ping"}', -32600, 1],
    ['{"jsonrpc":"2.0","id":1}', -32600, 1],
    ['{"jsonrpc":"2.0","id":1,"method":"toString"}', -32601, 1],
    ['{"jsonrpc":"2.0","id":1,"method":"execute"}', -32602, 1],
    ['{"jsonrpc":"2.0","id":1,"method":"execute","params":["a","x"]}', -32602, 1],
    ['{"jsonrpc":"2.0","id":1,"method":"execute","params":{"vm":1,"command":"x"}}', -32602, 1],
    ['{"jsonrpc":"2.0","id":1,"method":"execute","params":{"vm":"a","command":"x","timeout":"soon"}}', -32602, 1],
    ['{"jsonrpc":"2.0","id":1,"method":"execute","params":{"vm":"a","command":"x","timeout":-1}}', -32602, 1],
    ['{"jsonrpc":"2.0","id":1,"method":"subscribe","params":{"after":"nonsense"}}', -32602, 1],
    ['{"jsonrpc":"2.0","id":1,"method":"subscribe","params":{"vm":[1]}}', -32602, 1],
    ['{"jsonrpc":"2.0","id":1,"method":"unsubscribe","params":{"subscription":1}}', -32602, 1],
    ['{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":1}}', -32602, 1],
  ])('%s', async (text, code, id) => {
    const [answer = ''] = await exchange(await open(), [text]);
    expect(JSON.parse(answer)).toMatchObject({ jsonrpc: '2.0', id, error: { code } });
    expect(commands).toHaveLength(0);
  });

  it('names the nearest parameter', async () => {
    const { error } = await call(await open(), 'execute', { vm: 'a', comand: 'x' });
    expect(error).toMatchObject({
      data: { errors: [{ pointer: '/comand', suggestions: ['command'] }, { pointer: '/command' }] },
    });
  });

  it('get no answer without an id', async () => {
    const client = await open();
    const texts = [
      '{"jsonrpc":"2.0","method":"nope"}',
      '{"jsonrpc":"2.0","method":"ping"}',
      '{"jsonrpc":"2.0","id":9,"method":"ping"}',
    ];
    expect(await exchange(client, texts, 1)).toEqual(['{"jsonrpc":"2.0","id":9,"result":{}}']);
  });

  it('close the connection when they are too big, or no text', async () => {
    const big = await open();
    big.send(' '.repeat(1024 * 1024 + 1));
    expect(await closed(big)).toBe(1009);
    const binary = await open();
    binary.send(Buffer.from('{}'));
    expect(await closed(binary)).toBe(1008);
  });
});

describe('subscriptions', () => {
  it('are numbered and bring what they ask for, after their answer', async () => {
    publish('a', 'EARLY');
    const client = await open();
    const subscribe = (id: number, params: unknown) =>
      JSON.stringify({ jsonrpc: '2.0', id, method: 'subscribe', params });
    const texts = [
      subscribe(1, { vm: 'a', after: 'oldest' }),
      subscribe(2, { event: ['STOP', 'RESET'], int64: 'string' }),
    ];
    const first = (await exchange(client, texts, 3)).map((text) => JSON.parse(text) as Message);
    expect(first.filter(({ result }) => result !== undefined).map(({ result }) => result)).toEqual([
      { subscription: 1, cursor: 'r1.0' },
      { subscription: 2, cursor: 'r1.1' },
    ]);
    expect(first.find(({ method }) => method !== undefined)).toMatchObject({
      method: 'event',
      params: { subscription: 1, event: 'EARLY' },
    });
    const events = exchange(client, [], 3);
    publish('a', 'STOP', '{"n":9007199254740993}');
    publish('b', 'STOP', '{"n":9007199254740993}');
    const told = (await events).map((text) => text.slice(text.indexOf('"params"')));
    expect(told).toContainEqual(expect.stringMatching(/"subscription":1,"cursor":"r1.2".*"n":9007199254740993/));
    expect(told).toContainEqual(expect.stringMatching(/"subscription":2,"cursor":"r1.2".*"n":"9007199254740993"/));
    expect(told).toContainEqual(expect.stringMatching(/"subscription":2,"cursor":"r1.3"/));
  });

  it('end when asked', async () => {
    const client = await open();
    await call(client, 'subscribe', {});
    expect(hub.stats.subscribers).toBe(1);
    expect(await call(client, 'unsubscribe', { subscription: 1 })).toMatchObject({ result: {} });
    expect(hub.stats.subscribers).toBe(0);
    expect(await call(client, 'subscribe', {})).toMatchObject({ result: { subscription: 2 } });
  });

  it('end with their connection', async () => {
    const client = await open();
    await call(client, 'subscribe', {});
    client.terminate();
    while (hub.stats.subscribers > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  it('are bounded', async () => {
    const client = await open();
    const texts = Array.from({ length: 101 }, (_, id) => JSON.stringify({ jsonrpc: '2.0', id, method: 'subscribe' }));
    const answers = await exchange(client, texts);
    expect(JSON.parse(answers.at(-1) ?? '')).toMatchObject({
      error: { code: -32000, data: { code: 'too-many-requests' } },
    });
  });
});

describe('other methods', () => {
  it('list the VMs with the position the list belongs to', async () => {
    publish('a', 'STOP');
    expect(await call(await open(), 'vms', { vm: 'web-*' })).toMatchObject({
      result: { vms: [{ selected: ['web-*'] }], cursor: 'r1.1' },
    });
  });
});

describe('the end', () => {
  it('comes with code 1001 when the gateway stops, after the last events', async () => {
    const client = await open();
    await call(client, 'subscribe', {});
    const last = exchange(client, [], 1);
    const code = closed(client);
    publish('a', 'STOP');
    hub.closeAll();
    expect((await last)[0]).toContain('"STOP"');
    expect(await code).toBe(1001);
    const idle = await open();
    const idleCode = closed(idle);
    await router.leave();
    expect(await idleCode).toBe(1001);
  });

  it('waits for the answers that are due; what is asked meanwhile is refused', async () => {
    const client = await open();
    const code = closed(client);
    const request = (id: number) =>
      JSON.stringify({ jsonrpc: '2.0', id, method: 'execute', params: { vm: 'a', command: 'x' } });
    const before = exchange(client, [request(1), request(2)], 3);
    while (commands.length < 2) await new Promise((resolve) => setImmediate(resolve));
    const gone = router.leave();
    commands[1]!.answer({ ok: true, json: Buffer.from('2'), trace: {} });
    client.send(request(3));
    const [second, third] = (await Promise.race([before, exchange(client, [], 2)])) as [string, string];
    expect(JSON.parse(second)).toMatchObject({ id: 2, result: 2 });
    expect(JSON.parse(third)).toMatchObject({ id: 3, error: { data: { code: 'shutting-down', outcome: 'not-sent' } } });
    const last = exchange(client, [], 1);
    commands[0]!.answer({ ok: true, json: Buffer.from('1'), trace: {} });
    expect(JSON.parse((await last)[0] ?? '')).toMatchObject({ id: 1, result: 1 });
    expect(await code).toBe(1001);
    await gone;
    expect(parts.leavers.size).toBe(0);
  });

  it('comes with code 4408 for a client that takes nothing', async () => {
    const client = await open();
    await call(client, 'subscribe', {});
    client.pause();
    const data = JSON.stringify({ text: 'x'.repeat(10_000) });
    // Floods it until it is given up.
    while (hub.stats.subscribers > 0) {
      for (let i = 0; i < 20; i++) publish('a', 'FLOOD', data);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const code = closed(client);
    client.resume();
    expect(await code).toBe(4408);
  });

  it('comes with code 4401 when the credentials expire', async () => {
    const client = await open();
    await call(client, 'subscribe', {});
    valid = false;
    expect(await closed(client)).toBe(4401);
  });

  it('is an end also for a client that goes on speaking', async () => {
    const client = await RawWebSocket.connect(address('/v1/ws'), [], {}, () => undefined);
    const execute = JSON.stringify({ jsonrpc: '2.0', method: 'execute', params: { vm: 'a', command: 'stop' } });
    client.atFarewell = () => client.send(execute);
    for (let n = 0; n < 300; n++) client.send(execute);
    while (commands.length < 256) await new Promise((resolve) => setImmediate(resolve));
    valid = false;
    clock.advance(5000);
    for (const { answer } of commands.splice(0)) answer({ ok: true, json: '{}', trace: {} });
    expect(await client.closed).toBe(4401);
    while (parts.leavers.size > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(commands).toEqual([]);
  });
});
