import type { EndedCommand } from './command-audit.js';

/** Upper bounds of the latency histograms, in seconds. */
export const latencyBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 600];

export class Histogram {
  readonly counts = new Array<number>(latencyBounds.length + 1).fill(0);
  sum = 0;
  count = 0;

  observe(seconds: number): void {
    this.sum += seconds;
    this.count++;
    let at = 0;
    while (at < latencyBounds.length && seconds > (latencyBounds[at] ?? Infinity)) at++;
    this.counts[at] = (this.counts[at] ?? 0) + 1;
  }
}

/** What is counted of a command. */
export type AnsweredCommand = Pick<EndedCommand, 'answer' | 'durationMs'> & {
  readonly target:
    { readonly server: { readonly kind: string | null }; readonly command: { readonly name: string } } | undefined;
};

type Counts = Map<string, Map<string, Map<string, number>>>;

/** Names counted by themselves of each kind: QEMU's releases have some 300 together, and a VM can offer any. */
const namesBound = 1000;
const otherNames = 'other';

/**
 * Counters of the command path: plain numbers on the hot path, turned into Prometheus text only when someone scrapes.
 * Commands are counted by names of the VMs' own models, so a caller's invention can't make new series, and a VM's only so
 * many.
 */
export class CommandMetrics {
  /** kind, command, outcome -> count. */
  readonly commands = new Map<string, Map<string, Map<string, number>>>();
  /** Work that went on after the reply: kind, command, state -> count. */
  readonly work = new Map<string, Map<string, Map<string, number>>>();
  readonly queue = new Histogram();
  readonly qmp = new Histogram();
  readonly whole = new Histogram();

  answered({ target, answer, durationMs }: AnsweredCommand): void {
    const outcome = answer.ok ? 'done' : answer.problem.code;
    count(this.commands, target?.server.kind ?? 'unknown', target?.command.name ?? 'unknown', outcome);
    this.whole.observe(durationMs / 1000);
    const { queueMs, qmpMs } = answer.trace;
    if (queueMs !== undefined) this.queue.observe(queueMs / 1000);
    if (qmpMs !== undefined) this.qmp.observe(qmpMs / 1000);
  }

  workEnded(kind: string, command: string, state: string): void {
    count(this.work, kind, command, state);
  }
}

/** One more of this kind, command and end. */
function count(counts: Counts, kind: string, command: string, end: string): void {
  const known = counts.get(kind)?.get(command);
  const byEnd = known ?? newEnds(counts, kind, command);
  byEnd.set(end, (byEnd.get(end) ?? 0) + 1);
}

function newEnds(counts: Counts, kind: string, command: string): Map<string, number> {
  const byCommand = entry(counts, kind, () => new Map<string, Map<string, number>>());
  const name = byCommand.size >= namesBound ? otherNames : command;
  return entry(byCommand, name, () => new Map<string, number>());
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
