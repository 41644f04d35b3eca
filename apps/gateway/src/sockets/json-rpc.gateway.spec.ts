import { once } from 'node:events';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { Problem } from '../problems/problem.js';
import { call, closed, exchange, JsonRpcScene } from './json-rpc.scene.js';
import { QmpWsAdapter } from './qmp-ws-adapter.js';
import { JsonRpcGateway } from './json-rpc.gateway.js';
import { MonitorGateway } from './monitor.gateway.js';
import { SOCKET_PARTS } from './socket-parts.js';
import { resourceRoutes } from '../http/resource/resource-routes.js';
import { SocketRouter } from '../upgrades/socket-router.js';
import { UpgradeRequiredController } from './upgrade-required.controller.js';

class SocketsModule {
  readonly purpose = 'a place for the providers';
}

let scene: JsonRpcScene;

beforeEach(async () => {
  scene = await JsonRpcScene.start();
});
afterEach(() => scene.close());

describe('the upgrade', () => {
  it('selects our sub-protocol and never one that carries a token', async () => {
    expect((await scene.open(['bearer.secret', 'qmp-gateway.v1'])).protocol).toBe('qmp-gateway.v1');
    expect((await scene.open([])).protocol).toBe('');
  });

  it.each([
    ['/v1/elsewhere', 404, 'route-not-found'],
    ['/v1/ws?token=x', 400, 'invalid-request'],
    ['/v1/vms/unknown/monitor', 404, 'vm-not-found'],
  ])('is refused at %s', async (path, status, code) => {
    const client = new WebSocket(scene.address(path));
    const [, response] = (await once(client, 'unexpected-response')) as [
      unknown,
      AsyncIterable<Buffer> & { statusCode: number },
    ];
    expect(response.statusCode).toBe(status);
    let text = '';
    for await (const chunk of response) text += chunk.toString();
    expect(JSON.parse(text)).toMatchObject({ code });
  });

  it.each([[['foo', 'bearer.secret']], [['bearer.secret']], [['qmp']]])(
    'with %j is told of the sub-protocol that is taken, and no token is shown',
    async (offered) => {
      const client = new WebSocket(scene.address('/v1/ws'), offered);
      const [, response] = (await once(client, 'unexpected-response')) as [unknown, AsyncIterable<Buffer>];
      let text = '';
      for await (const chunk of response) text += chunk.toString();
      expect(JSON.parse(text)).toMatchObject({
        ...{ status: 400, code: 'invalid-request', suggestions: ['qmp-gateway.v1'] },
        errors: [{ in: 'header', pointer: '/Sec-WebSocket-Protocol', message: 'must have qmp-gateway.v1' }],
      });
      expect(text).not.toContain('secret');
    },
  );

  it('works under Nest, through its adapter', async () => {
    Logger.overrideLogger(false);
    const module = {
      module: SocketsModule,
      providers: [{ provide: SOCKET_PARTS, useValue: scene.parts }, JsonRpcGateway, MonitorGateway],
    };
    const nest = await NestFactory.create(module, new ExpressAdapter());
    const own = new SocketRouter(resourceRoutes([UpgradeRequiredController]), scene.parts);
    nest.useWebSocketAdapter(new QmpWsAdapter(own));
    await nest.init();
    scene.router = own;
    const client = await scene.open();
    expect(await call(client, 'ping')).toEqual({ jsonrpc: '2.0', id: 1, result: {} });
    // A fault of ours ends the connection that it concerns, and nothing else.
    const ours = new Error('ours');
    const adding = vi.spyOn(scene.parts.leavers, 'add').mockImplementation(() => {
      throw ours;
    });
    expect(await closed(await scene.open())).toBe(1011);
    adding.mockRestore();
    expect(scene.faults).toEqual([ours]);
    expect(await call(client, 'ping')).toMatchObject({ result: {} });
    await nest.close();
  });
});

describe('execute', () => {
  it('hands the command on and brings the value back byte for byte', async () => {
    scene.instant = () => '{"n": 18446744073709551615, "f": 1.50}';
    const client = await scene.open();
    const request =
      '{"jsonrpc":"2.0","id":7,"method":"execute","params":{"vm":"a","command":"x","arguments":{"big": 9223372036854775807},' +
      '"oob":true,"timeout":"500ms","dryRun":false,"int64":"string","idempotencyKey":"k","epoch":"r1.1"}}';
    expect(await exchange(client, [request])).toEqual([
      '{"jsonrpc":"2.0","id":7,"result":{"n": 18446744073709551615, "f": 1.50}}',
    ]);
    expect(scene.commands[0]?.request).toMatchObject({
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
    scene.instant = () => '{}';
    await call(await scene.open(), 'execute', { vm: 'a', command: 'x', timeout: 2.5 });
    expect(scene.commands[0]?.request.timeoutMs).toBe(2500);
    expect(scene.commands[0]?.request.arguments).toEqual({ kind: 'none' });
  });

  it.each(['1', '1.50', '-0', '"a\\u0041"', 'null', '123456789012345678901234567890'])(
    'echoes the id %s',
    async (id) => {
      scene.instant = () => '{}';
      const client = await scene.open();
      const text = `{"jsonrpc":"2.0","id":${id},"method":"ping"}`;
      expect(await exchange(client, [text])).toEqual([`{"jsonrpc":"2.0","id":${id},"result":{}}`]);
    },
  );

  it('answers pipelined requests in the order they are done', async () => {
    const client = await scene.open();
    const texts = [1, 2, 3].map((id) =>
      JSON.stringify({ jsonrpc: '2.0', id, method: 'execute', params: { vm: 'a', command: 'x' } }),
    );
    const answers = exchange(client, texts);
    while (scene.commands.length < 3) await new Promise((resolve) => setImmediate(resolve));
    for (const index of [2, 0, 1])
      scene.commands[index]!.answer({ ok: true, json: Buffer.from(String(index)), trace: {} });
    expect((await answers).map((text) => (JSON.parse(text) as { id: number }).id)).toEqual([3, 1, 2]);
  });

  it('tells a problem in data', async () => {
    const client = await scene.open();
    const answer = call(client, 'execute', { vm: 'a', command: 'x' });
    while (scene.commands.length < 1) await new Promise((resolve) => setImmediate(resolve));
    scene.commands[0]!.answer({ ok: false, problem: new Problem('forbidden', 'Needs level host.'), trace: {} });
    expect(await answer).toMatchObject({
      error: { code: -32000, message: 'Needs level host.', data: { code: 'forbidden', status: 403 } },
    });
  });

  it('reads no further while 256 are unanswered, and loses none', async () => {
    const client = await scene.open();
    const texts = Array.from({ length: 1000 }, (_, id) =>
      JSON.stringify({ jsonrpc: '2.0', id, method: 'execute', params: { vm: 'a', command: 'x' } }),
    );
    const answers = exchange(client, texts);
    while (scene.commands.length < 256) await new Promise((resolve) => setImmediate(resolve));
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(scene.commands).toHaveLength(256);
    for (let i = 0; i < 1000; i++) {
      while (scene.commands.length <= i) await new Promise((resolve) => setImmediate(resolve));
      scene.commands[i]!.answer({ ok: true, json: Buffer.from('{}'), trace: {} });
    }
    expect((await answers).map((text) => (JSON.parse(text) as { id: number }).id)).toEqual(texts.map((_, id) => id));
  });

  it('reads no further while the client takes no answers', async () => {
    const big = JSON.stringify('x'.repeat(1024 * 1024));
    scene.instant = () => big;
    const client = await scene.open();
    client.pause();
    const text = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'execute', params: { vm: 'a', command: 'x' } });
    // Filled up beyond what a socket holds, so that later requests come in chunks of their own.
    for (let i = 0; i < 100; i++) {
      client.send(text);
      await new Promise((resolve) => setImmediate(resolve));
    }
    let before = -1;
    while (scene.commands.length > before) {
      before = scene.commands.length;
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(scene.commands.length).toBeLessThan(60);
    let received = 0;
    const all = new Promise<void>((resolve) => client.on('message', () => ++received === 100 && resolve()));
    client.resume();
    await all;
    expect(scene.commands).toHaveLength(100);
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
    const [answer = ''] = await exchange(await scene.open(), [text]);
    expect(JSON.parse(answer)).toMatchObject({ jsonrpc: '2.0', id, error: { code } });
    expect(scene.commands).toHaveLength(0);
  });

  it('names the nearest parameter', async () => {
    const { error } = await call(await scene.open(), 'execute', { vm: 'a', comand: 'x' });
    expect(error).toMatchObject({
      data: { errors: [{ pointer: '/comand', suggestions: ['command'] }, { pointer: '/command' }] },
    });
  });

  it('get no answer without an id', async () => {
    const client = await scene.open();
    const texts = [
      '{"jsonrpc":"2.0","method":"nope"}',
      '{"jsonrpc":"2.0","method":"ping"}',
      '{"jsonrpc":"2.0","id":9,"method":"ping"}',
    ];
    expect(await exchange(client, texts, 1)).toEqual(['{"jsonrpc":"2.0","id":9,"result":{}}']);
  });

  it('close the connection when they are too big, or no text', async () => {
    const big = await scene.open();
    big.send(' '.repeat(1024 * 1024 + 1));
    expect(await closed(big)).toBe(1009);
    const binary = await scene.open();
    binary.send(Buffer.from('{}'));
    expect(await closed(binary)).toBe(1008);
  });
});
