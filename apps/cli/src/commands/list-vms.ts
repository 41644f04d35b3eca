import type { GatewayClient, Vm } from '@qmp-gateway/client';
import type { CommandContext } from '../command-context.js';
import type { ConnectionFlags } from '../connection.js';
import { exitStatus, type ExitStatus } from '../exit-status.js';
import type { Format } from '../output/format-names.js';
import { readFormat, writeRows, type RowShape } from '../output/formats.js';
import { compactJson } from '../output/json-text.js';
import { ageText } from '../output/quantities.js';
import { tableLines, type Column } from '../output/table.js';
import { oneLine } from '../output/terminal-text.js';
import { readLabels, readVms } from './vm-selection.js';

export interface ListVmsFlags extends ConnectionFlags {
  readonly label?: readonly string[];
  readonly node?: string;
  readonly output: string;
  readonly watch?: boolean;
}

const labelsOf = ({ labels }: Vm): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');

/** What follows the id: how it is, what it is, since when. */
function columnsFor(rows: readonly Vm[]): Column<Vm>[] {
  const isFleet = rows.some(({ node }) => node !== undefined);
  const hasLabels = rows.some(({ labels }) => Object.keys(labels).length > 0);
  return [
    { title: 'VM', of: ({ id }) => id, least: 12 },
    { title: 'STATE', of: ({ state }) => state, colour: 'state' },
    { title: 'RUN', of: ({ runState }) => runState ?? '', colour: 'state' },
    { title: 'HEALTH', of: ({ health }) => health ?? '', colour: 'state' },
    { title: 'KIND', of: ({ kind }) => kind ?? '' },
    { title: 'VERSION', of: ({ version }) => version ?? '' },
    ...(isFleet ? [{ title: 'NODE', of: ({ node }: Vm) => node ?? '', least: 8 }] : []),
    ...(hasLabels ? [{ title: 'LABELS', of: labelsOf, least: 10 }] : []),
    { title: 'SINCE', of: ({ since }) => ageText(since), align: 'right' },
  ];
}

const shapeOf = (rows: readonly Vm[]): RowShape<Vm> => ({
  columns: columnsFor(rows),
  name: ({ id }) => id,
  none: 'no VMs',
});

/** `vms`: the selected VMs, and with `--watch` each change. */
export async function listVms(
  context: CommandContext,
  selection: string | undefined,
  flags: ListVmsFlags,
): Promise<ExitStatus> {
  const format = readFormat(flags.output);
  const client = await context.connect(flags);
  const wanted = { vm: readVms(selection), label: readLabels(flags.label) };
  const { vms, cursor } = await client.vms(wanted);
  const isWanted = ({ node }: Vm): boolean => flags.node === undefined || node === flags.node;
  const rows = vms.filter(isWanted);
  if (flags.watch !== true) {
    await writeRows(context.output, format, rows, shapeOf(rows));
    return exitStatus.done;
  }
  const watch = new WatchedRows(context, format, rows);
  await follow(client, context, { ...wanted, after: cursor }, (vm) => {
    if (isWanted(vm)) watch.changed(vm);
  });
  return exitStatus.done;
}

async function follow(
  client: GatewayClient,
  context: CommandContext,
  selection: { vm: readonly string[] | undefined; label: Readonly<Record<string, string>>; after: string },
  changed: (vm: Vm) => void,
): Promise<void> {
  const signal = context.interruption;
  try {
    for await (const event of client.events({ ...selection, event: ['vm-changed', 'vm-removed'], signal })) {
      if (event.event === 'vm-changed') changed(event.data);
      else if (event.event === 'vm-removed') context.output.note(oneLine(`${event.data.id} was removed`));
      else if (event.event === 'gap') context.output.note('changes were missed');
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Rows that are written below each other as they change, in columns that stay where they are. */
class WatchedRows {
  readonly #columns: readonly Column<Vm>[];
  readonly #known: Vm[];

  constructor(
    private readonly context: CommandContext,
    private readonly format: Format,
    rows: readonly Vm[],
  ) {
    this.#known = [...rows];
    this.#columns = columnsFor(rows);
    if (format === 'table')
      for (const line of tableLines(this.#columns, rows, context.output)) context.output.line(line);
    else for (const row of rows) this.#write(row);
  }

  changed(vm: Vm): void {
    const at = this.#known.findIndex(({ id }) => id === vm.id);
    const before = this.#known[at];
    if (before === undefined) this.#known.push(vm);
    else this.#known[at] = vm;
    if (this.format !== 'table') this.#write(vm);
    else if (before === undefined || this.#cells(before) !== this.#cells(vm)) {
      // Laid out with those that are known, so that its columns stand below theirs.
      const lines = tableLines(
        this.#columns,
        [...this.#known.filter(({ id }) => id !== vm.id), vm],
        this.context.output,
      );
      this.context.output.line(lines.at(-1) ?? '');
    }
  }

  #cells(vm: Vm): string {
    return this.#columns
      .slice(0, -1)
      .map(({ of }) => of(vm))
      .join('\0');
  }

  #write(vm: Vm): void {
    this.context.output.line(this.format === 'name' ? oneLine(vm.id) : compactJson(vm));
  }
}
