/** `record` with its keys in code-unit order, so that a document does not depend on the order of construction. */
export function sortedRecord<T>(record: Iterable<readonly [string, T]>): Record<string, T> {
  return Object.fromEntries([...record].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}
