import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { endOf, placesOfMessage } from '@qmp-gateway/fleet-protocol';
import { Audience, everyEvent } from '../../apps/gateway/src/events/audience.js';
import { principal, type Line, type TestSink } from '../../apps/gateway/src/events/event-hub.scene.js';
import { faultsIn, FleetScene, numbers, pause, Traffic, until, type FleetNode } from './event-scene.js';

/** How long NATS is away. */
const outageMs = Number(process.env['FLEET_OUTAGE_S'] ?? 8) * 1000;

let scene: FleetScene;

beforeEach(() => {
  scene = new FleetScene();
});

afterEach(() => scene.end());

const audience = new Audience(principal(), everyEvent);
const gaps = (lines: readonly Line[]) => lines.filter(({ event }) => event === 'gap');

function missedOf(lines: readonly Line[], vm: string): number {
  return gaps(lines).reduce((sum, { data }) => sum + (data.vm === vm ? (data.missed ?? NaN) : 0), 0);
}

/** Milliseconds between an event of such a VM and its arrival in a stream, for each that comes from now on. */
function timesOf(stream: TestSink, vms: string): number[] {
  const times: number[] = [];
  const write = stream.write.bind(stream);
  stream.write = (bytes) => {
    for (const text of bytes.toString().split('\n')) {
      if (!text.includes(`"vm":"${vms}`)) continue;
      times.push(Date.now() - Date.parse((JSON.parse(text) as { time: string }).time));
    }
    return write(bytes);
  };
  return times;
}

describe('NATS away', () => {
  it(
    'costs what the buffer cannot hold: one gap for each VM, with the exact number',
    { timeout: 60_000 + outageMs },
    async () => {
      const { first: server } = await scene.nats();
      const owner = await scene.joined('owner', { serve: false, events: { buffer: 256 * 1024 } });
      const entry = await scene.joined('entry');
      const stream = entry.listen();
      await server.kill();
      await until(() => !owner.link.connected, 'the connection to end');
      const traffic = new Traffic(owner, { perSecond: 2000, vms: 4 });
      await pause(outageMs);
      const expected = traffic.stop();
      await server.start();
      await until(() => owner.link.connected && entry.link.connected, 'connections');
      await entry.heard(owner);
      await until(() => stream.lines.length > 0, 'events');
      const { lines } = stream;
      for (const [vm, sent] of expected) {
        const got = numbers(lines).filter((text) => text.startsWith(`${vm} `)).length;
        expect(gaps(lines).filter(({ data }) => data.vm === vm)).toHaveLength(1);
        expect(got + missedOf(lines, vm)).toBe(sent);
        expect(got).toBeGreaterThan(0);
      }
      expect(owner.events.counts.droppedEvents).toBe(traffic.sent - numbers(lines).length);
    },
  );

  it('costs nothing while the buffer holds it, and the node itself goes on', async () => {
    const { first: server } = await scene.nats();
    const owner = await scene.joined('owner');
    const stream = owner.listen();
    await server.kill();
    await until(() => !owner.link.connected, 'the connection to end');
    const traffic = new Traffic(owner, { perSecond: 1000, vms: 3 });
    await pause(1000);
    const expected = traffic.stop();
    expect(owner.hub.stats.published).toBe(traffic.sent);
    expect(numbers(stream.lines)).toEqual([]);
    await server.start();
    await owner.heard(owner);
    expect(faultsIn(stream.lines, expected)).toEqual([]);
  });

  it('keeps no node from starting, whose events are in the fleet when NATS comes', async () => {
    const { first: server } = await scene.nats();
    await server.kill();
    const node = await scene.node('n');
    const stream = node.listen({ after: undefined });
    node.publish('v', 'TEST', { at: 0 });
    await pause(200);
    expect(node.fleet.run).toBe(`${node.hub.run}w`);
    await server.start();
    await until(() => numbers(stream.lines).length === 1, 'the event');
    expect(gaps(stream.lines)).toMatchObject([{ data: { vm: null, missed: null } }]);
  });
});

describe('a stream that is made anew', () => {
  it('is a gap in open streams, and the end of old cursors', async () => {
    await scene.nats();
    const [a, b] = [await scene.joined('a'), await scene.joined('b')];
    const stream = a.listen();
    b.publish('v', 'TEST', { at: 0 });
    await a.heard(b);
    const old = { run: a.fleet.run, cursor: a.fleet.head() };
    const { manager } = await b.link.jetStream();
    await manager.streams.delete(b.link.subjects.eventStream);
    await pause(50);
    b.publish('v', 'TEST', { at: 1 });
    await until(() => a.fleet.run !== old.run, 'the new stream');
    b.publish('v', 'TEST', { at: 2 });
    await b.settled();
    await until(() => numbers(stream.lines).includes('v 2'), 'what comes after it');
    expect(numbers(stream.lines)).toEqual(['v 0', 'v 1', 'v 2']);
    expect(gaps(stream.lines)).toMatchObject([{ data: { vm: null, from: old.cursor, missed: null } }]);
    const cursors = stream.lines.map(({ cursor }) => cursor.split('.')[0]);
    expect(new Set(cursors)).toEqual(new Set([old.run, a.fleet.run]));
    for (const entry of [a, b]) {
      await until(() => entry.fleet.run === a.fleet.run, 'the same stream');
      await entry.shown.reached(entry.fleet, old.cursor);
      expect(entry.fleet.history(audience, entry.fleet.readCursor(old.cursor), 10)).toMatchObject({ expired: true });
    }
  });
});

describe('a cursor', () => {
  const behind = async (entry: FleetNode, by: number) => {
    await entry.heard(entry);
    return `${entry.fleet.run}.${entry.fleet.headNumber + by * placesOfMessage}`;
  };

  it('of an event that another entry has already is waited for', async () => {
    await scene.nats();
    const entry = await scene.joined('a', { heartbeat: 60_000 });
    const cursor = await behind(entry, 1);
    const reached = entry.shown.reached(entry.fleet, cursor);
    expect(entry.fleet.readCursor(cursor)).toBeUndefined();
    entry.publish('v', 'TEST', { at: 0 });
    await reached;
    expect(entry.fleet.readCursor(cursor)).toBeDefined();
  });

  it('of the future is waited for no longer than 3 s, and is none', async () => {
    await scene.nats();
    // The first heartbeat may come before anybody listens.
    const entry = await scene.joined('a', { heartbeat: 2_000 });
    const cursor = await behind(entry, 1000);
    await entry.shown.reached(entry.fleet, cursor);
    expect(entry.fleet.readCursor(cursor)).toBeUndefined();
  });

  it('of a command is before what the command causes, at every entry', async () => {
    await scene.nats();
    const [owner, entry] = [await scene.joined('a'), await scene.joined('b')];
    owner.publish('v', 'TEST', { at: 0 });
    await owner.settled();
    const cursor = owner.shown.commandCursor();
    owner.publish('v', 'TEST', { at: 1 });
    await entry.shown.reached(entry.fleet, cursor);
    const stream = entry.listen({ after: entry.fleet.readCursor(cursor) });
    await until(() => numbers(stream.lines).length > 0, 'the event');
    expect(numbers(stream.lines)).toEqual(['v 1']);
  });
});

describe('the stream', () => {
  it('is not made without leave, and says in a line each what it should be', async () => {
    await scene.nats();
    const strict = await scene.node('strict', { manage: false });
    await until(() => strict.warnings.length > 0, 'a complaint');
    expect(strict.warnings).toEqual([{ fault: 'stream QGW_test_EV does not exist, and manage is false' }]);
    await scene.joined('maker');
    const other = await scene.joined('other', { manage: false, events: { maxBytes: 1024 * 1024, maxAge: 60_000 } });
    expect(other.warnings).toEqual([
      { fault: 'max_bytes is 67108864, not 1048576' },
      { fault: 'max_age is 3600000000000, not 60000000000' },
      { fault: 'max_msgs_per_subject is 2048, not 1000' },
      { fault: 'duplicate_window is 120000000000, not 60000000000' },
    ]);
  });

  it('is given a batch anew when it takes it for another one that it has', async () => {
    await scene.nats();
    const owner = await scene.joined('owner', { run: 'taken' });
    const stream = owner.listen();
    const { client } = await owner.link.jetStream();
    await client.publish(owner.link.subjects.events('owner'), 'no batch', { msgID: 'taken.1' });
    owner.publish('v', 'TEST', { at: 0 });
    await until(() => numbers(stream.lines).length > 0, 'the event');
    owner.publish('v', 'TEST', { at: 1 });
    await until(() => numbers(stream.lines).length > 1, 'the next one');
    expect(numbers(stream.lines)).toEqual(['v 0', 'v 1']);
    expect(gaps(stream.lines)).toEqual([]);
  });

  it('is refused where it cannot be read', async () => {
    await scene.nats();
    const maker = await scene.joined('maker');
    const { manager } = await maker.link.jetStream();
    const name = maker.link.subjects.eventStream;
    await manager.streams.delete(name);
    await manager.streams.add({ name, subjects: [maker.link.subjects.allEvents] });
    const other = await scene.node('other');
    await until(() => other.warnings.length >= 2, 'complaints');
    expect(other.warnings).toEqual([
      { fault: 'allow_direct is false, not true' },
      { fault: expect.stringMatching(/^republish is undefined, not /) as string },
    ]);
    expect(other.events.ownPosition()).toBeUndefined();
  });

  it('keeps what one node said, however much another says', async () => {
    await scene.nats();
    const settings = { maxBytes: 16 * 1024 * 1024 };
    const quiet = await scene.joined('quiet', { events: settings });
    for (let at = 0; at < 5; at++) {
      quiet.publish('q', 'TEST', { at });
      await quiet.settled();
    }
    const loud = await scene.joined('loud', { serve: false, events: settings, heartbeat: 600_000 });
    const { client, manager } = await loud.link.jetStream();
    for (let at = 0; at < 1500; at++) await client.publish(loud.link.subjects.events('loud'), 'no batch');
    const { state } = await manager.streams.info(loud.link.subjects.eventStream, { subjects_filter: '>' });
    expect(state.subjects?.[loud.link.subjects.events('loud')]).toBe(1000);
    const late = await scene.joined('late', { events: settings });
    const stream = late.listen();
    await until(() => numbers(stream.lines).length === 5, 'what the quiet one said');
    expect(late.fleet.headNumber).toBeGreaterThanOrEqual(endOf(1500));
  });
});

describe('a flood of one VM', () => {
  it('costs the fleet no event of others, and its own ones are counted', async () => {
    await scene.nats();
    const owner = await scene.joined('owner', { serve: false, events: { perVmRate: 2000 } });
    const entry = await scene.joined('entry');
    const stream = entry.listen();
    const times = timesOf(stream, 'owner-');
    const quiet = new Traffic(owner, { perSecond: 100, vms: 2 });
    let sent = 0;
    const began = performance.now();
    while (performance.now() - began < 3000) {
      const due = Math.floor(((performance.now() - began) / 1000) * 70_000);
      while (sent < due) owner.publish('loud', 'TEST', { at: sent++ });
      await pause(2);
    }
    const expected = quiet.stop();
    const tookMs = performance.now() - began;
    await entry.heard(owner);
    const { lines } = stream;
    const got = lines.filter(({ vm, event }) => vm === 'loud' && event === 'TEST').length;
    expect(got + missedOf(lines, 'loud')).toBe(sent);
    expect(got).toBeLessThanOrEqual(2000 * (tookMs / 1000 + 1) + 1);
    const others = lines.filter(({ vm, event }) => vm !== 'loud' && event !== 'gap');
    expect(faultsIn(others, expected)).toEqual([]);
    expect(gaps(lines).every(({ data }) => data.vm === 'loud')).toBe(true);
    const ofQuiet = new Audience(principal(), { ...everyEvent, vm: 'owner-0' });
    expect(entry.fleet.history(ofQuiet, 'oldest', 10_000)).toMatchObject({
      events: { length: expected.get('owner-0') },
    });
    times.sort((x, y) => x - y);
    if (process.env['FLEET_TIMES'] !== undefined)
      process.stderr.write(`${sent} events of one VM; others: p99 ${times[Math.floor(times.length * 0.99)]} ms\n`);
  });
});
