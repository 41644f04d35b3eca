import { readFileSync } from 'node:fs';

/** The same path from `src/` (tests) and from `dist/`. */
const dataDirectory = new URL('../data/', import.meta.url);

/** URL of a data file of this package. */
export function dataFile(name: string): URL {
  return new URL(name, dataDirectory);
}

/**
 * Reads a tab-separated table of this package; each row becomes an object with the header's columns as keys. Lines
 * starting with `#` are comments.
 *
 * @throws Error naming file and line if a row has another number of cells than the header, or the header has other
 * columns than requested: a damaged table must not silently become a gap in policy.
 */
export function readTable<Column extends string>(
  name: string,
  columns: readonly Column[],
): readonly Readonly<Record<Column, string>>[] {
  const rows: Record<Column, string>[] = [];
  let headerSeen = false;
  for (const [index, line] of readFileSync(dataFile(name), 'utf8').split('\n').entries()) {
    if (line === '' || line.startsWith('#')) continue;
    const cells = line.split('\t');
    if (cells.length !== columns.length || (!headerSeen && cells.some((cell, at) => cell !== columns[at]))) {
      throw new Error(`${name}:${index + 1}: expected the columns ${columns.join(', ')}`);
    }
    if (headerSeen) {
      rows.push(Object.fromEntries(columns.map((column, at) => [column, cells[at]])) as Record<Column, string>);
    }
    headerSeen = true;
  }
  return rows;
}
