import type { VmClient } from '@qmp-gateway/client';
import type { AskedVm, ChartGroup, ChartReader, Reading } from './chart-group.js';
import { counterOf, CounterRates } from './counter-rate.js';

/** The part of a row of `query-stats` that is used. */
export interface VcpuStats {
  readonly 'qom-path'?: string;
  readonly stats: readonly { readonly name: string; readonly value: unknown }[];
}

const noTimes =
  'This VM gives no CPU statistics. QEMU has them (query-stats) since 7.1 for VMs that run with KVM; a VM without KVM has none.';
const exits = 'exits';
/** Nanoseconds in which KVM saw the vCPU halted, waiting or polling. */
const halted = ['halt_wait_ns', 'halt_poll_success_ns', 'halt_poll_fail_ns'];

export const cpuGroup: ChartGroup = {
  id: 'cpu',
  title: 'CPU',
  charts: [
    {
      ...{ id: 'busy', title: 'Not halted', unit: 'percent' },
      says: 'Share of time in which a vCPU was not halted, from the halt times of KVM (query-stats). What the host took away counts as not halted.',
    },
    {
      id: 'exits',
      title: 'Exits',
      unit: 'per second',
      says: 'Exits from the guest to KVM, for each vCPU (query-stats).',
    },
  ],
  reader: () => new CpuReader(),
};

/** Rates from the statistics of KVM for each vCPU. */
export class CpuReader implements ChartReader {
  readonly #exits = new CounterRates();
  readonly #halted = new CounterRates();

  async read({ client, epoch, nowMs, signal }: AskedVm): Promise<Reading> {
    return this.reading(await vcpuStats(client, signal), epoch, nowMs());
  }

  /** @param atMs when the statistics were read */
  reading(rows: readonly VcpuStats[], session: string | null, atMs: number): Reading {
    const exitCounts = new Map<string, bigint>();
    const haltTimes = new Map<string, bigint>();
    for (const [index, row] of rows.entries()) {
      const line = `vCPU ${/\/(?:device|cpu)\[(\d+)\]$/.exec(row['qom-path'] ?? '')?.[1] ?? index}`;
      const values = new Map(row.stats.map(({ name, value }) => [name, counterOf(value)]));
      const count = values.get(exits);
      if (count !== undefined) exitCounts.set(line, count);
      const times = halted.map((name) => values.get(name)).filter((time) => time !== undefined);
      if (values.get('halt_wait_ns') !== undefined)
        haltTimes.set(
          line,
          times.reduce((sum, time) => sum + time, 0n),
        );
    }
    if (exitCounts.size === 0 && haltTimes.size === 0) return { kind: 'none', reason: noTimes };
    const exitRates = this.#exits.read(session, atMs, exitCounts);
    const busy = new Map(
      [...this.#halted.read(session, atMs, haltTimes)].map(([line, perSecond]) => [line, busyPercent(perSecond)]),
    );
    return { kind: 'values', charts: { busy, exits: exitRates } };
  }
}

/** KVM adds a halt when it ends, so that a second may seem to have more than one. */
function busyPercent(haltedNsPerSecond: number | null): number | null {
  return haltedNsPerSecond === null ? null : Math.min(100, Math.max(0, 100 - haltedNsPerSecond / 1e7));
}

async function vcpuStats(client: VmClient, signal: AbortSignal): Promise<readonly VcpuStats[]> {
  const names = [exits, ...halted];
  return client.query('query-stats', { target: 'vcpu', providers: [{ provider: 'kvm', names }] }, { signal });
}
