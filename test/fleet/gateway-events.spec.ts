import { NatsServers } from '@qmp-gateway/test-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nextNdjsonEvents, openLines, type StreamedEvent } from '../e2e/event-readers.js';
import { fakeMachine } from '../e2e/fake-machine.js';
import type { GatewayProcess } from '../e2e/gateway-process.js';
import { GatewayScene, registerVm, run } from '../e2e/gateway-scene.js';
import { exchange } from '../e2e/http-exchange.js';
import { JsonRpcClient } from '../e2e/json-rpc-client.js';

let scene: GatewayScene;
let nats: NatsServers;

beforeEach(async () => {
  scene = new GatewayScene();
  nats = await scene.start(NatsServers.start(), (servers) => servers.stop());
});

afterEach(() => scene.end());

const ndjson = 'application/x-ndjson';

async function node(name: string, fleet: object = {}): Promise<GatewayProcess> {
  return scene.gateway({
    settings: { fleet: { name: 'prod', node: name, servers: nats.urls, heartbeat: '1s', ...fleet } },
  });
}

/** @returns the id of a VM that says STOP when it is told to */
async function fakeVm(gateway: GatewayProcess): Promise<string> {
  const { fake, endpoint } = await fakeMachine(scene);
  fake.on('stop', ({ connection }) => {
    connection.event('STOP');
    return { return: {} };
  });
  return registerVm(gateway, endpoint);
}

/** Reads a stream until an event of this name. */
async function next(lines: Awaited<ReturnType<typeof openLines>>, event: string): Promise<StreamedEvent> {
  for (;;) {
    const [read] = await nextNdjsonEvents(lines, 1);
    if (read!.event === event) return read!;
  }
}

describe('the gateways of a fleet', () => {
  it('show the events of all of them, under cursors that are valid at each', async () => {
    const [a, b] = await Promise.all([node('a'), node('b')]);
    const id = await fakeVm(b);
    const [atA, atB] = await Promise.all([
      openLines(a, '/v1/events?after=oldest', ndjson),
      openLines(b, '/v1/events?after=oldest', ndjson),
    ]);
    const answer = await run(b, id, 'stop');
    expect(answer.status).toBe(200);
    const [seenA, seenB] = await Promise.all([next(atA, 'STOP'), next(atB, 'STOP')]);
    expect(seenA).toEqual(seenB);
    expect(seenA.vm).toBe(id);
    const cursor = answer.headers['qmp-event-cursor'];
    for (const gateway of [a, b]) {
      const page = (await exchange(gateway, `/v1/events?event=STOP&after=${String(cursor)}&wait=5s`)).json();
      expect(page['events']).toEqual([seenA]);
    }
    const { cursor: ofList } = (await exchange(b, '/v1/vms')).json();
    expect(String(ofList).split('.')[0]).toBe(seenA.cursor.split('.')[0]);
    atA.close();
    atB.close();
  });

  it('show their own alone to who asks for them, under their own cursors', async () => {
    const [a, b] = await Promise.all([node('a'), node('b')]);
    const id = await fakeVm(b);
    const own = await openLines(b, '/v1/events?after=oldest&scope=node', ndjson);
    await run(b, id, 'stop');
    const stop = await next(own, 'STOP');
    own.close();
    const all = (await exchange(b, `/v1/events?event=STOP&wait=5s`)).json() as { events: StreamedEvent[] };
    expect(all.events[0]!.cursor).not.toBe(stop.cursor);
    const other = (await exchange(a, `/v1/events?event=STOP&scope=node`)).json();
    expect(other['events']).toEqual([]);
    const foreign = await exchange(a, `/v1/events?after=${stop.cursor}`);
    expect(foreign.status).toBe(410);
  });

  it('answer a cursor of the future as ever, after they have waited for it', async () => {
    const a = await node('a', { heartbeat: '60s', unreachableAfter: '200s' });
    const { cursor } = (await exchange(a, '/v1/events')).json();
    const [first, n] = String(cursor).split('.');
    const answer = await exchange(a, `/v1/events?after=${String(first)}.${Number(n) + 4_096_000}`);
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ code: 'invalid-request', errors: [{ pointer: '/after' }] });
  });

  it('give subscriptions of JSON-RPC the same', async () => {
    const [a, b] = await Promise.all([node('a'), node('b')]);
    const id = await fakeVm(b);
    const client = scene.keep(await JsonRpcClient.connect(a), (opened) => opened.close());
    await client.request('subscribe', '{"event":"STOP","after":"oldest"}');
    const local = await client.request('subscribe', '{"event":"STOP","after":"oldest","scope":"node"}');
    expect(local.result).toMatchObject({ subscription: 2 });
    await run(b, id, 'stop');
    const [event] = await client.events(1);
    expect(event).toMatchObject({ subscription: 1, vm: id, event: 'STOP' });
  });

  it('send what happened to the end before they end', async () => {
    const [a, b] = await Promise.all([node('a'), node('b', { serve: false })]);
    const id = await fakeVm(b);
    const [atA, atB] = await Promise.all([
      openLines(a, '/v1/events', ndjson),
      openLines(b, `/v1/vms/${id}/events`, ndjson),
    ]);
    await run(b, id, 'stop');
    const last = await next(atB, 'STOP');
    await b.stop();
    expect(await next(atA, 'STOP')).toMatchObject({ vm: id, epoch: last.epoch, data: last.data });
    atA.close();
  });
});
