import type { Measurement } from './process-probe.js';
import { median, slope } from './trend.js';

/** The gateway's process at a moment, and what its clients saw since the moment before. */
export interface Sample extends Measurement {
  /** Minutes since the start. */
  readonly minute: number;
  /** Median of commands at VMs that answer always. */
  readonly latencyMs: number;
  /** What clients have done so far, in turns. */
  readonly turns: number;
}

/** What the process gained, by the unit in the name. */
export interface Growth {
  readonly heapMiBPerMinute: number;
  readonly residentMiBPerMinute: number;
  readonly handles: number;
  readonly openFiles: number;
  readonly latencyMs: number;
  /** Processor time of a turn at the end, over that at the beginning. */
  readonly cpuRatio: number;
}

/**
 * The most that is no growth. Connections that come and go make single handles and files more or less; other work on the
 * machine counts into latency and, by its caches, into processor time. What grows with the minutes is more than that.
 */
export const bounds: Growth = {
  heapMiBPerMinute: 1,
  residentMiBPerMinute: 1,
  handles: 10,
  openFiles: 5,
  latencyMs: 100,
  cpuRatio: 2,
};

const mebibyte = 2 ** 20;

/** @param samples of a time in which buffers, histories and stores have reached their bounds; six at least */
export function growthOf(samples: readonly Sample[]): Growth {
  const perMinute = (value: (sample: Sample) => number) =>
    slope(samples.map((sample) => ({ minute: sample.minute, value: value(sample) / mebibyte })));
  const third = Math.floor(samples.length / 3);
  const ends = (values: readonly number[]) => [median(values.slice(0, third)), median(values.slice(-third))] as const;
  const gained = (value: (sample: Sample) => number) => {
    const [first, last] = ends(samples.map(value));
    return last - first;
  };
  const [firstCpu, lastCpu] = ends(
    samples.slice(1).map((sample, at) => {
      const before = samples[at] as Sample;
      return (sample.cpuMs - before.cpuMs) / (sample.turns - before.turns);
    }),
  );
  return {
    heapMiBPerMinute: perMinute(({ heapBytes }) => heapBytes),
    residentMiBPerMinute: perMinute(({ residentBytes }) => residentBytes),
    handles: gained(({ handles }) => handles),
    openFiles: gained(({ openFiles }) => openFiles),
    latencyMs: gained(({ latencyMs }) => latencyMs),
    cpuRatio: lastCpu / firstCpu,
  };
}

/** Names of what has reached its bound, or cannot be told. */
export function excessive(growth: Growth): string[] {
  return Object.entries(bounds).flatMap(([name, bound]) => (growth[name as keyof Growth] < bound ? [] : [name]));
}
