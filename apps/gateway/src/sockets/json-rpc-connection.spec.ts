import { RawWebSocket } from '@qmp-gateway/test-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { call, closed, exchange, JsonRpcScene, type Message } from './json-rpc.scene.js';

let scene: JsonRpcScene;

beforeEach(async () => {
  scene = await JsonRpcScene.start();
});
afterEach(() => scene.close());

describe('subscriptions', () => {
  it('are numbered and bring what they ask for, after their answer', async () => {
    scene.publish('a', 'EARLY');
    const client = await scene.open();
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
    scene.publish('a', 'STOP', '{"n":9007199254740993}');
    scene.publish('b', 'STOP', '{"n":9007199254740993}');
    const told = (await events).map((text) => text.slice(text.indexOf('"params"')));
    expect(told).toContainEqual(expect.stringMatching(/"subscription":1,"cursor":"r1.2".*"n":9007199254740993/));
    expect(told).toContainEqual(expect.stringMatching(/"subscription":2,"cursor":"r1.2".*"n":"9007199254740993"/));
    expect(told).toContainEqual(expect.stringMatching(/"subscription":2,"cursor":"r1.3"/));
  });

  it('end when asked', async () => {
    const client = await scene.open();
    await call(client, 'subscribe', {});
    expect(scene.hub.stats.subscribers).toBe(1);
    expect(await call(client, 'unsubscribe', { subscription: 1 })).toMatchObject({ result: {} });
    expect(scene.hub.stats.subscribers).toBe(0);
    expect(await call(client, 'subscribe', {})).toMatchObject({ result: { subscription: 2 } });
  });

  it('end with their connection', async () => {
    const client = await scene.open();
    await call(client, 'subscribe', {});
    client.terminate();
    while (scene.hub.stats.subscribers > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  it('are bounded', async () => {
    const client = await scene.open();
    const texts = Array.from({ length: 101 }, (_, id) => JSON.stringify({ jsonrpc: '2.0', id, method: 'subscribe' }));
    const answers = await exchange(client, texts);
    expect(JSON.parse(answers.at(-1) ?? '')).toMatchObject({
      error: { code: -32000, data: { code: 'too-many-requests' } },
    });
  });
});

describe('other methods', () => {
  it('list the VMs with the position the list belongs to', async () => {
    scene.publish('a', 'STOP');
    expect(await call(await scene.open(), 'vms', { vm: 'web-*' })).toMatchObject({
      result: { vms: [{ selected: ['web-*'] }], cursor: 'r1.1' },
    });
  });
});

describe('a fault of ours', () => {
  it('is told as one, and the log has the rest', async () => {
    const fault = new Error('ours');
    const list = (): never => {
      throw fault;
    };
    Object.assign(scene.parts.directory, { list });
    const client = await scene.open();
    const { error } = await call(client, 'vms');
    expect(error).toMatchObject({ code: -32000, data: { code: 'internal-error' } });
    expect(JSON.stringify(error)).not.toContain('ours');
    expect(scene.faults).toEqual([fault]);
    expect(await call(client, 'ping')).toMatchObject({ result: {} });
  });
});

describe('the end', () => {
  it('comes with code 1001 when the gateway stops, after the last events', async () => {
    const client = await scene.open();
    await call(client, 'subscribe', {});
    const last = exchange(client, [], 1);
    const code = closed(client);
    scene.publish('a', 'STOP');
    scene.hub.closeAll();
    expect((await last)[0]).toContain('"STOP"');
    expect(await code).toBe(1001);
    const idle = await scene.open();
    const idleCode = closed(idle);
    await scene.router.leave();
    expect(await idleCode).toBe(1001);
  });

  it('waits for the answers that are due; what is asked meanwhile is refused', async () => {
    const client = await scene.open();
    const code = closed(client);
    const request = (id: number) =>
      JSON.stringify({ jsonrpc: '2.0', id, method: 'execute', params: { vm: 'a', command: 'x' } });
    const before = exchange(client, [request(1), request(2)], 3);
    while (scene.commands.length < 2) await new Promise((resolve) => setImmediate(resolve));
    const gone = scene.router.leave();
    scene.commands[1]!.answer({ ok: true, json: Buffer.from('2'), trace: {} });
    client.send(request(3));
    const [second, third] = (await Promise.race([before, exchange(client, [], 2)])) as [string, string];
    expect(JSON.parse(second)).toMatchObject({ id: 2, result: 2 });
    expect(JSON.parse(third)).toMatchObject({ id: 3, error: { data: { code: 'shutting-down', outcome: 'not-sent' } } });
    const last = exchange(client, [], 1);
    scene.commands[0]!.answer({ ok: true, json: Buffer.from('1'), trace: {} });
    expect(JSON.parse((await last)[0] ?? '')).toMatchObject({ id: 1, result: 1 });
    expect(await code).toBe(1001);
    await gone;
    expect(scene.parts.leavers.size).toBe(0);
  });

  it('comes with code 4408 for a client that takes nothing', async () => {
    const client = await scene.open();
    await call(client, 'subscribe', {});
    client.pause();
    const data = JSON.stringify({ text: 'x'.repeat(10_000) });
    // Floods it until it is given up.
    while (scene.hub.stats.subscribers > 0) {
      for (let i = 0; i < 20; i++) scene.publish('a', 'FLOOD', data);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const code = closed(client);
    client.resume();
    expect(await code).toBe(4408);
  });

  it('comes with code 4401 when the credentials expire', async () => {
    const client = await scene.open();
    await call(client, 'subscribe', {});
    scene.valid = false;
    expect(await closed(client)).toBe(4401);
  });

  it('is an end also for a client that goes on speaking', async () => {
    const client = await RawWebSocket.connect(scene.address('/v1/ws'), [], {}, () => undefined);
    const execute = JSON.stringify({ jsonrpc: '2.0', method: 'execute', params: { vm: 'a', command: 'stop' } });
    client.atFarewell = () => client.send(execute);
    for (let n = 0; n < 300; n++) client.send(execute);
    while (scene.commands.length < 256) await new Promise((resolve) => setImmediate(resolve));
    scene.valid = false;
    scene.clock.advance(5000);
    for (const { answer } of scene.commands.splice(0)) answer({ ok: true, json: '{}', trace: {} });
    expect(await client.closed).toBe(4401);
    while (scene.parts.leavers.size > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(scene.commands).toEqual([]);
  });
});
