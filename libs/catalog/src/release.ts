/**
 * Rank of a release, as a number that rises by one per major release: QEMU has had three a year since 3.0, and thirteen
 * 2.x ones before. Never NaN: a text that is not a version counts as the oldest.
 */
export function releaseOrdinal(version: string): number {
  const parts = /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(version);
  if (parts === null) return 0;
  const [major, minor, micro] = [Number(parts[1]), Number(parts[2]), Number(parts[3] ?? 0)];
  return major + minor / (major < 3 ? 13 : 3) + micro / 100_000;
}
