import { readBatch, type Batch } from '@qmp-gateway/fleet-protocol';
import { ManualClock } from '@qmp-gateway/test-kit';
import { describe, expect, it } from 'vitest';
import { eventRecord, snapshotOf } from '../../events/event-record.js';
import { EventPublisher, IdTaken, type Outgoing } from './event-publisher.js';
import { PublishBuffer } from './publish-buffer.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

function publisherOf() {
  const clock = new ManualClock();
  const sent: Outgoing[] = [];
  const waiting: { resolve(sequence: number): void; reject(error: Error): void }[] = [];
  const buffer = new PublishBuffer({ bytes: 10_000_000, perVmRate: 1_000_000 }, clock);
  const publisher = new EventPublisher({
    ...{ node: 'n1', run: 'r1', heartbeatMs: 5000, buffer, clock, random: () => 1 },
    heartbeatFields: () => ({ revision: 7 }),
    outlet: {
      longestLine: 1_000_000,
      publish: (message) => {
        sent.push(message);
        return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
      },
    },
  });
  let n = 0;
  let sequence = 0;
  return {
    ...{ clock, sent, publisher },
    add: (count: number, data = '{}') => {
      for (let at = 0; at < count; at++)
        publisher.add(
          eventRecord(++n, {
            source: snapshotOf({ id: 'a', labels: {}, epoch: 'e' }),
            name: 'STOP',
            data,
            timestamp: '{}',
            receivedAt: 0,
          }),
        );
    },
    stored: async () => {
      waiting.shift()!.resolve(++sequence);
      await turn();
    },
    failed: async (error = new Error('no')) => {
      waiting.shift()!.reject(error);
      await turn();
    },
    batches: () => sent.map(({ header, payload }) => readBatch(header, payload) as Batch),
  };
}

describe('the publisher', () => {
  it('begins with a heartbeat, which carries what it is given', async () => {
    const { publisher, batches, sent, stored } = publisherOf();
    publisher.start();
    expect(batches()).toMatchObject([{ node: 'n1', run: 'r1', first: 1, last: 0, lines: [], fields: { revision: 7 } }]);
    expect(sent[0]!.id).toBe('r1.1.1');
    await stored();
    expect(publisher.acknowledged).toBe(1);
  });

  it('has one batch under way, and gathers meanwhile', async () => {
    const { publisher, add, batches, stored, clock, sent } = publisherOf();
    publisher.start();
    add(3);
    await turn();
    expect(sent).toHaveLength(1);
    await stored();
    clock.advance(20);
    add(5);
    await turn();
    expect(batches().slice(1)).toMatchObject([{ first: 1, last: 3, fields: {} }]);
    clock.advance(100);
    expect(sent).toHaveLength(2);
    await stored();
    expect(batches().slice(2)).toMatchObject([{ first: 4, last: 8 }]);
  });

  it('sends the first after a pause at once, and others when they are 20 ms old or 64 KiB', async () => {
    const { publisher, add, stored, clock, sent } = publisherOf();
    publisher.start();
    await stored();
    clock.advance(1000);
    add(1);
    await turn();
    expect(sent).toHaveLength(2);
    await stored();
    add(1);
    await turn();
    expect(sent).toHaveLength(2);
    clock.advance(20);
    expect(sent).toHaveLength(3);
    await stored();
    add(200, `{"x":"${'x'.repeat(1000)}"}`);
    await turn();
    expect(sent).toHaveLength(4);
    expect(sent[3]!.payload.length).toBeLessThanOrEqual(64 * 1024);
  });

  it('repeats what is not known to be stored, the same bytes under the same id, ever less often', async () => {
    const { publisher, add, stored, failed, clock, sent } = publisherOf();
    publisher.start();
    await stored();
    clock.advance(20);
    add(2);
    await turn();
    for (const pause of [50, 100, 200, 400, 800, 1600, 2000, 2000]) {
      const before = sent.length;
      await failed();
      clock.advance(pause - 1);
      await turn();
      expect(sent).toHaveLength(before);
      clock.advance(1);
      await turn();
      expect(sent).toHaveLength(before + 1);
    }
    expect(new Set(sent.slice(1))).toHaveProperty('size', 1);
    await failed();
    publisher.retryNow();
    await turn();
    await stored();
    expect(publisher.acknowledged).toBe(2);
  });

  it('takes another id, for the same bytes, when the stream has the id and not the batch', async () => {
    const { publisher, add, stored, failed, clock, sent } = publisherOf();
    publisher.start();
    await stored();
    clock.advance(20);
    add(2);
    await turn();
    await failed();
    clock.advance(50);
    await turn();
    await failed(new IdTaken('no'));
    clock.advance(100);
    await turn();
    await failed();
    clock.advance(200);
    await turn();
    await stored();
    expect(sent.slice(1).map(({ id }) => id)).toEqual(['r1.1', 'r1.1', 'r1.1-2', 'r1.1-2']);
    expect(new Set(sent.slice(1).map(({ payload }) => payload))).toHaveProperty('size', 1);
    expect(publisher.acknowledged).toBe(2);
  });

  it('is heard at each heartbeat, and never twice under one id', async () => {
    const { publisher, stored, clock, sent } = publisherOf();
    publisher.start();
    await stored();
    clock.advance(5000);
    await stored();
    clock.advance(5000);
    expect(sent.map(({ id }) => id)).toEqual(['r1.1.1', 'r1.1.2', 'r1.1.3']);
  });

  it('sends what there is before it ends, or gives up in time', async () => {
    const { publisher, add, stored, clock, batches } = publisherOf();
    publisher.start();
    await stored();
    add(2);
    const finished = publisher.finish(1000);
    await turn();
    expect(batches()[1]).toMatchObject({ first: 1, last: 2 });
    await stored();
    await finished;

    const other = publisherOf();
    other.publisher.start();
    other.add(1);
    const late = other.publisher.finish(1000);
    clock.advance(1000);
    other.clock.advance(1000);
    await late;
  });
});
