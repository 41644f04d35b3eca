const unitMs: Readonly<Record<string, number>> = { ms: 1, '': 1000, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Converts seconds, or a duration, to milliseconds. @throws TypeError for anything else */
export function milliseconds(wanted: number | string): number {
  const match = /^(\d+)(ms|s|m|h|d|)$/.exec(typeof wanted === 'number' ? `${Math.ceil(wanted * 1000)}ms` : wanted);
  if (match === null) throw new TypeError(`${JSON.stringify(wanted)} is not a duration: seconds, or 500ms, 5s, 10m`);
  return Number(match[1]) * (unitMs[match[2] ?? ''] ?? NaN);
}

/** In the form that the gateway reads. @throws TypeError if it is not a duration */
export function duration(wanted: number | string): string {
  return `${milliseconds(wanted)}ms`;
}
