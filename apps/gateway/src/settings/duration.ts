const factors: Readonly<Record<string, number>> = { ms: 1, '': 1000, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * A duration as clients and settings write it: `5` (seconds), `5s`, `500ms`, `10m`, `12h`, `30d`.
 * @returns whole milliseconds, or undefined when it is not a duration or longer than a year
 */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,12})(ms|s|m|h|d|)$/.exec(text);
  if (match === null) return undefined;
  const milliseconds = Number(match[1]) * (factors[match[2] ?? ''] ?? NaN);
  return milliseconds <= 366 * 86_400_000 ? milliseconds : undefined;
}
