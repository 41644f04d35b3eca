/** A quantity at a moment: minutes since the start, and what was measured. */
export interface Reading {
  readonly minute: number;
  readonly value: number;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? NaN)
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

/**
 * What a quantity grows by in a minute: least squares over all readings but those that stand out. A reading stands out
 * when it is further from the line through the medians (Theil and Sen) than four times what is usual.
 */
export function slope(readings: readonly Reading[]): number {
  const steady = medianSlope(readings);
  const level = median(readings.map(({ minute, value }) => value - steady * minute));
  const distance = ({ minute, value }: Reading) => Math.abs(value - steady * minute - level);
  const usual = median(readings.map(distance));
  return leastSquares(readings.filter((reading) => distance(reading) <= 4 * usual));
}

function medianSlope(readings: readonly Reading[]): number {
  return median(
    readings.flatMap((a, at) => readings.slice(at + 1).map((b) => (b.value - a.value) / (b.minute - a.minute))),
  );
}

function leastSquares(readings: readonly Reading[]): number {
  const mean = (of: (reading: Reading) => number) =>
    readings.reduce((sum, reading) => sum + of(reading), 0) / readings.length;
  const [minute, value] = [mean((reading) => reading.minute), mean((reading) => reading.value)];
  const spread = readings.reduce((sum, reading) => sum + (reading.minute - minute) ** 2, 0);
  return readings.reduce((sum, reading) => sum + (reading.minute - minute) * (reading.value - value), 0) / spread;
}
