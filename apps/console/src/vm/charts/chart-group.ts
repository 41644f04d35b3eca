import type { VmClient } from '@qmp-gateway/client';

export type ChartUnit = 'bytes' | 'bytes per second' | 'per second' | 'milliseconds' | 'percent';

/** One picture: lines over time. */
export interface ChartTitle {
  readonly id: string;
  readonly title: string;
  readonly unit: ChartUnit;
  /** What the numbers are, and where from. */
  readonly says: string;
}

/** What was read at one moment: for each chart the values of its lines. Or why there is nothing to read. */
export type Reading =
  | { readonly kind: 'values'; readonly charts: Readonly<Record<string, ReadonlyMap<string, number | null>>> }
  | { readonly kind: 'none'; readonly reason: string };

/** A VM, asked by a reader. */
export interface AskedVm {
  readonly client: VmClient;
  /** The session with it, in which counters belong together; null without one. */
  readonly epoch: string | null;
  readonly hasAgent: boolean;
  /** Milliseconds of a clock that never goes back. */
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
}

/** Reads what the charts of a group show. Keeps the counters of the reading before. */
export interface ChartReader {
  read(vm: AskedVm): Promise<Reading>;
}

/** Charts whose numbers come together. */
export interface ChartGroup {
  readonly id: string;
  readonly title: string;
  readonly charts: readonly ChartTitle[];
  readonly reader: () => ChartReader;
}
