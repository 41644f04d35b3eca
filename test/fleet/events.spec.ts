import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { event, principal, vm } from '../../apps/gateway/src/events/event-hub.scene.js';
import { FleetScene, numbers, pause, until } from './event-scene.js';

let scene: FleetScene;

beforeEach(() => {
  scene = new FleetScene();
});

afterEach(() => scene.end());

describe('events of a fleet', () => {
  it('are the same at every entry, under the same cursors', async () => {
    await scene.nats();
    const a = await scene.joined('a');
    const b = await scene.joined('b');
    for (let at = 0; at < 500; at++) (at % 2 === 0 ? a : b).publish(`vm${at % 3}`, 'TEST', { at });
    await a.heard(b);
    await b.heard(a);
    await a.heard(a);
    await b.heard(b);
    const [atA, atB] = [a.listen(), b.listen()];
    await until(() => numbers(atA.lines).length === 500 && numbers(atB.lines).length === 500, 'all events');
    const events = (sink: typeof atA) => sink.lines.filter(({ event: name }) => name !== 'bookmark');
    expect(events(atA)).toEqual(events(atB));
    expect(a.fleet.run).toMatch(/^f/);
    expect(a.fleet.run).toBe(b.fleet.run);
    for (const of of ['vm0', 'vm1', 'vm2']) {
      const own = numbers(atA.lines).filter((text) => text.startsWith(`${of} `));
      for (const parity of [0, 1]) {
        const ofNode = own.map((text) => Number(text.slice(4))).filter((at) => at % 2 === parity);
        expect(ofNode).toEqual([...ofNode].sort((x, y) => x - y));
      }
    }
  });

  it('keep the bytes of QEMU, and for whom they are', async () => {
    await scene.nats();
    const a = await scene.joined('a', { serve: false });
    const b = await scene.joined('b');
    a.hub.publish(vm('web', { tenant: 't' }), event('BIG', '{"n": 18446744073709551615}'));
    a.hub.publishOwn(vm('web', { tenant: 't' }), 'vm-changed', '{"id":"web","host":"/path"}', {
      reducedData: '{"id":"web"}',
    });
    a.hub.publishOwn(vm('web', { tenant: 't' }), 'operation', '{"id":"o1"}', { only: 'p-operate' });
    await b.heard(a);
    const all = b.listen();
    await until(() => all.lines.length >= 3, 'all events');
    const text = all.writes.join('');
    expect(text).toContain('"data":{"n": 18446744073709551615},"timestamp":{"seconds":1,"microseconds":2}');
    expect(text).toContain('/path');
    const [its, others] = [principal(['*'], 'operate'), principal(['label:tenant=t'], 'read')].map((who) =>
      b.listen({ principal: who }),
    );
    await until(() => its!.lines.length >= 3 && others!.lines.length >= 2, 'what each may see');
    expect(its!.names).toEqual(['BIG', 'vm-changed', 'operation']);
    expect(others!.names).toEqual(['BIG', 'vm-changed']);
    expect(its!.writes.join('') + others!.writes.join('')).not.toContain('/path');
    const none = b.listen({ principal: principal(['label:tenant=u'], 'host') });
    await pause(50);
    expect(none.names).toEqual([]);
  });

  it('are there from before an entry began, but not in streams that begin now', async () => {
    await scene.nats();
    const a = await scene.joined('a');
    for (let at = 0; at < 50; at++) {
      a.publish('v', 'TEST', { at });
      await pause(2);
    }
    await a.settled();
    const b = await scene.joined('b');
    const sink = b.listen();
    await until(() => numbers(sink.lines).length === 50, 'the events from before');
    expect(b.events.counts.gapFills).toBeGreaterThan(0);
    const now = b.listen({ after: undefined });
    a.publish('v', 'TEST', { at: 50 });
    await until(() => numbers(now.lines).length > 0, 'the next event');
    expect(numbers(now.lines)).toEqual(['v 50']);
  });
});
