import { columnsOf, cutTo, oneLine } from './terminal-text.js';
import { stateColour, type Colour, type Style } from './style.js';

export interface Column<Row> {
  readonly title: string;
  readonly of: (row: Row) => string;
  /** `state`: coloured by what it says. */
  readonly colour?: Colour | 'state';
  readonly align?: 'right';
  /** May be cut, down to `least` columns, where the terminal is too narrow. */
  readonly least?: number;
}

const gap = '  ';

/**
 * Lines of a table, the titles first; empty cells are `-`.
 * @param width that no line exceeds as far as columns may be cut; undefined: nothing is cut
 */
export function tableLines<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { style, width }: { readonly style: Style; readonly width: number | undefined },
): string[] {
  const cells = rows.map((row) => columns.map(({ of }) => oneLine(of(row)) || '-'));
  const shown = [columns.map(({ title }) => oneLine(title)), ...cells];
  const widths = columns.map((_, at) => Math.max(...shown.map((line) => columnsOf(line[at] ?? ''))));
  if (width !== undefined) narrow(columns, widths, width);
  return shown.map((line, row) =>
    line
      .map((cell, at) => {
        const { colour, align } = columns[at] ?? {};
        const text = cutTo(cell, widths[at] ?? 0);
        const space = ' '.repeat((widths[at] ?? 0) - columnsOf(text));
        const painted = style(row === 0 ? 'bold' : colour === 'state' ? stateColour(cell) : colour, text);
        return align === 'right' ? space + painted : at === line.length - 1 ? painted : painted + space;
      })
      .join(gap)
      .trimEnd(),
  );
}

/** Takes from the widest column that can be cut, until the line fits or nothing is left to take. */
function narrow<Row>(columns: readonly Column<Row>[], widths: number[], width: number): void {
  const total = (): number => widths.reduce((sum, each) => sum + each, gap.length * (widths.length - 1));
  while (total() > width) {
    const candidates = columns.flatMap(({ least, title }, at) => {
      const floor = Math.max(least ?? Infinity, columnsOf(title));
      return (widths[at] ?? 0) > floor ? [{ at, floor }] : [];
    });
    const [first, ...others] = candidates;
    if (first === undefined) return;
    const widest = others.reduce(
      (best, each) => ((widths[each.at] ?? 0) > (widths[best.at] ?? 0) ? each : best),
      first,
    );
    const excess = total() - width;
    const runnerUp = Math.max(0, ...candidates.filter(({ at }) => at !== widest.at).map(({ at }) => widths[at] ?? 0));
    const current = widths[widest.at] ?? 0;
    widths[widest.at] = Math.max(widest.floor, Math.min(current - 1, Math.max(current - excess, runnerUp)));
  }
}

/** `name: value` lines with the values below each other; values go on in further lines where the terminal ends. Names may be a VM's. */
export function detailLines(
  entries: readonly (readonly [name: string, value: string | undefined, colour?: Colour | 'state'])[],
  style: Style,
): string[] {
  const present = entries
    .filter((entry): entry is [string, string, (Colour | 'state')?] => entry[1] !== undefined)
    .map(([name, value, colour]) => [oneLine(name), oneLine(value), colour] as const);
  const width = Math.max(...present.map(([name]) => name.length));
  return present.map(([name, text, colour]) => {
    return `${style('bold', `${name}:`)}${' '.repeat(width - name.length + 1)}${style(colour === 'state' ? stateColour(text) : colour, text)}`;
  });
}
