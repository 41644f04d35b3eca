import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Audience, everyEvent } from './audience.js';
import { ndjson } from './encodings.js';
import { event, filter, hubWith, listen, principal, turn, vm } from './event-hub.scene.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('one sequence', () => {
  it('numbers events over all VMs and shows them in one shape', () => {
    const hub = hubWith();
    const sink = listen(hub);
    turn();
    hub.publish(vm('a'), event('STOP'));
    hub.publish({ ...vm('b'), epoch: null }, event('RESET', '{"guest": 18446744073709551615}'));
    turn();
    expect(sink.writes.join('')).toBe(
      '{"cursor":"r1.1","vm":"a","epoch":"r1.1","event":"STOP","data":{},"timestamp":{"seconds":1,"microseconds":2},"time":"2023-11-14T22:13:20.000Z"}\n' +
        '{"cursor":"r1.2","vm":"b","epoch":null,"event":"RESET","data":{"guest": 18446744073709551615},"timestamp":{"seconds":1,"microseconds":2},"time":"2023-11-14T22:13:20.000Z"}\n',
    );
    expect(hub.head()).toBe('r1.2');
  });

  it('sends what gathered in a turn in one write', () => {
    const hub = hubWith();
    const sink = listen(hub);
    turn();
    for (let i = 0; i < 5; i++) hub.publish(vm('a'), event('STOP'));
    expect(sink.writes).toHaveLength(0);
    turn();
    expect(sink.writes).toHaveLength(1);
    expect(sink.lines).toHaveLength(5);
  });

  it('gives the same bytes, made once, to all who want the same', () => {
    const hub = hubWith();
    const seen: Buffer[] = [];
    const encode = vi.spyOn(ndjson, 'frame');
    for (let i = 0; i < 3; i++)
      listen(hub, { sink: { write: (bytes) => seen.push(bytes) > 0, end: () => undefined }, encoding: ndjson });
    turn();
    hub.publish(vm('a'), event('STOP'));
    turn();
    expect(seen).toHaveLength(3);
    expect(new Set(seen).size).toBe(1);
    expect(encode).toHaveBeenCalledTimes(1);
    encode.mockRestore();
  });

  it('keeps an event as it was when its VM changes afterwards', () => {
    const hub = hubWith();
    const changing = { id: 'a', labels: { t: 'x' }, epoch: 'r1.1' };
    hub.publish(changing, event('STOP'));
    changing.labels = { t: 'y' };
    changing.epoch = 'r1.2';
    hub.publish(changing, event('RESUME'));
    const audience = new Audience(principal(['label:t=x']), everyEvent);
    const page = hub.history(audience, undefined, 10);
    expect('events' in page && page.events.map((json) => (JSON.parse(json) as { event: string }).event)).toEqual([
      'STOP',
    ]);
  });

  it('gives what a VM names like no event of QAPI another name, which no filter for ours matches', () => {
    const hub = hubWith();
    const [all, own] = [listen(hub), listen(hub, { filter: filter(['*'], ['vm-*', 'gap', 'bookmark', 'operation']) })];
    turn();
    for (const name of ['vm-changed', 'vm-removed', 'gap', 'bookmark', 'operation', 'a\r\n\u001b[2J"', 'STOP'])
      hub.publish(vm('a'), event(name, '{"id":"b","missed":5}'));
    hub.flush();
    const prefixed = ['vm-changed', 'vm-removed', 'gap', 'bookmark', 'operation', 'a\ufffd\ufffd\ufffd[2J"'];
    expect(all.names).toEqual([...prefixed.map((name) => `x-vm:${name}`), 'STOP']);
    expect(own.names).toEqual([]);
    const tapped: string[] = [];
    hub.tap('a', { event: ({ name }) => tapped.push(name) });
    hub.publish(vm('a'), event('gap'));
    expect(tapped).toEqual(['gap']);
  });

  it('has a gap in the place of an event that is too large, live and kept, for who wanted it', () => {
    const hub = hubWith();
    const [all, others, coalesced] = [
      listen(hub),
      listen(hub, { filter: filter(['*'], ['RESUME']) }),
      listen(hub, { coalesceMs: 1 }),
    ];
    turn();
    hub.publish(vm('a'), event('STOP'));
    hub.publishLeftOut(vm('a'), 'RTC_CHANGE');
    hub.publishLeftOut(vm('a'), 'RTC_CHANGE');
    hub.publish(vm('a'), event('RESUME'));
    hub.closeAll();
    expect(all.names).toEqual(['STOP', 'gap', 'gap', 'RESUME']);
    expect(all.lines[1]).toMatchObject({ cursor: 'r1.2', vm: 'a', data: { from: 'r1.1', to: 'r1.2', missed: 1 } });
    expect(others.names).toEqual(['RESUME']);
    expect(coalesced.names).toEqual(['STOP', 'gap', 'gap', 'RESUME']);
    const later = listen(hub, { after: { run: 'r1', n: 0 } });
    turn();
    expect(later.lines[0]).toMatchObject({ event: 'gap', vm: 'a', data: { to: 'r1.3' } });
    expect(later.names).toEqual(['gap', 'RESUME']);
  });

  it('puts data with line breaks on one line', () => {
    const hub = hubWith();
    const sink = listen(hub);
    turn();
    hub.publish(vm('a'), event('X', '{\r\n  "a": "b\\n"\r\n}'));
    turn();
    expect(sink.writes).toHaveLength(1);
    expect(sink.lines[0]?.data).toEqual({ a: 'b\n' });
  });
});

describe('filters and scopes', () => {
  it.each([
    [filter(['a']), ['STOP a', 'RESUME a']],
    [filter([], ['S*', 'RESET']), ['STOP a', 'RESET b']],
    [filter([], [], ['tier=go*']), ['RESET b']],
    [{ ...everyEvent, vm: 'b' }, ['RESET b']],
    [filter(['nobody']), []],
  ])('delivers what %j selects', (wanted, expected) => {
    const hub = hubWith();
    const sink = listen(hub, { filter: wanted });
    turn();
    hub.publish(vm('a'), event('STOP'));
    hub.publish(vm('b', { tier: 'gold' }), event('RESET'));
    hub.publish(vm('a'), event('RESUME'));
    turn();
    expect(sink.lines.map((line) => `${line.event} ${line.vm ?? ''}`)).toEqual(expected);
  });

  it('shows nothing of VMs a principal may not see, neither live nor kept', () => {
    const hub = hubWith();
    hub.publish(vm('other'), event('STOP'));
    const sink = listen(hub, { principal: principal(['own-*']), after: 'oldest' });
    turn();
    hub.publish(vm('other'), event('RESUME'));
    hub.publish(vm('own-1'), event('RESET'));
    turn();
    expect(sink.names).toEqual(['RESET']);
  });

  it('tells those whom a VM leaves by its new labels that it is gone, and nobody else', () => {
    const hub = hubWith();
    const [before, after] = [vm('web', { tenant: 'a' }), vm('web', { tenant: 'b' })];
    const sinks = [
      listen(hub, { principal: principal(['label:tenant=a']) }),
      listen(hub, { filter: filter([], [], ['tenant=a']) }),
      listen(hub, { principal: principal(['label:tenant=b']) }),
      listen(hub, { principal: principal() }),
    ];
    vi.advanceTimersByTime(0);
    hub.publishOwn(before, 'vm-removed', '{"id":"web"}', { successor: after });
    hub.publishOwn(after, 'vm-changed', '{"id":"web"}');
    vi.advanceTimersByTime(0);
    const told = sinks.map(({ lines }) => lines.map((line) => line.event));
    expect(told).toEqual([['vm-removed'], ['vm-removed'], ['vm-changed'], ['vm-changed']]);
  });

  it('shows host paths only from level configure up', () => {
    const hub = hubWith();
    const low = listen(hub, { principal: principal(['*'], 'operate') });
    const high = listen(hub, { principal: principal(['*'], 'configure') });
    turn();
    hub.publishOwn(vm('a'), 'vm-changed', '{"endpoint":"unix:/x"}', { reducedData: '{}' });
    turn();
    expect(low.lines[0]?.data).toEqual({});
    expect(high.lines[0]?.data).toEqual({ endpoint: 'unix:/x' });
  });

  it('shows operations to their principal and to level host alone', () => {
    const hub = hubWith();
    const owner = listen(hub, { principal: principal(['*'], 'operate') });
    const other = listen(hub, { principal: principal(['*'], 'configure') });
    const host = listen(hub, { principal: principal(['*'], 'host') });
    turn();
    hub.publishOwn(vm('a'), 'operation', '{}', { only: 'p-operate' });
    turn();
    expect([owner, other, host].map((sink) => sink.names.length)).toEqual([1, 0, 1]);
  });

  it('writes wide integers as strings for who asks', () => {
    const hub = hubWith();
    const sink = listen(hub, { int64: 'string' });
    turn();
    hub.publish(vm('a'), event('X', '{"wide":9223372036854775807,"narrow":1}'));
    turn();
    expect(sink.lines[0]?.data).toEqual({ wide: '9223372036854775807', narrow: 1 });
  });
});

describe('history and waiting', () => {
  it('pages through what is kept', () => {
    const hub = hubWith();
    for (let i = 0; i < 5; i++) hub.publish(vm('a'), event(`E${i}`));
    const audience = new Audience(principal(), everyEvent);
    const first = hub.history(audience, undefined, 2);
    expect(first).toMatchObject({ cursor: 'r1.2', oldest: 'r1.0' });
    expect(hub.history(audience, { run: 'r1', n: 2 }, 2)).toMatchObject({ cursor: 'r1.4' });
    expect(hub.history(audience, { run: 'r1', n: 5 }, 2)).toMatchObject({ events: [], cursor: 'r1.5' });
    expect(hub.history(audience, { run: 'r0', n: 5 }, 2)).toEqual({ expired: true, oldest: 'r1.0' });
  });

  it('calls back at the first match, once', () => {
    const hub = hubWith();
    const called = vi.fn();
    hub.onceMatched(new Audience(principal(), filter([], ['SHUTDOWN'])), called);
    turn();
    hub.publish(vm('a'), event('STOP'));
    turn();
    expect(called).not.toHaveBeenCalled();
    hub.publish(vm('a'), event('SHUTDOWN'));
    hub.publish(vm('a'), event('SHUTDOWN'));
    turn();
    expect(called).toHaveBeenCalledTimes(1);
    expect(hub.stats.subscribers).toBe(0);
  });

  it('taps the events of one VM at once', () => {
    const hub = hubWith();
    const names: string[] = [];
    const end = hub.tap('a', { event: ({ name }) => names.push(name) });
    hub.publish(vm('a'), event('STOP'));
    hub.publish(vm('b'), event('RESET'));
    end();
    hub.publish(vm('a'), event('RESUME'));
    expect(names).toEqual(['STOP']);
  });
});

describe('what was received within a time', () => {
  const minute = 60_000;
  const wall = 1_700_000_000_000;
  const audience = new Audience(principal(), everyEvent);
  const namesSince = (hub: ReturnType<typeof hubWith>, minutes: number) => {
    const page = hub.history(audience, hub.positionOf(minutes * minute, audience), 10);
    return 'expired' in page ? 'expired' : page.events.map((text) => (JSON.parse(text) as { event: string }).event);
  };
  const received = (name: string, minutesAgo: number) => ({ ...event(name), receivedAt: wall - minutesAgo * minute });

  it('is read from the first of it on, of all VMs', () => {
    vi.setSystemTime(wall);
    const hub = hubWith();
    hub.publish(vm('a'), received('STOP', 90));
    hub.publish(vm('b'), received('RESET', 61));
    hub.publish(vm('a'), received('RESUME', 59));
    hub.publish(vm('b'), received('SHUTDOWN', 1));
    expect(namesSince(hub, 60)).toEqual(['RESUME', 'SHUTDOWN']);
    expect(namesSince(hub, 120)).toEqual(['STOP', 'RESET', 'RESUME', 'SHUTDOWN']);
    expect(namesSince(hub, 0.5)).toEqual([]);
  });

  it('is what is kept of it, where that is less', () => {
    vi.setSystemTime(wall);
    const hub = hubWith({ history: { events: 2, bytes: 1_000_000 } });
    for (const name of ['STOP', 'RESUME', 'RESET']) hub.publish(vm('a'), received(name, 10));
    expect(namesSince(hub, 60)).toEqual(['RESUME', 'RESET']);
  });
});
