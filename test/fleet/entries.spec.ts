import { jetstream } from '@nats-io/jetstream';
import { headers } from '@nats-io/transport-node';
import { batchHeaderName, decodeFrame, encodeBatch, encodeFrame } from '@qmp-gateway/fleet-protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nextNdjsonEvents, openLines } from '../e2e/event-readers.js';
import { change, echo, fakeMachine } from '../e2e/fake-machine.js';
import type { GatewayProcess } from '../e2e/gateway-process.js';
import { run } from '../e2e/gateway-scene.js';
import { exchange } from '../e2e/http-exchange.js';
import { connectedLink, fleetSettings, QuietLog, SimulatedNode, someVm } from './directory-nodes.js';
import { FleetScene, refusalOf, rowOf, until } from './fleet-scene.js';

let scene: FleetScene;

beforeEach(async () => {
  scene = new FleetScene();
  await scene.startNats();
});
afterEach(() => scene.end());

const tick = '__com.example_TICK';

/** Reads ticks behind a cursor until the last one that is wanted, or until the stream ends. */
async function readTicks(
  gateway: GatewayProcess,
  cursor: string,
  last: number,
): Promise<{ readonly ticks: number[]; readonly cursor: string }> {
  const ticks: number[] = [];
  const lines = await openLines(gateway, `/v1/events?vm=web&after=${cursor}`, 'application/x-ndjson');
  let at = cursor;
  try {
    while (ticks.at(-1) !== last) {
      const [event] = await nextNdjsonEvents(lines, 1);
      at = event!.cursor;
      if (event!.event === tick) ticks.push(event!.data['n'] as number);
    }
  } catch {
    // The entry has ended.
  }
  lines.close();
  return { ticks, cursor: at };
}

describe('a reader of events', () => {
  it('goes on at another entry when its own is stopped, without loss and without seeing one twice', async () => {
    const [a, b, c] = await Promise.all([scene.node('A'), scene.node('B'), scene.node('C')]);
    const { fake } = await scene.vm('web', b, [a, c]);
    const { cursor } = (await exchange(a, '/v1/vms')).json();
    const count = 600;
    let sent = 0;
    const timer = setInterval(() => {
      if (sent < count) fake.emit(tick, { n: ++sent });
    }, 5);
    try {
      const reading = readTicks(a, String(cursor), count);
      await until('a part was sent', () => Promise.resolve(sent > 200));
      await a.stop();
      const first = await reading;
      expect(first.ticks.length).toBeGreaterThan(0);
      expect(first.ticks.length).toBeLessThan(count);
      const rest = await readTicks(c, first.cursor, count);
      const all = [...first.ticks, ...rest.ticks];
      expect(all).toEqual(Array.from({ length: count }, (_, at) => at + 1));
    } finally {
      clearInterval(timer);
    }
  });

  it('is told that the VMs of a node that said goodbye are gone', async () => {
    const [a, b] = await Promise.all([scene.node('A'), scene.node('B')]);
    await scene.vm('web', b, [a]);
    const { cursor } = (await exchange(a, '/v1/vms')).json();
    await b.stop();
    const wanted = `/v1/events?event=vm-removed&after=${String(cursor)}&wait=10s`;
    const { events } = (await exchange(a, wanted)).json() as { events: { data: object }[] };
    expect(events[0]).toMatchObject({ vm: 'web', data: { id: 'web' } });
    await until('it is gone', async () => (await rowOf(a, 'web')) === undefined);
    expect((await exchange(a, '/v1/vms/web')).status).toBe(404);
  });
});

describe('an entry that is stopped', () => {
  it('lets a command at another node end, and tells its caller', async () => {
    const [a, b] = await Promise.all([scene.node('A'), scene.node('B')]);
    const { fake } = await scene.vm('web', b, [a]);
    fake.on(change, () => null);
    const written = fake.next(change);
    const answer = run(a, 'web', change, '{}');
    const command = await written;
    const stopped = a.stop();
    fake.answer(command, { return: { ended: true } });
    const { status, text } = await answer;
    expect([status, text]).toEqual([200, '{"ended":true}']);
    expect(await stopped).toBe(0);
  });
});

describe('VMs of similar names', () => {
  const ids = ['a.b', 'a_b', 'a-b', 'A.b', 'x'.repeat(128)];

  it('are each its own, at nodes of such names', async () => {
    const [a, b] = await Promise.all([scene.node('n.1'), scene.node('n_1')]);
    for (const id of ids) {
      const machine = await scene.vm(id, b, [a]);
      machine.fake.on(change, () => ({ return: { id } }));
    }
    for (const id of ids) {
      const answer = await run(a, id, change, '{}');
      expect([answer.text, answer.headers['qmp-node']]).toEqual([JSON.stringify({ id }), 'n_1']);
    }
  });

  it('that two nodes claim are for the caller to tell apart', async () => {
    const a = await scene.node('A');
    for (const name of ['B', 'C']) {
      const { endpoint } = await fakeMachine(scene);
      await scene.node(name, { settings: { vms: { twin: { endpoint } } } });
    }
    const list = async () =>
      ((await exchange(a, '/v1/vms?vm=twin')).json() as { vms: { node: string }[] }).vms.map(({ node }) => node);
    await until('both are listed', async () => (await list()).length === 2);
    expect(await list()).toEqual(['B', 'C']);
    const refused = await run(a, 'twin', change, '{}');
    expect([...refusalOf(refused), refused.json()['suggestions']]).toEqual([
      409,
      'vm-ambiguous',
      'not-sent',
      ['B', 'C'],
    ]);
    for (const node of ['B', 'C']) {
      await until('it is ready', async () => {
        const answer = await exchange(a, `/v1/vms/twin?node=${node}`);
        return answer.json()['state'] === 'ready';
      });
      const answer = await exchange(a, `/v1/vms/twin/qmp/${change}?node=${node}`, { body: '{}' });
      expect([answer.status, answer.headers['qmp-node']]).toEqual([200, node]);
    }
    const fanned = await exchange(a, `/v1/qmp/${echo}?vm=twin`, { body: '{}' });
    const [told, end] = fanned.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(told).toMatchObject({ vm: 'twin', status: 409, problem: { code: 'vm-ambiguous' } });
    expect(end).toMatchObject({ end: true, selected: 1, failed: 1 });
  });
});

describe('nodes of another release', () => {
  it('are refused what this one does not understand, in its words', async () => {
    const b = await scene.node('B');
    await scene.vm('web', b, []);
    const settings = fleetSettings(scene.nats.urls, 'X', { name: 'prod' });
    const link = scene.keep(await connectedLink(settings, new QuietLog()), (made) => made.close());
    const { connection, subjects } = link;
    const refused = new Promise<unknown>((resolve) => {
      connection.subscribe(subjects.exchangesOf('X'), {
        callback: (_, { data }) => resolve(decodeFrame(data)?.head),
      });
    });
    const request = encodeFrame({ v: 2, id: 'later1', something: 'new' });
    connection.publish(subjects.command('B', 'X'), request, { reply: subjects.exchange('X', 'B', 'later1') });
    expect(await refused).toEqual({ kind: 'refused', why: 'version', at: expect.any(Number) as number });
  });

  it('that refuse a request are told of as what they are, and nothing was sent', async () => {
    const a = await scene.node('A');
    const settings = fleetSettings(scene.nats.urls, 'Z', { name: 'prod' });
    const node = scene.keep(await SimulatedNode.start(settings, [someVm('far')]), (made) => made.leave());
    await node.joined();
    const beats = setInterval(() => {
      const { run } = node.link;
      const fields = node.record.heartbeatFields() as Record<string, unknown>;
      const beat = encodeBatch({ node: 'Z', run, first: 1, last: 0, at: performance.now(), fields, lines: [] });
      const header = headers();
      header.set(batchHeaderName, beat.header);
      void jetstream(node.link.connection).publish(node.link.subjects.events('Z'), beat.payload, { headers: header });
    }, 200);
    scene.keep(beats, () => clearInterval(beats));
    const { connection, subjects } = node.link;
    connection.subscribe(subjects.commandsFor('Z'), {
      callback: (_, { data }) => {
        const id = String(decodeFrame(data)?.head['id']);
        connection.publish(subjects.exchange('A', 'Z', id), encodeFrame({ kind: 'refused', why: 'version' }));
      },
    });
    await until('it is listed', async () => (await rowOf(a, 'far')) !== undefined);
    await until('it refuses', async () => /release of the protocol/.test((await run(a, 'far', 'stop')).text));
    expect(refusalOf(await run(a, 'far', 'stop'))).toEqual([503, 'vm-unavailable', 'not-sent']);
  });
});
