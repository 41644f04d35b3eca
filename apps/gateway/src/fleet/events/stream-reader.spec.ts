import { encodeBatch, FleetSubjects, type Batch } from '@qmp-gateway/fleet-protocol';
import fc from 'fast-check';
import { ManualClock } from '@qmp-gateway/test-kit';
import { describe, expect, it } from 'vitest';
import type { FleetLink } from '../fleet-link.js';
import type { EventStream, StoredBatch, StreamSight } from './event-stream.js';
import { batchesOf, batchSizes, stored } from './numbered-batches.scene.js';
import { StreamReader } from './stream-reader.js';

const subjects = new FleetSubjects('test');
const heartbeatMs = 5000;
const turns = async () => {
  for (let at = 0; at < 50; at++) await Promise.resolve();
};

type Callback = (error: null, message: object) => void;

/** A stream that is as a test makes it, and what a reader says of it. */
class ReaderScene {
  readonly clock = new ManualClock();
  readonly told: string[] = [];
  readonly messages = new Map<number, StoredBatch>();
  /** Not yet at the server that is asked. */
  readonly behind = new Set<number>();
  incarnation = 'f1';
  last = 0;
  looks = 0;
  away = false;
  subscriptions = 0;
  readonly reader: StreamReader;
  #callback: Callback | undefined;

  constructor(startBack = 1000) {
    const subscribe = (_subject: string, { callback }: { callback: Callback }) => {
      this.subscriptions++;
      this.#callback = callback;
      return { unsubscribe: () => (this.#callback = undefined) };
    };
    const look = (): Promise<StreamSight> => {
      this.looks++;
      if (this.away) return Promise.reject(new Error('away'));
      const first = Math.min(this.last + 1, ...this.messages.keys());
      return Promise.resolve({ incarnation: this.incarnation, first, last: this.last, meanBytes: 100 });
    };
    const stream = {
      ...{ open: look, look },
      get: (sequence: number) => Promise.resolve(this.behind.has(sequence) ? undefined : this.messages.get(sequence)),
      firstFrom: (from: number) =>
        Promise.resolve(
          [...this.messages.values()].sort((a, b) => a.sequence - b.sequence).find(({ sequence }) => sequence >= from),
        ),
    };
    this.reader = new StreamReader({
      link: { connected: true, connection: { subscribe }, subjects } as unknown as FleetLink,
      stream: stream as unknown as EventStream,
      ...{ heartbeatMs, clock: this.clock, startBack: () => startBack },
      listener: {
        started: ({ incarnation, next, whole, last }) =>
          this.told.push(`start ${incarnation} ${next} ${whole} ${last}`),
        batch: ({ sequence, first, lines, sentAt }) =>
          this.told.push(`${sequence}: ${first} ${lines.join()}${sentAt === undefined ? '' : ' live'}`),
        missing: (from, to) => this.told.push(`missing ${from}-${to}`),
        lost: (sequence, node, events) => this.told.push(`${sequence}: lost ${events} of ${node}`),
        refused: (sequence, fault) => this.told.push(`${sequence}: ${fault}`),
      },
    });
  }

  /** Puts a batch of one line into the stream. */
  store(sequence: number, parts: Partial<Batch> = {}, subject = subjects.events('n')): StoredBatch {
    const batch = {
      node: 'n',
      run: 'r',
      first: sequence,
      last: sequence,
      at: 7,
      fields: {},
      lines: [`e${sequence}`],
      ...parts,
    };
    const message = { sequence, subject, ...encodeBatch(batch) };
    this.messages.set(sequence, message);
    this.last = Math.max(this.last, sequence);
    return message;
  }

  /** The stream tells one on. */
  tell({ sequence, subject, header, payload }: StoredBatch): void {
    const headers = new Map(
      Object.entries({ 'Nats-Sequence': String(sequence), 'Nats-Subject': subject, 'Qgw-Batch': header }),
    );
    this.#callback?.(null, { headers, data: payload });
  }

  async joined(): Promise<this> {
    this.reader.connected();
    await turns();
    this.told.length = 0;
    return this;
  }

  async advance(milliseconds: number): Promise<void> {
    this.clock.advance(milliseconds);
    await turns();
  }
}

describe('the reader of the stream', () => {
  it('begins so far back, and goes on with what it hears', async () => {
    const scene = new ReaderScene(2);
    for (let at = 1; at <= 5; at++) scene.store(at);
    scene.reader.connected();
    await turns();
    scene.tell(scene.store(6));
    expect(scene.told).toEqual(['start f1 4 false 5', '4: 4 e4', '5: 5 e5', '6: 6 e6 live']);
  });

  it('begins with the first where the stream has no more', async () => {
    const scene = new ReaderScene();
    scene.store(1);
    scene.reader.connected();
    await turns();
    expect(scene.told).toEqual(['start f1 1 true 1', '1: 1 e1']);
  });

  it('asks for what it did not hear, and keeps the order', async () => {
    const scene = await new ReaderScene().joined();
    const [, , third, fourth] = [1, 2, 3, 4].map((at) => scene.store(at));
    scene.tell(fourth!);
    scene.tell(third!);
    await turns();
    expect(scene.told).toEqual(['1: 1 e1', '2: 2 e2', '3: 3 e3 live', '4: 4 e4 live']);
  });

  it('believes the leader where another server is behind', async () => {
    const scene = await new ReaderScene().joined();
    for (let at = 1; at <= 40; at++) scene.store(at);
    scene.behind.add(1).add(20);
    scene.tell(scene.store(41));
    await turns();
    expect(scene.told).toHaveLength(41);
    expect(scene.told.some((told) => told.startsWith('missing'))).toBe(false);
  });

  it('says what the stream has no more', async () => {
    const scene = await new ReaderScene().joined();
    scene.store(3);
    scene.tell(scene.store(6));
    await turns();
    expect(scene.told).toEqual(['missing 1-2', '3: 3 e3', 'missing 4-5', '6: 6 e6 live']);
  });

  it('hears each once, and looks when an old sequence comes again', async () => {
    const scene = await new ReaderScene().joined();
    const first = scene.store(1);
    scene.tell(first);
    const { looks } = scene;
    scene.tell(first);
    await scene.advance(1000);
    expect(scene.told).toEqual(['1: 1 e1 live']);
    expect(scene.looks).toBe(looks + 1);
  });

  it('gives a batch no events the second time the stream has it', async () => {
    const scene = await new ReaderScene().joined();
    scene.tell(scene.store(1, { first: 1, last: 2, lines: ['a', 'b'] }));
    scene.tell(scene.store(2, { first: 1, last: 2, lines: ['a', 'b'] }));
    scene.tell(scene.store(3, { first: 3, last: 3, lines: ['c'] }));
    scene.tell(scene.store(4, { run: 'r2', first: 1, last: 1, lines: ['d'] }));
    expect(scene.told).toEqual(['1: 1 a,b live', '2: 3 ', '3: 3 c live', '4: 1 d live']);
  });

  it('says what a node had numbered and the stream never had', async () => {
    const scene = await new ReaderScene().joined();
    scene.tell(scene.store(1, { first: 7, last: 8, lines: ['a', 'b'] }));
    scene.tell(scene.store(2, { first: 12, last: 11, lines: [] }));
    scene.tell(scene.store(3, { first: 11, last: 13, lines: ['c', 'd', 'e'] }));
    expect(scene.told).toEqual(['1: 7 a,b live', '2: lost 3 of n', '2: 12  live', '3: 12 d,e']);
    expect(scene.reader.counts.lostEvents).toBe(3);
  });

  it('does not say once more what was told to be missing in the stream', async () => {
    const scene = await new ReaderScene().joined();
    scene.tell(scene.store(1));
    scene.tell(scene.store(4));
    await turns();
    scene.tell(scene.store(5, { first: 7, last: 7 }));
    expect(scene.told).toEqual(['1: 1 e1 live', 'missing 2-3', '4: 4 e4 live', '5: lost 2 of n', '5: 7 e5 live']);
  });

  it('refuses what is no batch, or says it is of another node', async () => {
    const scene = await new ReaderScene().joined();
    scene.tell({ ...scene.store(1), header: '{' });
    scene.tell(scene.store(2, {}, subjects.events('other')));
    scene.tell(scene.store(3));
    expect(scene.told).toEqual(['1: header-not-json', '2: wrong-sender', '3: 3 e3 live']);
  });

  it('begins anew when the stream is made anew', async () => {
    const scene = await new ReaderScene().joined();
    scene.tell(scene.store(1));
    scene.tell(scene.store(2));
    scene.messages.clear();
    Object.assign(scene, { incarnation: 'f2', last: 0 });
    scene.tell(scene.store(1));
    await scene.advance(1000);
    expect(scene.told.slice(2)).toEqual(['start f2 1 true 0', '1: 1 e1']);
  });

  it('does not believe at once that a stream lost its end', async () => {
    const scene = await new ReaderScene().joined();
    for (let at = 1; at <= 5; at++) scene.tell(scene.store(at));
    scene.told.length = 0;
    scene.last = 2;
    scene.tell(scene.store(1));
    for (let at = 0; at < 9; at++) await scene.advance(1000);
    expect(scene.told).toEqual([]);
    for (let at = 0; at < 5; at++) await scene.advance(1000);
    expect(scene.told).toEqual(['start f1 3 false 2']);
    scene.tell(scene.store(3));
    expect(scene.told.at(-1)).toBe('3: 3 e3 live');
  });

  it('subscribes again after two heartbeats of silence, if the stream went on', async () => {
    const scene = await new ReaderScene().joined();
    await scene.advance(2 * heartbeatMs);
    expect(scene.subscriptions).toBe(1);
    scene.store(1);
    await scene.advance(heartbeatMs);
    expect(scene.subscriptions).toBe(2);
    expect(scene.told).toEqual(['1: 1 e1']);
    expect(scene.reader.counts).toEqual({ gapFills: 1, resubscribes: 1, lag: 0, lostEvents: 0 });
  });

  it('asks for what this node knows to be there', async () => {
    const scene = await new ReaderScene().joined();
    scene.store(1);
    scene.reader.expect(1);
    await scene.advance(1000);
    expect(scene.told).toEqual(['1: 1 e1']);
  });

  it('asks again while nobody answers, and says so to who waits', async () => {
    const scene = await new ReaderScene().joined();
    scene.away = true;
    scene.store(1);
    scene.tell(scene.store(2));
    await turns();
    const verified = scene.reader.verify();
    await scene.advance(1000);
    await verified;
    expect(scene.told).toEqual([]);
    scene.away = false;
    await scene.advance(3000);
    expect(scene.told).toEqual(['1: 1 e1', '2: 2 e2 live']);
    scene.reader.end();
    await scene.advance(100_000);
    expect(scene.clock.pending).toBe(0);
  });

  it('has each event of a node once and in order, or says how many it has not, whatever the stream and its servers do', async () => {
    const runs = fc.tuple(batchSizes, batchSizes, batchSizes);
    const streams = runs.chain(([a, b, c]) =>
      stored([...batchesOf('a', 'r1', [0, ...a]), ...batchesOf('b', 'r1', b), ...batchesOf('a', 'r2', c)]),
    );
    const heard = fc.array(fc.record({ at: fc.nat(), unheard: fc.boolean(), twice: fc.boolean() }));
    await fc.assert(
      fc.asyncProperty(streams, heard, async (stream, told) => {
        const scene = await new ReaderScene().joined();
        const messages = stream.map((batch, at) => scene.store(at + 1, batch, subjects.events(batch.node)));
        for (const { at, unheard, twice } of told) {
          const message = messages[at % Math.max(1, messages.length)];
          if (message === undefined || unheard) continue;
          scene.tell(message);
          if (twice) scene.tell(message);
        }
        for (let at = 0; at < 4; at++) await scene.advance(heartbeatMs);
        scene.reader.end();
        expect(holesIn(scene.told, stream)).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});

/** Where what was told of a run of a node does not go on as it should; it begins where its node was read first. */
function holesIn(told: readonly string[], stream: readonly Batch[]): string[] {
  const next = new Map<string, number>();
  const nodes = new Set<string>();
  const holes: string[] = [];
  let lost = 0;
  for (const text of told) {
    const lostOf = /^\d+: lost (\d+) of /.exec(text);
    if (lostOf !== null) lost = Number(lostOf[1]);
    const [, sequence = '', first = '', lines = ''] = /^(\d+): (\d+) (.*?)(?: live)?$/.exec(text) ?? [];
    const batch = stream[Number(sequence) - 1];
    if (batch === undefined) continue;
    const { node, run } = batch;
    const wanted = next.get(`${node} ${run}`) ?? (nodes.has(node) ? 1 : batch.first);
    nodes.add(node);
    const got = lines === '' ? [] : lines.split(',').map((line) => Number(line.split(' ')[2]));
    got.forEach((number, at) => {
      if (number !== wanted + lost + at) holes.push(`${text}: not ${wanted + lost + at}`);
    });
    next.set(`${node} ${run}`, Math.max(wanted, wanted + lost + got.length));
    if (got.length > 0 && Number(first) !== got[0]) holes.push(text);
    lost = 0;
  }
  return holes;
}
