import type { AskedVm, ChartGroup, ChartReader, Reading } from './chart-group.js';
import { counterOf, CounterRates } from './counter-rate.js';

/** The part of a row of `guest-network-get-interfaces` that is used. */
export interface GuestInterface {
  readonly name: string;
  readonly statistics?: Readonly<Record<string, unknown>>;
}

const noCounters =
  'QEMU counts no network traffic. The guest agent does, and this VM has none that answers; on the host the counters of the tap device do.';
const directions = [
  { name: 'received', bytes: 'rx-bytes', packets: 'rx-packets' },
  { name: 'sent', bytes: 'tx-bytes', packets: 'tx-packets' },
] as const;
const mostInterfaces = 8;

export const networkGroup: ChartGroup = {
  id: 'network',
  title: 'Network',
  charts: [
    {
      ...{ id: 'bytes', title: 'Throughput', unit: 'bytes per second' },
      says: 'Bytes of each interface as the guest counts them (guest-network-get-interfaces).',
    },
    {
      ...{ id: 'packets', title: 'Packets', unit: 'per second' },
      says: 'Packets of each interface as the guest counts them (guest-network-get-interfaces).',
    },
  ],
  reader: () => new NetworkReader(),
};

/** Rates from the counters that the guest keeps of its interfaces. */
export class NetworkReader implements ChartReader {
  readonly #bytes = new CounterRates();
  readonly #packets = new CounterRates();

  async read({ client, epoch, hasAgent, nowMs, signal }: AskedVm): Promise<Reading> {
    if (!hasAgent) return { kind: 'none', reason: noCounters };
    const rows = await client.agent.execute('guest-network-get-interfaces', undefined, { signal, timeout: '5s' });
    return this.reading(rows as readonly GuestInterface[], epoch, nowMs());
  }

  /** @param atMs when the counters were read */
  reading(rows: readonly GuestInterface[], session: string | null, atMs: number): Reading {
    const bytes = new Map<string, bigint>();
    const packets = new Map<string, bigint>();
    for (const { name, statistics } of rows.filter(({ name: of }) => of !== 'lo').slice(0, mostInterfaces))
      for (const direction of directions) {
        const line = `${name} ${direction.name}`;
        const byteCount = counterOf(statistics?.[direction.bytes]);
        const packetCount = counterOf(statistics?.[direction.packets]);
        if (byteCount !== undefined) bytes.set(line, byteCount);
        if (packetCount !== undefined) packets.set(line, packetCount);
      }
    if (bytes.size === 0)
      return { kind: 'none', reason: 'The guest agent lists no interface with counters, but the loopback one.' };
    return {
      kind: 'values',
      charts: { bytes: this.#bytes.read(session, atMs, bytes), packets: this.#packets.read(session, atMs, packets) },
    };
  }
}
