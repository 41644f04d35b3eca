import type { LoadResult } from './closed-loop.js';
import { processorMs, stopAll } from './processes.js';
import { median, medianRatio, quantile } from './statistics.js';
import { printTable } from './table.js';

/** Each starts everything anew: how a process lies in memory and what its compiler chose changes from start to start. */
const runs = 5;
/** Short and many, so that whatever else the machine does falls on all alike. */
const rounds = 5;
const milliseconds = 400;
/** The first round, which is not counted, warms up compilers and caches. */
const warmUpMilliseconds = 4000;

/** One way to have something done, which a comparison measures beside others. */
export interface Way {
  readonly name: string;
  /** The process that is measured. */
  readonly pid: number;
  /** So many at a time as the comparison is about. */
  readonly many: (milliseconds: number) => Promise<LoadResult>;
  /** One at a time. */
  readonly single: (milliseconds: number) => Promise<LoadResult>;
}

/** What one way has shown in a run, a number for each round. */
interface Rounds {
  readonly way: Way;
  readonly perSecond: number[];
  /** With many at a time: answers, and the milliseconds of processor time that they took. */
  readonly answers: number[];
  readonly processor: number[];
  /** Microseconds of the median of those that were asked one at a time. */
  readonly one: number[];
}

/** What one way has shown: answers a second with many at a time, microseconds of one at a time. */
export interface Medians {
  readonly perSecond: number;
  readonly one: number;
}

/** What comes of the rounds of a run. */
interface Run {
  readonly perSecond: number;
  readonly ratio: number;
  readonly processor: number;
  readonly one: number;
  readonly more: number;
}

/**
 * Measures the ways in turns and prints a table of medians. The first way is the yardstick of the others.
 *
 * @param titles what is asked, how many at a time, and what the first way is
 * @param start starts everything for one run; what it has started is ended after the run
 * @returns the medians of each way by its name
 */
export async function sideBySide(
  titles: { readonly names: string; readonly many: string; readonly yardstick: string },
  start: () => Promise<readonly Way[]>,
): Promise<ReadonlyMap<string, Medians>> {
  const shown = new Map<string, Run[]>();
  for (let run = 0; run < runs; run++) {
    try {
      for (const [name, result] of await measured(await start())) shown.set(name, [...(shown.get(name) ?? []), result]);
    } finally {
      await stopAll();
    }
  }
  printTable([
    [titles.names, titles.many, `to ${titles.yardstick}`, 'of all runs', 'processor time', 'one at a time', 'more'],
    ...[...shown].map(([name, results]) => rowOf(name, results)),
  ]);
  process.stdout.write(
    `Medians of ${runs} runs of ${rounds} interleaved rounds, ${milliseconds} ms each after a warm-up.\n\n`,
  );
  return new Map(
    [...shown].map(([name, results]) => [
      name,
      { perSecond: median(results.map(({ perSecond }) => perSecond)), one: median(results.map(({ one }) => one)) },
    ]),
  );
}

/** One run. */
async function measured(ways: readonly Way[]): Promise<(readonly [string, Run])[]> {
  const all = ways.map((way): Rounds => ({ way, perSecond: [], answers: [], processor: [], one: [] }));
  for (const { way } of all) {
    await way.many(warmUpMilliseconds);
    await way.single(milliseconds);
  }
  // There and back, so that nobody follows the same one each time.
  for (let round = 0; round < rounds; round++)
    for (const each of round % 2 === 0 ? all : all.toReversed()) await measure(each);
  const yardstick = all[0] as Rounds;
  return all.map((each) => [each.way.name, runFrom(each, yardstick)] as const);
}

async function measure({ way, perSecond, answers, processor, one }: Rounds): Promise<void> {
  const before = processorMs(way.pid);
  const many = await way.many(milliseconds);
  processor.push(processorMs(way.pid) - before);
  answers.push(many.answers);
  perSecond.push(many.perSecond);
  one.push(quantile((await way.single(milliseconds)).microseconds, 0.5));
}

function runFrom(rounds: Rounds, yardstick: Rounds): Run {
  return {
    perSecond: median(rounds.perSecond),
    ratio: medianRatio(rounds.perSecond, yardstick.perSecond),
    processor: (sum(rounds.processor) * 1000) / sum(rounds.answers),
    one: median(rounds.one),
    more: median(rounds.one.map((value, round) => value - (yardstick.one[round] ?? NaN))),
  };
}

function rowOf(name: string, results: readonly Run[]): string[] {
  const of = (key: keyof Run) => results.map((result) => result[key]);
  const more = median(of('more'));
  return [
    name,
    `${median(of('perSecond')).toFixed(0)}/s`,
    median(of('ratio')).toFixed(2),
    `${Math.min(...of('ratio')).toFixed(2)}-${Math.max(...of('ratio')).toFixed(2)}`,
    `${median(of('processor')).toFixed(1)} µs`,
    `${median(of('one')).toFixed(0)} µs`,
    `${more < 0 ? '' : '+'}${more.toFixed(0)} µs`,
  ];
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}
