import { ManualClock } from '@qmp-gateway/test-kit';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Audience, everyEvent } from './audience.js';
import { snapshotOf, type EventParts } from './event-record.js';
import { filter, hubWith, listen, principal, turn, vm, type TestSink } from './event-hub.scene.js';
import { ShownEvents } from './shown-events.js';

// A hub whose numbers come from elsewhere: jumps, holes, and runs that end.

beforeEach(() => vi.useFakeTimers());

afterEach(() => vi.useRealTimers());

const parts = (id: string, name: string, more: Partial<EventParts> = {}): EventParts => ({
  ...{ source: snapshotOf(vm(id)), name, data: '{}', timestamp: '{}', receivedAt: 0 },
  ...more,
});
const shown = (sink: TestSink) =>
  sink.lines.map(
    ({ cursor, event, data }) =>
      `${cursor} ${event}${event === 'gap' ? ` ${data.from} ${String(data.vm)} ${String(data.missed)}` : ''}`,
  );
const everything = new Audience(principal(), everyEvent);

describe('a hub with numbers from elsewhere', () => {
  it('delivers and keeps what comes under them, and moves on without an event', () => {
    const hub = hubWith();
    const live = listen(hub);
    turn();
    hub.enter(10, parts('a', 'STOP'));
    hub.enter(11, parts('a', 'RESUME'));
    hub.advance(20);
    turn();
    expect(shown(live)).toEqual(['r1.10 STOP', 'r1.11 RESUME']);
    expect(hub.head()).toBe('r1.20');
    expect(hub.history(everything, { run: 'r1', n: 10 }, 10)).toMatchObject({ cursor: 'r1.11' });
    expect(hub.readCursor('r1.20')).toBeDefined();
    expect(hub.readCursor('r1.21')).toBeUndefined();
    expect(() => hub.enter(20, parts('a', 'STOP'))).toThrow(RangeError);
    hub.advance(5);
    expect(hub.headNumber).toBe(20);
  });

  it('shows what the fleet never had as a gap of its VM, whatever names are asked for', () => {
    const hub = hubWith();
    const [wanted, other] = [listen(hub, { filter: filter(['a'], ['STOP']) }), listen(hub, { filter: filter(['b']) })];
    turn();
    hub.enter(5, parts('a', 'gap', { missed: 7 }));
    hub.enter(6, parts('a', 'RESUME'));
    turn();
    expect(shown(wanted)).toEqual(['r1.5 gap r1.4 a 7']);
    expect(shown(other)).toEqual([]);
    const late = listen(hub, { filter: filter(['a'], ['STOP']), after: { run: 'r1', n: 0 } });
    turn();
    expect(shown(late)).toEqual(['r1.5 gap r1.4 a 7']);
  });

  it('tells everybody of a hole, also who comes later from before it', () => {
    const hub = hubWith();
    hub.enter(1, parts('a', 'STOP'));
    const live = listen(hub, { filter: filter(['b']) });
    turn();
    hub.miss(100);
    hub.enter(101, parts('a', 'RESUME'));
    turn();
    expect(shown(live)).toEqual(['r1.100 gap r1.99 null null']);
    const late = listen(hub, { after: { run: 'r1', n: 0 } });
    turn();
    expect(shown(late)).toEqual(['r1.1 STOP', 'r1.100 gap r1.0 null null', 'r1.101 RESUME']);
    expect(hub.history(everything, { run: 'r1', n: 1 }, 10)).toMatchObject({ expired: true, oldest: 'r1.100' });
  });
});

describe('numbers that are of another run from now on', () => {
  const restarted = { run: 'r2', n: 40, lost: 40, live: 60 };

  it('are a gap in open streams, which go on with what is no past', () => {
    const hub = hubWith();
    const live = listen(hub);
    turn();
    hub.enter(500, parts('a', 'STOP'));
    hub.restart(restarted);
    hub.enter(50, parts('a', 'PAST'));
    turn();
    hub.enter(55, parts('a', 'PAST'));
    hub.enter(61, parts('a', 'RESUME'));
    turn();
    expect(shown(live)).toEqual(['r1.500 STOP', 'r2.60 gap r1.500 null null', 'r2.61 RESUME']);
  });

  it('leave nothing of the run before, and keep the past of the new one for who asks', () => {
    const hub = hubWith();
    hub.enter(500, parts('a', 'STOP'));
    hub.restart(restarted);
    expect(hub.isBehind).toBe(true);
    hub.enter(50, parts('a', 'RESUME'));
    hub.advance(60);
    expect(hub.isBehind).toBe(false);
    expect(hub.history(everything, { run: 'r1', n: 400 }, 10)).toMatchObject({ expired: true, oldest: 'r2.40' });
    expect(hub.history(everything, { run: 'r2', n: 40 }, 10)).toMatchObject({ cursor: 'r2.50' });
    expect(hub.history(everything, { run: 'r2', n: 39 }, 10)).toMatchObject({ expired: true });
  });

  it('take away what waited for a slow reader, which is told', () => {
    const hub = hubWith();
    const slow = listen(hub);
    turn();
    slow.congested = true;
    hub.enter(1, parts('a', 'STOP'));
    turn();
    for (let n = 2; n <= 30; n++) hub.enter(n, parts('a', 'STOP'));
    turn();
    hub.restart({ run: 'r2', n: 0, lost: 0, live: 0 });
    hub.enter(1, parts('a', 'RESUME'));
    turn();
    slow.relieve();
    turn();
    expect(shown(slow)).toEqual(['r1.1 STOP', 'r2.0 gap r1.1 null null', 'r2.1 RESUME']);
  });

  it('find what a stream held back already sent', () => {
    const hub = hubWith();
    const folded = listen(hub, { coalesceMs: 1000 });
    turn();
    hub.enter(1, parts('a', 'STOP'));
    hub.enter(2, parts('a', 'STOP'));
    turn();
    hub.restart({ run: 'r2', n: 0, lost: 0, live: 0 });
    turn();
    expect(shown(folded)).toEqual(['r1.2 STOP', 'r2.0 gap r1.2 null null']);
  });

  it('reach a stream before it began', () => {
    const hub = hubWith();
    const early = listen(hub);
    hub.restart(restarted);
    hub.restart({ ...restarted, run: 'r3' });
    turn();
    hub.enter(61, parts('a', 'STOP'));
    turn();
    expect(shown(early)).toEqual(['r3.60 gap r1.0 null null', 'r3.61 STOP']);
  });
});

describe('what an entry shows', () => {
  function entry(ownPosition?: string) {
    const clock = new ManualClock();
    const [node, fleet] = [hubWith(), hubWith({ run: 'w' })];
    const events = new ShownEvents(node, fleet, clock);
    let verified = 0;
    events.readFrom({
      ownPosition: () => ownPosition,
      verify: () => {
        verified++;
        return Promise.resolve();
      },
    });
    const settled = async (promise: Promise<void> | undefined) => {
      let done = false;
      void promise?.then(() => (done = true));
      for (let at = 0; at < 5; at++) await Promise.resolve();
      return done;
    };
    return { clock, node, fleet, events, settled, verified: () => verified };
  }

  it('is the fleet, and the node for who asks for it', () => {
    const { events, node, fleet } = entry('f.7');
    expect(events.of(undefined)).toBe(fleet);
    expect(events.of('node')).toBe(node);
    expect(events.commandCursor()).toBe('f.7');
    expect(events.head()).toBe('w.0');
    const alone = new ShownEvents(node, undefined);
    expect(alone.of(undefined)).toBe(node);
    alone.readFrom({ ownPosition: () => 'f.7', verify: () => Promise.resolve() });
    expect(alone.commandCursor()).toBe('r1.0');
    expect(alone.reached(node, 'r1.99')).toBeUndefined();
  });

  it('waits for the fleet, for a position, or 3 s', async () => {
    const { events, fleet, settled, clock } = entry();
    const first = events.reached(fleet, undefined);
    expect(await settled(first)).toBe(false);
    fleet.restart({ run: 'f', n: 10, lost: 10, live: 20 });
    events.moved();
    expect(await settled(first)).toBe(false);
    fleet.advance(20);
    events.moved();
    expect(await settled(first)).toBe(true);
    expect(events.reached(fleet, undefined)).toBeUndefined();
    expect(events.reached(fleet, 'no cursor at all')).toBeUndefined();
    expect(events.reached(fleet, 'f.15')).toBeUndefined();
    const ahead = events.reached(fleet, 'f.30');
    expect(await settled(ahead)).toBe(false);
    fleet.advance(30);
    events.moved();
    expect(await settled(ahead)).toBe(true);
    const future = events.reached(fleet, 'f.999');
    clock.advance(2999);
    expect(await settled(future)).toBe(false);
    clock.advance(1);
    expect(await settled(future)).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('looks for another run when somebody names one, and waits no longer than that', async () => {
    const { events, fleet, settled, verified } = entry();
    fleet.restart({ run: 'f', n: 10, lost: 0, live: 10 });
    events.moved();
    expect(await settled(events.reached(fleet, 'g.5'))).toBe(true);
    expect(verified()).toBe(1);
  });
});
