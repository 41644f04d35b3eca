import { readFileSync } from 'node:fs';

/** The same from `src/` (tests) and from `dist/`. */
const dataDirectory = new URL('../data/', import.meta.url);

/** Address of one of our own data files. */
export function dataFile(name: string): URL {
  return new URL(name, dataDirectory);
}

/**
 * Rows of one of our own tab-separated tables, as objects of its header's columns. Lines starting with `#` are comments.
 *
 * @throws Error naming file and line when a row has another number of cells than the header, or the header another
 *   set of columns than asked for: a damaged table must not silently become a gap in policy.
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
