import type { VmClient } from '@qmp-gateway/client';

/** How fast the guest dirties its memory, as `query-dirty-rate` says. */
export interface DirtyRate {
  /** MiB each second; null before a first measurement. */
  readonly mibPerSecond: number | null;
  readonly status: 'unstarted' | 'measuring' | 'measured';
}

/** The latest measurement. Starts none. */
export async function dirtyRate(client: VmClient, signal: AbortSignal): Promise<DirtyRate> {
  const answer = (await client.query('query-dirty-rate', {}, { signal })) as {
    readonly status: DirtyRate['status'];
    readonly 'dirty-rate'?: bigint | number;
  };
  const rate = answer['dirty-rate'];
  return { status: answer.status, mibPerSecond: rate === undefined ? null : Number(rate) };
}
