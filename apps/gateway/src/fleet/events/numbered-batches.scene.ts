import type { Batch } from '@qmp-gateway/fleet-protocol';
import fc from 'fast-check';

/** Batches of one run as its node sends them: so many events in each, none in a heartbeat. Each line is its number. */
export function batchesOf(node: string, run: string, sizes: readonly number[]): Batch[] {
  let first = 1;
  return sizes.map((size) => {
    const lines = Array.from({ length: size }, (_, at) => `${node} ${run} ${first + at}`);
    const batch = { ...{ node, run, first, last: first + size - 1, at: 0, fields: {} }, lines };
    first += size;
    return batch;
  });
}

/** What a stream makes of what was sent: each batch never, once or twice, and the second time later. */
export function stored(sent: readonly Batch[]): fc.Arbitrary<Batch[]> {
  const fate = fc.record({ copies: fc.integer({ min: 0, max: 2 }), late: fc.integer({ min: 0, max: 4 }) });
  return fc.array(fate, { minLength: sent.length, maxLength: sent.length }).map((fates) =>
    sent
      .flatMap((batch, at) => {
        const { copies, late } = fates[at] ?? { copies: 1, late: 0 };
        return Array.from({ length: copies }, (_, copy) => ({ at: at + copy * late, batch }));
      })
      .sort((a, b) => a.at - b.at)
      .map(({ batch }) => batch),
  );
}

/** How many events the batches of a run have. */
export const batchSizes = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 12 });
