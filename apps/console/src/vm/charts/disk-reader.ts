import type { ChartGroup, ChartReader, Reading } from './chart-group.js';
import { counterOf, CounterRates, meanBetween } from './counter-rate.js';

/** The part of a row of `query-blockstats` that is used. */
export interface BlockStats {
  readonly device?: string;
  readonly 'node-name'?: string;
  readonly qdev?: string;
  readonly stats: Readonly<Record<string, unknown>>;
}

const directions = [
  { name: 'read', bytes: 'rd_bytes', operations: 'rd_operations', time: 'rd_total_time_ns' },
  { name: 'write', bytes: 'wr_bytes', operations: 'wr_operations', time: 'wr_total_time_ns' },
] as const;

/** A chart of more disks cannot be read; the first are shown. */
const mostDisks = 12;

export const diskGroup: ChartGroup = {
  id: 'disk',
  title: 'Disks',
  charts: [
    {
      ...{ id: 'bytes', title: 'Throughput', unit: 'bytes per second' },
      says: 'Bytes that the guest reads and writes (query-blockstats).',
    },
    { id: 'operations', title: 'Operations', unit: 'per second', says: 'Requests of the guest (query-blockstats).' },
    {
      ...{ id: 'latency', title: 'Time for an operation', unit: 'milliseconds' },
      says: 'Mean time of the requests that ended between two readings (query-blockstats).',
    },
  ],
  reader: () => new DiskReader(),
};

/** Rates from the counters of the guest's disks. */
export class DiskReader implements ChartReader {
  readonly #bytes = new CounterRates();
  readonly #operations = new CounterRates();
  #times = new Map<string, { readonly sum: bigint; readonly count: bigint }>();
  #session: string | null = null;

  async read({ client, epoch, nowMs, signal }: Parameters<ChartReader['read']>[0]): Promise<Reading> {
    const rows = await client.query('query-blockstats', undefined, { signal });
    return this.reading(rows as unknown as readonly BlockStats[], epoch, nowMs());
  }

  /** @param atMs when the counters were read */
  reading(rows: readonly BlockStats[], session: string | null, atMs: number): Reading {
    if (rows.length === 0) return { kind: 'none', reason: 'This VM has no disks.' };
    const counters = { bytes: new Map<string, bigint>(), operations: new Map<string, bigint>() };
    const times = new Map<string, { sum: bigint; count: bigint }>();
    for (const row of rows.slice(0, mostDisks))
      for (const direction of directions) {
        const line = `${diskName(row)} ${direction.name}`;
        const [bytes, operations, time] = (['bytes', 'operations', 'time'] as const).map((what) =>
          counterOf(row.stats[direction[what]]),
        );
        if (bytes !== undefined) counters.bytes.set(line, bytes);
        if (operations !== undefined) counters.operations.set(line, operations);
        if (operations !== undefined && time !== undefined) times.set(line, { sum: time, count: operations });
      }
    const before = session === this.#session ? this.#times : new Map<string, { sum: bigint; count: bigint }>();
    this.#session = session;
    this.#times = times;
    const latency = new Map(
      [...times].map(([line, now]) => {
        const nanoseconds = meanBetween(before.get(line), now);
        return [line, nanoseconds === null ? null : nanoseconds / 1e6] as const;
      }),
    );
    const bytes = this.#bytes.read(session, atMs, counters.bytes);
    const operations = this.#operations.read(session, atMs, counters.operations);
    return { kind: 'values', charts: { bytes, operations, latency } };
  }
}

/** What a disk is called: as `-drive` named it, else by its device, else by its node. */
export function diskName({ device, qdev, 'node-name': node }: Omit<BlockStats, 'stats'>): string {
  if (device !== undefined && device !== '') return device;
  const part = qdev?.split('/').findLast((name) => name !== '' && !/^(virtio-)?backend$|^device\[\d+\]$/.test(name));
  return part ?? node ?? 'disk';
}
