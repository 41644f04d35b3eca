const unitMs: Readonly<Record<string, number>> = { ms: 1, '': 1000, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of seconds, or of a duration. @throws TypeError for what is neither */
export function milliseconds(wanted: number | string): number {
  const match = /^(\d+)(ms|s|m|h|d|)$/.exec(typeof wanted === 'number' ? `${Math.ceil(wanted * 1000)}ms` : wanted);
  if (match === null) throw new TypeError(`${JSON.stringify(wanted)} is no duration: seconds, or 500ms, 5s, 10m`);
  return Number(match[1]) * (unitMs[match[2] ?? ''] ?? NaN);
}

/** As the gateway reads it. @throws TypeError for what is no duration */
export function duration(wanted: number | string): string {
  return `${milliseconds(wanted)}ms`;
}
