import type { CDPSession, Page } from 'playwright-core';

/** A task of the page's main thread. */
export interface PageTask {
  /** From its begin to its end, with the time for which the kernel gave the processor to others. */
  readonly wallMs: number;
  /** What the thread itself used. */
  readonly processorMs: number;
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly tid: number;
  readonly pid: number;
  readonly ts: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/** Tasks shorter than this are not kept: there are a thousand of them each second. */
const shortestMs = 5;

/**
 * The tasks of the main thread of a page while something goes on, as Chromium's tracer times them: what a reader waits for
 * before a key or the wheel is heard. A trace has the processor time of a task beside its length, so that a machine that does
 * other things too does not make a short task long.
 */
export async function tasksDuring(page: Page, run: () => Promise<void>): Promise<readonly PageTask[]> {
  const tracer = await page.context().newCDPSession(page);
  const events: TraceEvent[] = [];
  tracer.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  const categories = ['disabled-by-default-devtools.timeline', 'toplevel', 'devtools.timeline', '__metadata'];
  await tracer.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: categories, recordMode: 'recordAsMuchAsPossible' },
  });
  await run();
  const complete = new Promise((resolve) => tracer.once('Tracing.tracingComplete', resolve));
  await tracer.send('Tracing.end');
  await complete;
  await tracer.detach();
  return mainThreadTasks(events);
}

function mainThreadTasks(events: readonly TraceEvent[]): readonly PageTask[] {
  const threads = events.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain');
  const isMain = ({ pid, tid }: TraceEvent) => threads.some((thread) => thread.pid === pid && thread.tid === tid);
  return events
    .filter((event) => event.ph === 'X' && /RunTask$/.test(event.name) && isMain(event))
    .map(({ dur = 0, tdur = dur }) => ({ wallMs: dur / 1000, processorMs: tdur / 1000 }))
    .filter(({ wallMs }) => wallMs >= shortestMs);
}

/** Bytes that the scripts of a page hold, after a collection. */
export async function heldBytes(session: CDPSession): Promise<number> {
  // Twice: finalizers free things.
  for (let round = 0; round < 2; round++) await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  return usedSize;
}
