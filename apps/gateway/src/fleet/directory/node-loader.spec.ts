import type { SnapshotVm } from '@qmp-gateway/fleet-protocol';
import { ManualClock } from '@qmp-gateway/test-kit';
import { describe, expect, it } from 'vitest';
import type { ReceivedBatch } from '../fleet-view.js';
import { NodeEntry } from './node-entry.js';
import { NodeLoader } from './node-loader.js';
import type { NodeRecords, NodeSnapshot } from './node-records.js';
import { Tellings } from './tellings.js';
import { VmIndex } from './vm-index.js';

const view = (state: string): SnapshotVm => ({
  ...{ id: 'vm', labels: {}, epoch: 'e' },
  ...{ full: `{"state":"${state}"}`, reduced: `{"state":"${state}"}` },
});

/** A batch with one event of the VM for each number, or a heartbeat. Its place in the stream is its last number and ten. */
function batch(first: number, states: readonly string[], fields: object = {}): ReceivedBatch {
  const last = first + states.length - 1;
  return {
    ...{ node: 'n', run: 'r', first, last, sequence: last + 10, sentAt: 1, lines: states },
    fields: fields as Readonly<Record<string, unknown>>,
  };
}

/** A node whose record and stream are as the test makes them. */
class LoaderScene {
  readonly entry = new NodeEntry('n', new ManualClock(), 0);
  readonly told: string[] = [];
  readonly #tellings = new Tellings();
  readonly #loader: NodeLoader;
  snapshot: NodeSnapshot | undefined;
  stored: ReceivedBatch[] = [];

  constructor() {
    this.#tellings.onNews(() => {
      for (const { name, source } of this.#tellings.take(100, 0))
        this.told.push(name === 'vm-removed' ? `removed ${source.id}` : (this.state ?? 'nothing'));
    });
    const records = { read: () => Promise.resolve(this.snapshot) } as unknown as NodeRecords;
    const archive = {
      next: (_node: string, after: number) => Promise.resolve(this.stored.find(({ sequence }) => sequence > after)),
      last: () => Promise.resolve(this.stored.at(-1)),
    };
    const readChange = (state: string) => ({ kind: 'changed' as const, ...view(state) });
    this.#loader = new NodeLoader({ records, archive, readChange }, { index: new VmIndex(), tellings: this.#tellings });
  }

  get state(): string | undefined {
    return this.entry.vms.get('vm')?.view(true);
  }

  take(received: ReceivedBatch): string {
    return this.#loader.take(this.entry, received);
  }

  /** @param number of the last event that is in it */
  load(revision: number, number: number, state: string): Promise<boolean> {
    const facts = { node: 'n', run: 'r', identity: 'i', version: '1', speaks: [1], isClaim: false };
    const record = { ...facts, number, sequence: number + 10, vms: 1, slot: 0 as const, pieces: 0 };
    this.snapshot = { record, revision, stored: 1, vms: [view(state)] };
    return this.loadRecord();
  }

  async loadRecord(): Promise<boolean> {
    const found = await this.#loader.load(this.entry);
    await new Promise((resolve) => setImmediate(resolve));
    return found;
  }
}

describe('what is known of a node', () => {
  it('is its snapshot, and what the stream has after it', async () => {
    const scene = new LoaderScene();
    scene.stored = [batch(7, ['seven']), batch(8, ['eight'])];
    await scene.load(1, 6, 'six');
    expect([scene.state, scene.entry.stale]).toEqual(['{"state":"eight"}', false]);
    expect(scene.take(batch(9, ['nine']))).toBe('taken');
    expect(scene.state).toBe('{"state":"nine"}');
  });

  it('stays doubtful where events were skipped, until a snapshot has what they said, also one that is behind', async () => {
    const scene = new LoaderScene();
    await scene.load(1, 6, 'six');
    // Seven and eight are nowhere to be had.
    expect(scene.take(batch(9, []))).toBe('missing');
    await scene.load(1, 6, 'six');
    expect(scene.entry).toMatchObject({ number: 8, stale: true });
    await scene.load(1, 6, 'six');
    expect(scene.entry.stale).toBe(true);
    scene.stored = [batch(8, ['eight'])];
    expect(scene.take(batch(9, [], { snapshot: 2 }))).toBe('missing');
    await scene.load(2, 7, 'seven');
    expect([scene.state, scene.entry.stale, scene.told.at(-1)]).toEqual([
      '{"state":"eight"}',
      false,
      '{"state":"eight"}',
    ]);
  });

  it('is nothing while it has no record: nobody is told of VMs that go at once', async () => {
    const scene = new LoaderScene();
    expect(scene.take(batch(1, ['waiting']))).toBe('missing');
    expect(await scene.loadRecord()).toBe(false);
    expect([scene.state, scene.told]).toEqual([undefined, []]);
  });
});
