import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Audience, everyEvent } from './audience.js';
import { Principal } from '../access/principal.js';
import { ndjsonWithBookmarks, sse } from './encodings.js';
import type { EventHub } from './event-hub.js';
import type { TestSink } from './event-hub.scene.js';
import { event, filter, hubWith, limits, listen, principal, turn, vm } from './event-hub.scene.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('starting points', () => {
  const published = (hub: EventHub, count: number) => {
    for (let i = 0; i < count; i++) hub.publish(vm('a'), event(`E${i + 1}`));
  };

  it('starts now without one', () => {
    const hub = hubWith();
    published(hub, 3);
    const sink = listen(hub);
    turn();
    published(hub, 1);
    turn();
    expect(sink.lines.map(({ cursor }) => cursor)).toEqual(['r1.4']);
  });

  it('misses nothing that is published between subscribing and the first turn', () => {
    const hub = hubWith();
    const sink = listen(hub);
    published(hub, 2);
    turn();
    expect(sink.names).toEqual(['E1', 'E2']);
  });

  it('resumes after a cursor without repeating', () => {
    const hub = hubWith();
    published(hub, 5);
    const sink = listen(hub, { after: { run: 'r1', n: 3 } });
    hub.publish(vm('a'), event('NEW'));
    turn();
    hub.publish(vm('a'), event('NEWER'));
    turn();
    expect(sink.names).toEqual(['E4', 'E5', 'NEW', 'NEWER']);
  });

  it('tells a gap of unknown size after a cursor of another run, then all that is kept', () => {
    const hub = hubWith();
    published(hub, 2);
    const sink = listen(hub, { after: { run: 'r0', n: 77 } });
    turn();
    expect(sink.names).toEqual(['gap', 'E1', 'E2']);
    expect(sink.lines[0]).toMatchObject({
      cursor: 'r1.0',
      vm: null,
      data: { vm: null, from: 'r0.77', to: 'r1.0', missed: null },
    });
  });

  it('tells a gap where the history no longer reaches back, and none for who asked for the oldest', () => {
    const hub = hubWith({ history: { events: 3, bytes: 1_000_000 } });
    published(hub, 5);
    const late = listen(hub, { after: { run: 'r1', n: 1 } });
    const oldest = listen(hub, { after: 'oldest' });
    turn();
    expect(late.lines[0]).toMatchObject({ cursor: 'r1.2', data: { vm: 'a', from: 'r1.1', to: 'r1.2', missed: null } });
    expect(late.names).toEqual(['gap', 'E3', 'E4', 'E5']);
    expect(oldest.names).toEqual(['E3', 'E4', 'E5']);
  });

  it('tells a gap to who saw the lost events, though the VM has other labels since', () => {
    const hub = hubWith({ history: { events: 2, bytes: 1e6 } });
    const cursor = hub.readCursor(hub.head());
    for (const tenant of ['a', 'b', 'b', 'b']) hub.publish(vm('web', { tenant }), event('STOP'));
    const tenantA = listen(hub, { principal: principal(['label:tenant=a']), after: cursor });
    const tenantC = listen(hub, { principal: principal(['label:tenant=c']), after: cursor });
    vi.advanceTimersByTime(0);
    expect(tenantA.lines).toMatchObject([
      { event: 'gap', data: { vm: 'web', from: 'r1.0', to: 'r1.1', missed: null } },
    ]);
    expect(tenantC.lines).toEqual([]);
  });

  it('knows that events of other names were lost, not the wanted ones', () => {
    const hub = hubWith({ history: { events: 3, bytes: 1_000_000 } });
    hub.publish(vm('a'), event('FLOOD'));
    published(hub, 3);
    const audience = new Audience(principal(), filter([], ['E*']));
    expect(hub.history(audience, { run: 'r1', n: 0 }, 10)).toMatchObject({ oldest: 'r1.0', cursor: 'r1.4' });
    expect(hub.history(new Audience(principal(), everyEvent), { run: 'r1', n: 0 }, 10)).toEqual({
      expired: true,
      oldest: 'r1.1',
    });
  });

  it('replays a long history slice by slice, in turns', () => {
    const hub = hubWith();
    for (let i = 0; i < 2000; i++) hub.publish(vm('a'), event('E', `{"i":${i}}`));
    const sink = listen(hub, { after: 'oldest' });
    vi.advanceTimersByTime(0);
    expect(sink.writes).toHaveLength(1);
    hub.publish(vm('a'), event('LIVE'));
    for (let i = 0; i < 10; i++) turn();
    expect(sink.writes.length).toBeGreaterThan(3);
    expect(sink.lines.map(({ cursor }) => cursor)).toEqual(Array.from({ length: 2001 }, (_, i) => `r1.${i + 1}`));
  });

  it('reads cursors it may have given, and no others', () => {
    const hub = hubWith();
    published(hub, 2);
    expect(hub.readCursor('r1.2')).toEqual({ run: 'r1', n: 2 });
    expect(hub.readCursor('r0.900')).toEqual({ run: 'r0', n: 900 });
    for (const text of ['r1.3', 'r1', 'r1.', '.1', 'r1.-1', 'r1.01', 'r1.1.1', 'r1.1e3', '', 'r 1.1'])
      expect(hub.readCursor(text)).toBeUndefined();
  });
});

describe('bounds', () => {
  it('lets a flooding VM push out only its own history', () => {
    const hub = hubWith({ history: { events: 10, bytes: 1_000_000 } });
    hub.publish(vm('quiet'), event('STOP'));
    for (let i = 0; i < 100; i++) hub.publish(vm('flood'), event('E'));
    const page = hub.history(new Audience(principal(), filter(['quiet'])), { run: 'r1', n: 0 }, 10);
    expect(page).toMatchObject({ events: [expect.stringContaining('"STOP"')], oldest: 'r1.0' });
    expect(hub.kept.events).toBe(10);
  });

  it('keeps within the bytes too, and gives up an event that is larger than all', () => {
    const hub = hubWith({ history: { events: 1000, bytes: 10_000 } });
    for (let i = 0; i < 100; i++) hub.publish(vm('a'), event('E', JSON.stringify('x'.repeat(i * 10))));
    expect(hub.kept.bytes).toBeLessThanOrEqual(10_000);
    hub.publish(vm('a'), event('BIG', JSON.stringify('x'.repeat(20_000))));
    const audience = new Audience(principal(), everyEvent);
    expect(hub.history(audience, { run: 'r1', n: 100 }, 10)).toEqual({ expired: true, oldest: 'r1.101' });
  });

  it('drops for a congested subscriber from the VM that fills it, and tells how many', () => {
    const hub = hubWith();
    const sink = listen(hub);
    turn();
    sink.congested = true;
    hub.publish(vm('a'), event('FIRST'));
    turn();
    hub.publish(vm('quiet'), event('STOP'));
    for (let i = 0; i < 50; i++) hub.publish(vm('flood'), event('E'));
    hub.publish(vm('quiet'), event('RESUME'));
    turn();
    expect(sink.names).toEqual(['FIRST']);
    sink.relieve();
    const [, ...rest] = sink.lines;
    expect(rest.map((line) => line.event)).toEqual(['STOP', 'gap', ...Array<string>(8).fill('E'), 'RESUME']);
    expect(rest[1]).toMatchObject({
      cursor: 'r1.44',
      vm: 'flood',
      data: { vm: 'flood', from: 'r1.2', to: 'r1.44', missed: 42 },
    });
    expect(hub.stats.dropped).toBe(42);
  });

  it('gives the congested a share of what all of them may hold, and all of it to who is left', () => {
    const hub = hubWith({ subscriber: { ...limits, events: 1000, bytes: 8000, allBytes: 10_000 } });
    const sinks = [listen(hub), listen(hub), listen(hub), listen(hub)];
    turn();
    for (const sink of sinks) sink.congested = true;
    const flood = (from: number) => {
      for (let n = from; n < from + 200; n++) hub.publish(vm('a'), event('E', `{"n":${n}}`));
      turn();
    };
    flood(0);
    flood(200);
    const heldBy = (sink: TestSink) => {
      const before = sink.lines.length;
      sink.relieve();
      return sink.lines.length - before;
    };
    const [first, ...others] = sinks.slice(1).map(heldBy);
    const kept = first ?? 0;
    expect(others).toEqual([kept, kept]);
    expect(hub.stats.congested).toBe(1);
    flood(400);
    expect(heldBy(sinks[0]!)).toBeGreaterThan(2 * kept);
    expect(hub.stats.congested).toBe(0);
  });

  it('refuses streams beyond its places, of one principal and in all, and takes others when some end', () => {
    const hub = hubWith({ subscriptions: 4 });
    const of = (id: string) => new Principal(id, id, { level: 'read', vms: ['*'] });
    const own = [listen(hub, { principal: of('a') }), listen(hub, { principal: of('a') })];
    const tooMany = expect.objectContaining({ code: 'too-many-requests' });
    expect(() => listen(hub, { principal: of('a') })).toThrow(tooMany);
    expect(() => hub.onceMatched(new Audience(of('a'), everyEvent), () => undefined)).toThrow(tooMany);
    listen(hub, { principal: of('b') });
    listen(hub, { principal: of('c') });
    expect(() => listen(hub, { principal: of('d') })).toThrow(tooMany);
    own[0]?.subscription.close();
    listen(hub, { principal: of('d') });
    expect(hub.stats.subscribers).toBe(4);
  });

  it('goes on live after a congestion', () => {
    const hub = hubWith();
    const sink = listen(hub);
    turn();
    sink.congested = true;
    for (const name of ['A', 'B']) {
      hub.publish(vm('a'), event(name));
      turn();
    }
    sink.relieve();
    hub.publish(vm('a'), event('C'));
    turn();
    expect(sink.names).toEqual(['A', 'B', 'C']);
    expect(sink.writes).toHaveLength(3);
  });

  it('ends a subscriber that takes nothing for 60 s, and not one that takes something', () => {
    const hub = hubWith();
    const stuck = listen(hub);
    const slow = listen(hub);
    turn();
    stuck.congested = slow.congested = true;
    for (let second = 0; second < 59; second++) {
      hub.publish(vm('a'), event('E'));
      vi.advanceTimersByTime(1000);
      if (second === 30) slow.relieve();
      slow.congested = true;
    }
    expect(stuck.ended).toBeUndefined();
    vi.advanceTimersByTime(2000);
    expect(stuck.ended).toBe('too-slow');
    expect(slow.ended).toBeUndefined();
    expect(hub.stats.subscribers).toBe(1);
  });
});

describe('bookmarks, credentials, end', () => {
  it('tells the position at once and every 15 s', () => {
    const hub = hubWith();
    const sink = listen(hub, { encoding: sse });
    turn();
    expect(sink.writes).toEqual(['id: r1.0\n\n']);
    hub.publish(vm('a'), event('STOP'));
    vi.advanceTimersByTime(16_000);
    expect(sink.writes.slice(2)).toEqual(['id: r1.1\n\n']);
  });

  it('tells no position that is not reached: a congested stream gets none', () => {
    const hub = hubWith();
    const sink = listen(hub, { encoding: ndjsonWithBookmarks });
    turn();
    sink.congested = true;
    hub.publish(vm('a'), event('A'));
    turn();
    hub.publish(vm('a'), event('B'));
    vi.advanceTimersByTime(20_000);
    expect(sink.names).toEqual(['bookmark', 'A']);
    sink.relieve();
    vi.advanceTimersByTime(1000);
    expect(sink.names).toEqual(['bookmark', 'A', 'B', 'bookmark']);
    expect(sink.lines.at(-1)?.cursor).toBe('r1.2');
  });

  it('ends a stream when its credentials are no longer valid', () => {
    const hub = hubWith();
    let valid = true;
    const sink = listen(hub, { principal: principal(['*'], 'read', () => valid) });
    vi.advanceTimersByTime(5000);
    expect(sink.ended).toBeUndefined();
    valid = false;
    vi.advanceTimersByTime(1000);
    expect(sink.ended).toBe('credentials');
  });

  it('delivers what there is before it ends all streams', () => {
    const hub = hubWith();
    const sink = listen(hub);
    const folding = listen(hub, { coalesceMs: 10_000 });
    turn();
    hub.publish(vm('a'), event('STOP'));
    hub.closeAll();
    expect(sink.names).toEqual(['STOP']);
    expect(folding.names).toEqual(['STOP']);
    expect([sink.ended, folding.ended]).toEqual(['shutdown', 'shutdown']);
    turn();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('delivers nothing after the client left', () => {
    const hub = hubWith();
    const sink = listen(hub);
    turn();
    sink.subscription.close();
    hub.publish(vm('a'), event('STOP'));
    turn();
    expect(sink.writes).toHaveLength(0);
    expect(sink.ended).toBeUndefined();
  });
});

describe('coalesce', () => {
  it('keeps the newest of each VM, event and thing in a window and says how many it stands for', () => {
    const hub = hubWith();
    const sink = listen(hub, { coalesceMs: 200 });
    turn();
    for (let i = 0; i < 7; i++)
      hub.publish(vm('a'), event('NIC_RX_FILTER_CHANGED', `{"name":"n0","path":"/n0","i":${i}}`));
    hub.publish(vm('a'), event('NIC_RX_FILTER_CHANGED', '{"name":"n1","path":"/n1"}'));
    hub.publish(vm('b'), event('STOP'));
    hub.publish(vm('a'), event('NIC_RX_FILTER_CHANGED', '{"name":"n0","path":"/n0","i":7}'));
    turn();
    expect(sink.writes).toHaveLength(0);
    vi.advanceTimersByTime(200);
    expect(sink.lines.map(({ cursor, coalesced }) => [cursor, coalesced])).toEqual([
      ['r1.8', 1],
      ['r1.9', 1],
      ['r1.10', 8],
    ]);
    expect(hub.stats.coalesced).toBe(7);
  });

  it('never tells a position beyond what it holds back', () => {
    const hub = hubWith();
    const sink = listen(hub, { coalesceMs: 30_000, encoding: ndjsonWithBookmarks });
    turn();
    hub.publish(vm('a'), event('STOP'));
    vi.advanceTimersByTime(29_000);
    expect(sink.names).toEqual(['bookmark']);
    vi.advanceTimersByTime(2000);
    expect(sink.names.slice(0, 2)).toEqual(['bookmark', 'STOP']);
  });
});
