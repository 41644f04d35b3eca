import { endOf, placeOf } from '@qmp-gateway/fleet-protocol';
import { describe, expect, it } from 'vitest';
import { everyEvent } from '../../events/audience.js';
import { EventHub } from '../../events/event-hub.js';
import { listen } from '../../events/event-hub.scene.js';
import { ShownEvents } from '../../events/shown-events.js';
import { eventRecord, snapshotOf } from '../../events/event-record.js';
import type { ReceivedBatch } from '../fleet-view.js';
import { eventLine } from './event-line.js';
import { FleetFeed } from './fleet-feed.js';

const run = 'f00000000000';
const source = snapshotOf({ id: 'web', labels: {}, epoch: 'e' });

function line(name: string): string {
  return eventLine(eventRecord(1, { source, name, data: '{}', timestamp: '{}', receivedAt: 0 }));
}

function batch(sequence: number, first: number, ...names: readonly string[]): ReceivedBatch {
  const last = first + names.length - 1;
  return { ...{ sequence, node: 'n', run: 'r', first, last, sentAt: undefined, fields: {} }, lines: names.map(line) };
}

function feedOf() {
  const hub = new EventHub({ run: 'w' });
  const log = { info: () => undefined, warn: () => undefined };
  const feed = new FleetFeed(hub, new ShownEvents(new EventHub({ run: 'n' }), hub), log);
  feed.started({ incarnation: run, next: 1, whole: true, last: 0 });
  return { hub, feed };
}

describe('what the stream does not have of a node', () => {
  it('is a gap before the events that come after it, for streams that are open', async () => {
    const { hub, feed } = feedOf();
    feed.batch(batch(1, 1, 'STOP'));
    const stream = listen(hub, {});
    await expect.poll(() => hub.stats.subscribers).toBe(1);
    feed.lost(2, 'n', 3);
    feed.batch(batch(2, 5, 'RESUME'));
    await expect.poll(() => stream.names).toEqual(['gap', 'RESUME']);
    expect(stream.lines[0]).toMatchObject({
      cursor: `${run}.${placeOf(2, 0)}`,
      data: { vm: null, from: `${run}.${endOf(1)}`, missed: null },
    });
  });

  it('is told to whoever comes back with a cursor from before it, of any kind', async () => {
    const { hub, feed } = feedOf();
    feed.batch(batch(1, 1, 'STOP'));
    const cursors = [placeOf(1, 1), endOf(1)].map((n) => ({ run, n }));
    feed.lost(2, 'n', 3);
    feed.batch(batch(2, 5, 'RESUME'));
    for (const after of cursors) {
      const stream = listen(hub, { after });
      await expect.poll(() => stream.names).toEqual(['gap', 'RESUME']);
    }
    const ofOneVm = listen(hub, { after: cursors[0]!, filter: { ...everyEvent, vm: 'web' } });
    await expect.poll(() => ofOneVm.names[0]).toBe('gap');
    const later = listen(hub, { after: { run, n: placeOf(2, 0) } });
    await expect.poll(() => later.names).toEqual(['RESUME']);
  });
});
