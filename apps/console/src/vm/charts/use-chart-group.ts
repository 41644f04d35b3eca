import { useEffect, useMemo, useRef, useState } from 'react';
import { useVm, useVmClient } from '../../api/use-gateway.js';
import type { ChartGroup, Reading } from './chart-group.js';
import { Poller } from './poller.js';
import { problemReason } from './problem-reason.js';
import { RollingSeries } from './rolling-series.js';
import { useIsLookedAt } from './use-is-looked-at.js';

/** Moments that are kept: ten minutes at two seconds. */
const keptPoints = 300;

/** What the charts of a group show. */
export type ShownGroup =
  | { readonly kind: 'none'; readonly reason: string }
  | {
      readonly kind: 'values';
      readonly series: Readonly<Record<string, RollingSeries>>;
      /** Another number after each reading. */
      readonly version: number;
      /** Why the last question had no answer; empty where it had. */
      readonly why: string;
    };

/** Reads a group of charts while its element is looked at and the VM is there. */
export function useChartGroup(
  vm: string,
  group: ChartGroup,
  { pauseMs, element }: { readonly pauseMs: number; readonly element: Element | null },
): ShownGroup {
  const client = useVmClient(vm);
  const row = useVm(vm);
  const isLookedAt = useIsLookedAt(element);
  const session = useRef<{ epoch: string | null; hasAgent: boolean }>({ epoch: null, hasAgent: false });
  session.current = { epoch: row?.epoch ?? null, hasAgent: row?.agent?.state === 'ready' };
  const reader = useMemo(() => group.reader(), [vm, group]);
  const series = useMemo(() => seriesOf(group), [vm, group]);
  const [shown, setShown] = useState<ShownGroup>({ kind: 'values', series, version: 0, why: '' });
  const isReady = row?.state === 'ready';
  useEffect(() => {
    if (!isLookedAt || !isReady) return;
    const read = async (signal: AbortSignal): Promise<void> => {
      const { epoch, hasAgent } = session.current;
      const reading = await reader.read({ client, epoch, hasAgent, nowMs: () => performance.now(), signal });
      if (!signal.aborted) setShown((before) => withReading(before, reading, series));
    };
    const failed = (error: unknown): void => setShown((before) => withFailure(before, error, series));
    const poller = new Poller(read, { pauseMs, failed });
    poller.start();
    return () => poller.stop();
    // The client is another object at each render, and the same VM.
  }, [vm, reader, series, isLookedAt, isReady, pauseMs]);
  return shown;
}

type Series = Readonly<Record<string, RollingSeries>>;

function seriesOf({ charts }: ChartGroup): Series {
  return Object.fromEntries(charts.map(({ id }) => [id, new RollingSeries(keptPoints)]));
}

function withReading(before: ShownGroup, reading: Reading, series: Series): ShownGroup {
  if (reading.kind === 'none') return reading;
  const seconds = Date.now() / 1000;
  for (const [id, values] of Object.entries(reading.charts)) series[id]?.add(seconds, values);
  return { kind: 'values', series, version: (before.kind === 'values' ? before.version : 0) + 1, why: '' };
}

/** What the VM does not have is said in place of the charts; what went wrong for once, over them. */
function withFailure(before: ShownGroup, error: unknown, series: Series): ShownGroup {
  const { reason, isForGood } = problemReason(error);
  if (isForGood) return { kind: 'none', reason };
  return { kind: 'values', series, version: before.kind === 'values' ? before.version : 0, why: reason };
}
