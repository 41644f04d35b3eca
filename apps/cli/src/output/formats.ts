import { usageFault } from '../exit-status.js';
import { formatNames, type Format } from './format-names.js';
import { compactJson, prettyJson } from './json-text.js';
import type { Output } from './output.js';
import { detailLines, tableLines, type Column } from './table.js';
import { columnsOf, oneLine, shownLines } from './terminal-text.js';

/** How rows are shown; the other formats are the gateway's own objects. */
export interface RowShape<Row> {
  readonly columns: readonly Column<Row>[];
  readonly name: (row: Row) => string;
  /** What a table without rows says, on stderr. */
  readonly none: string;
}

/** Reads `-o`. @throws CliFault */
export function readFormat(text: string): Format {
  const format = formatNames.find((name) => name === text);
  if (format === undefined) throw usageFault(`-o ${text} is no format`, `it is one of ${formatNames.join(', ')}`);
  return format;
}

/** Writes a list. */
export async function writeRows<Row>(
  output: Output,
  format: Format,
  rows: readonly Row[],
  shape: RowShape<Row>,
): Promise<void> {
  if (format === 'table') {
    if (rows.length === 0) output.note(oneLine(shape.none));
    else for (const line of tableLines(shape.columns, rows, output)) output.line(line);
  } else if (format === 'json' || format === 'yaml') await writeDocument(output, format, rows);
  else for (const row of rows) output.line(format === 'name' ? oneLine(shape.name(row)) : compactJson(row));
}

/** Writes one thing. @param details of the table; default the members of `value` */
export async function writeOne(
  output: Output,
  format: Format,
  value: object,
  shape: { readonly name: string; readonly details: Parameters<typeof detailLines>[0] },
): Promise<void> {
  if (format === 'table') for (const line of detailLines(shape.details, output.style)) output.line(line);
  else if (format === 'name') output.line(oneLine(shape.name));
  else await writeDocument(output, format, value);
}

/** Writes any value as one document. */
export async function writeDocument(output: Output, format: 'json' | 'jsonl' | 'yaml', value: unknown): Promise<void> {
  if (format === 'json') output.line(prettyJson(value));
  else if (format === 'jsonl') output.line(compactJson(value));
  else {
    const { stringify } = await import('yaml');
    const text = stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
    // YAML leaves characters as they are that a terminal obeys.
    output.write(output.isTerminal ? shownLines(text) : text);
  }
}

/** What a VM returned, which may be anything. A table shows lists of objects as rows and one object as details. */
export async function writeReturned(output: Output, format: Format, value: unknown): Promise<void> {
  if (format === 'json' || format === 'jsonl' || format === 'yaml') return writeDocument(output, format, value);
  if (typeof value === 'string') {
    output.line(format === 'name' ? oneLine(value) : shownLines(value));
    return;
  }
  const list = Array.isArray(value) ? (value as unknown[]) : [value];
  if (format === 'name') {
    for (const item of list) output.line(oneLine(nameOf(item)));
    return;
  }
  if (list.length === 0) {
    output.note('nothing');
    return;
  }
  if (!list.every(isObject)) for (const item of list) output.line(oneLine(cellText(item)));
  else if (!Array.isArray(value))
    for (const line of detailLines(
      Object.entries(list[0] ?? {}).map(([name, each]) => [name, cellText(each)]),
      output.style,
    ))
      output.line(line);
  else writeObjects(output, list);
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Objects as rows: first what they are called, then as many members as fit, plain values before the others. */
function writeObjects(output: Output, rows: readonly Record<string, unknown>[]): void {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const rank = (name: string): number =>
    identities.includes(name) ? 0 : rows.some((row) => typeof row[name] === 'object' && row[name] !== null) ? 2 : 1;
  const sorted = names.map((name) => ({ name, rank: rank(name) })).sort((a, b) => a.rank - b.rank);
  const columns = sorted.map(({ name }) => ({
    title: name.toUpperCase(),
    of: (row: Record<string, unknown>) => cellText(row[name]),
    least: 12,
  }));
  let shown = columns.length;
  for (; shown > 1; shown--) {
    const lines = tableLines(columns.slice(0, shown), rows, { style: (_, text) => text, width: output.width });
    if (output.width === undefined || lines.every((line) => columnsOf(line) <= (output.width ?? 0))) break;
  }
  for (const line of tableLines(columns.slice(0, shown), rows, output)) output.line(line);
  if (shown < columns.length) output.note(`${columns.length - shown} columns more: -o json`);
}

function cellText(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : compactJson(value);
}

const identities = ['id', 'name', 'node-name', 'device', 'qdev', 'typename', 'label', 'path', 'qom-path'];

/** The member by which people call such an object. */
function nameOf(value: unknown): string {
  if (!isObject(value)) return cellText(value);
  const member = identities.find((name) => typeof value[name] === 'string' && value[name] !== '');
  return member === undefined ? compactJson(value) : (value[member] as string);
}
