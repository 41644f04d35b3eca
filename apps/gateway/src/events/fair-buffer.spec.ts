import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FairBuffer, type Kept } from './fair-buffer.js';

const item = fc.record({ vm: fc.constantFrom('a', 'b', 'c', 'd'), bytes: fc.integer({ min: 1, max: 20 }) });

describe('FairBuffer', () => {
  it('keeps its bounds, drops the oldest of the VM that holds most, and loses nothing unsaid', () => {
    fc.assert(
      fc.property(
        fc.array(item, { maxLength: 200, size: 'max' }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 10, max: 100 }),
        (items, events, bytes) => {
          const dropped: Kept[] = [];
          const buffer = new FairBuffer<Kept>({ events, bytes }, (one) => dropped.push(one));
          const kept = () =>
            [...buffer.queues.values()].flatMap((queue) =>
              Array.from({ length: queue.length }, (_, i) => queue.at(i)!),
            );
          items.forEach(({ vm, bytes: size }, index) => {
            const before = kept();
            const gone = dropped.length;
            buffer.push({ n: index + 1, vm, bytes: size });
            const victims = dropped.slice(gone);
            // Whoever lost something held at least as much as anybody who had something to give, the newcomer counted in.
            const held = (of: string, measure: (one: Kept) => number) =>
              [...before, { n: 0, vm, bytes: size }]
                .filter((one) => one.vm === of)
                .reduce((sum, one) => sum + measure(one), 0);
            const [first] = victims;
            if (first !== undefined && size <= bytes) {
              const byCount = before.length >= events;
              const measure = byCount ? () => 1 : (one: Kept) => one.bytes;
              for (const other of new Set(before.map((one) => one.vm)))
                expect(held(first.vm, measure)).toBeGreaterThanOrEqual(held(other, measure));
            }
          });
          const all = [...kept(), ...dropped].map(({ n }) => n).sort((a, b) => a - b);
          expect(all).toEqual(items.map((_, index) => index + 1));
          expect(buffer.count).toBe(kept().length);
          expect(buffer.count).toBeLessThanOrEqual(events);
          expect(buffer.bytes).toBe(kept().reduce((sum, one) => sum + one.bytes, 0));
          expect(buffer.bytes).toBeLessThanOrEqual(bytes);
          for (const queue of buffer.queues.values()) {
            const numbers = Array.from({ length: queue.length }, (_, i) => queue.at(i)!.n);
            expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
            for (const lost of dropped) if (lost.vm === queue.vm) expect(lost.n).toBeLessThan(numbers[0]!);
          }
        },
      ),
    );
  });

  it('finds where a position lies in a queue', () => {
    const buffer = new FairBuffer<Kept>({ events: 1000, bytes: 1000 }, () => undefined);
    for (let n = 2; n <= 600; n += 2) buffer.push({ n, vm: 'a', bytes: 1 });
    const queue = buffer.queues.get('a')!;
    for (let i = 0; i < 150; i++) buffer.shift(queue);
    expect(queue.at(queue.indexAfter(401))?.n).toBe(402);
    expect(queue.at(queue.indexAfter(402))?.n).toBe(404);
    expect(queue.indexAfter(0)).toBe(0);
    expect(queue.at(queue.indexAfter(600))).toBeUndefined();
  });
});
