import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nextNdjsonEvents, nextSseEvents, openLines, type StreamedEvent } from './event-readers.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, registerVm, run } from './gateway-scene.js';
import { exchange } from './http-exchange.js';
import { JsonRpcClient } from './json-rpc-client.js';

const scene = new GatewayScene();
let gateway: GatewayProcess;
let vm: string;

beforeAll(async () => {
  gateway = await scene.gateway();
  vm = await registerVm(gateway, `unix:${(await scene.qemu()).socket}`);
  await run(gateway, vm, 'cont');
});
afterAll(() => scene.end());

const nameAndCursor = ({ event, cursor }: StreamedEvent) => [event, cursor];

describe('stop, then cont', () => {
  it('come over SSE, NDJSON, JSON history and WebSocket with the same cursors', async () => {
    const query = `/v1/events?vm=${vm}&event=STOP,RESUME`;
    const sse = scene.keep(await openLines(gateway, query, 'text/event-stream'), (stream) => stream.close());
    const ndjson = scene.keep(await openLines(gateway, query, 'application/x-ndjson'), (stream) => stream.close());
    const socket = scene.keep(await JsonRpcClient.connect(gateway), (client) => client.close());
    const subscribed = await socket.request('subscribe', JSON.stringify({ vm, event: ['STOP', 'RESUME'] }));
    const { cursor: before } = subscribed.result as { cursor: string };

    const stopped = await run(gateway, vm, 'stop');
    const resumed = await run(gateway, vm, 'cont');
    expect([stopped.status, resumed.status]).toEqual([200, 200]);

    const bySse = await nextSseEvents(sse, 2);
    expect(bySse.map(({ event }) => event)).toEqual(['STOP', 'RESUME']);
    expect(bySse.every((event) => event.vm === vm && event.epoch === stopped.headers['qmp-vm-epoch'])).toBe(true);
    const expected = bySse.map(nameAndCursor);
    expect((await nextNdjsonEvents(ndjson, 2)).map(nameAndCursor)).toEqual(expected);
    expect((await socket.events(2)).map(nameAndCursor)).toEqual(expected);
    const history = await exchange(gateway, `${query}&after=${before}`);
    const { events, cursor } = history.json() as unknown as { events: StreamedEvent[]; cursor: string };
    expect(events.map(nameAndCursor)).toEqual(expected);
    expect(cursor).toBe(expected[1]?.[1]);
  });

  it('are after the position that the answer to the command tells', async () => {
    const stopped = await run(gateway, vm, 'stop');
    const after = String(stopped.headers['qmp-event-cursor']);
    const page = await exchange(gateway, `/v1/vms/${vm}/events?after=${after}&event=STOP&wait=10s&limit=1`);
    const { events } = page.json() as unknown as { events: StreamedEvent[] };
    expect(events.map(({ event }) => event)).toEqual(['STOP']);
    expect((await gateway.vmBecomes(vm, 'ready'))['runState']).toBe('paused');
    await run(gateway, vm, 'cont');
  });
});
