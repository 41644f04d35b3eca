import { ManualClock } from '@qmp-gateway/test-kit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BucketEntry } from '../fleet-bucket.js';
import { EndpointLeases, leaseKey, type LeaseParts } from './endpoint-leases.js';

const endpoint = 'tcp:10.0.0.7:4444';
const leaseMs = 3000;

/** A bucket as NATS has it, for one that may be cut off from it. */
class FakeBucket {
  readonly entries = new Map<string, BucketEntry>();
  #revision = 0;

  /** @param isAway asked before and after each write */
  seenBy(isAway: () => 'no' | 'before' | 'after'): LeaseParts['bucket'] {
    const write = (key: string, value: Uint8Array, right: (entry: BucketEntry | undefined) => boolean) => {
      if (isAway() === 'before') return Promise.reject(new Error('away'));
      if (!right(this.entries.get(key))) return Promise.resolve(undefined);
      const revision = ++this.#revision;
      this.entries.set(key, { value, revision, stored: 0 });
      // Written, and nobody hears of it.
      return isAway() === 'after' ? Promise.reject(new Error('away')) : Promise.resolve(revision);
    };
    return {
      get: (key) => (isAway() === 'no' ? Promise.resolve(this.entries.get(key)) : Promise.reject(new Error('away'))),
      create: (key, value) => write(key, value, (entry) => entry === undefined),
      update: (key, value, revision) => write(key, value, (entry) => entry?.revision === revision),
      remove: (key, revision) => {
        if (isAway() !== 'no') return Promise.reject(new Error('away'));
        if (this.entries.get(key)?.revision !== revision) return Promise.resolve(false);
        return Promise.resolve(this.entries.delete(key));
      },
    };
  }
}

class LeaseScene {
  readonly clock = new ManualClock();
  readonly bucket = new FakeBucket();
  readonly changes: string[] = [];

  node(
    name: string,
    { away = () => 'no' as const, identity = name }: { away?: () => 'no' | 'before' | 'after'; identity?: string } = {},
  ) {
    const leases = new EndpointLeases({
      ...{ node: name, run: `${name}run`, identity, leaseMs, clock: this.clock },
      bucket: this.bucket.seenBy(away),
      shared: () => new Map([[endpoint, 'vm']]),
      changed: () => this.changes.push(name),
      log: { info: () => undefined, warn: () => undefined },
    });
    leases.start();
    return leases;
  }

  /** Time passes, and what is asked of the bucket is answered. */
  async pass(milliseconds: number): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += 50) {
      this.clock.advance(50);
      await answersCome();
    }
  }
}

async function answersCome(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

describe('a lease of an endpoint', () => {
  it('is had by the first that asks, and renewed for as long as it likes', async () => {
    const scene = new LeaseScene();
    const first = scene.node('a');
    await scene.pass(500);
    const second = scene.node('b');
    await scene.pass(20_000);
    expect([first.held(endpoint), second.held(endpoint)]).toEqual([1, undefined]);
    expect(scene.changes).toEqual(['a']);
  });

  it('is given back at the end, and then had by the next at once, with a greater number', async () => {
    const scene = new LeaseScene();
    const [first, second] = [scene.node('a'), scene.node('b')];
    await scene.pass(1000);
    const before = first.held(endpoint) ?? 0;
    expect(before).toBeGreaterThan(0);
    await first.release();
    expect(first.held(endpoint)).toBeUndefined();
    await scene.pass(1500);
    expect(second.held(endpoint)).toBeGreaterThan(before);
  });

  it('ends by the own clock of a holder that NATS does not answer, before another takes it', async () => {
    const scene = new LeaseScene();
    let isAway = false;
    const first = scene.node('a', { away: () => (isAway ? 'before' : 'no') });
    await scene.pass(1000);
    const second = scene.node('b');
    await scene.pass(1000);
    isAway = true;
    await scene.pass(leaseMs);
    expect([first.held(endpoint), second.held(endpoint)]).toEqual([undefined, undefined]);
    await scene.pass(leaseMs);
    expect(second.held(endpoint)).toBeDefined();
    isAway = false;
    await scene.pass(leaseMs);
    expect(first.held(endpoint)).toBeUndefined();
    expect(scene.changes).toEqual(['a', 'a', 'b']);
  });

  it('is kept over a renewal that was written though it seemed to fail', async () => {
    const scene = new LeaseScene();
    let lost = 0;
    const first = scene.node('a', { away: () => (lost > 0 && lost-- === 1 ? 'after' : 'no') });
    await scene.pass(500);
    lost = 2;
    await scene.pass(leaseMs * 3);
    expect(first.held(endpoint)).toBe(1);
    expect(scene.changes).toEqual(['a']);
  });

  it('is had at once by the next run of a state directory', async () => {
    const scene = new LeaseScene();
    scene.bucket.entries.set(leaseKey(endpoint), {
      value: Buffer.from(JSON.stringify({ v: 1, node: 'a', run: 'earlier', identity: 'same' })),
      ...{ revision: 0, stored: 0 },
    });
    const again = scene.node('a', { identity: 'same' });
    await scene.pass(500);
    expect(again.held(endpoint)).toBeDefined();
  });

  it('has one key however the place is written', () => {
    expect(leaseKey('tls:HOST.example:4444')).toBe(leaseKey('tcp:host.example:4444'));
    expect(leaseKey('tcp:host.example:4445')).not.toBe(leaseKey('tcp:host.example:4444'));
  });

  it('is never had by two, whenever NATS fails which of them', async () => {
    const faults = fc.array(
      fc.record({
        who: fc.integer({ min: 0, max: 2 }),
        how: fc.constantFrom('no', 'before', 'after'),
        for: fc.integer({ min: 1, max: 150 }),
      }),
      { maxLength: 30 },
    );
    await fc.assert(
      fc.asyncProperty(faults, async (plan) => {
        const scene = new LeaseScene();
        const away: ('no' | 'before' | 'after')[] = ['no', 'no', 'no'];
        const nodes = away.map((_, at) => scene.node(String(at), { away: () => away[at] ?? 'no' }));
        for (const { who, how, for: steps } of plan) {
          away[who] = how;
          for (let step = 0; step < steps; step++) {
            await scene.pass(50);
            expect(nodes.filter((node) => node.held(endpoint) !== undefined).length).toBeLessThan(2);
          }
        }
        away.fill('no');
        await scene.pass(3 * leaseMs);
        expect(nodes.filter((node) => node.held(endpoint) !== undefined)).toHaveLength(1);
      }),
      { numRuns: 60 },
    );
  });
});
