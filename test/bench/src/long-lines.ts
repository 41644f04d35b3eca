import { Monitor } from '@qmp-gateway/qmp';
import { startScript, stopAll } from './processes.js';
import { printTable } from './table.js';

const mebibytes = [1, 2, 4, 8, 16, 32, 64];
const rounds = 5;

const nameOf = (size: number) => `reply-${size}`;

/**
 * What a long reply costs the process that reads it, from the socket to the cut-out value: processor time for lines of
 * 1 to 64 MiB, least of several rounds. It should grow with the size and no faster; the last column would show it.
 */
export async function benchLongLines(): Promise<void> {
  const replies = mebibytes.map((size) => [nameOf(size), JSON.stringify('x'.repeat(size * 2 ** 20 - 100))]);
  const { line: path } = await startScript('./instant-monitor-process.js', [], {
    input: JSON.stringify(Object.fromEntries(replies)),
  });
  let ready = (): void => undefined;
  const becomesReady = new Promise<void>((resolve) => (ready = resolve));
  const monitor = new Monitor(
    { kind: 'unix', path },
    { stateChanged: ({ name }) => (name === 'ready' ? ready() : undefined), event: () => undefined },
  );
  monitor.start();
  await becomesReady;
  const rows = [['one reply', 'processor time', 'for each MiB']];
  for (const size of mebibytes) {
    let least = Infinity;
    for (let round = 0; round <= rounds; round++) least = Math.min(least, await costOf(monitor, size));
    rows.push([`${size} MiB`, `${least.toFixed(1)} ms`, `${(least / size).toFixed(2)} ms`]);
  }
  await monitor.stop();
  await stopAll();
  printTable(rows);
}

/** Processor milliseconds of one reply. */
async function costOf(monitor: Monitor, size: number): Promise<number> {
  const before = process.cpuUsage();
  const outcome = await monitor.run(nameOf(size), undefined, { deadlineMs: 60_000, answerBytes: size * 2 ** 20 });
  const { user, system } = process.cpuUsage(before);
  if (outcome.kind !== 'return') throw new Error(`${nameOf(size)}: ${outcome.kind}`);
  return (user + system) / 1000;
}
