const units: Readonly<Record<string, number>> = { '': 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/** Bytes of `65536`, `64KiB`, `1MiB` or `2GiB`; undefined for anything else. */
export function parseByteSize(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  if (typeof value !== 'string') return undefined;
  const match = /^(\d{1,12})(KiB|MiB|GiB|)$/.exec(value);
  const unit = units[match?.[2] ?? 'none'];
  return match === null || unit === undefined ? undefined : Number(match[1]) * unit;
}
