import { JsonText, readJson, type QomTree } from '@qmp-gateway/client';
import type { CommandContext } from '../command-context.js';
import type { ConnectionFlags } from '../connection.js';
import { exitStatus, usageFault, type ExitStatus } from '../exit-status.js';
import { readFormat, writeReturned } from '../output/formats.js';
import { compactJson } from '../output/json-text.js';
import { tableLines } from '../output/table.js';
import { oneLine } from '../output/terminal-text.js';

export interface QomFlags extends ConnectionFlags {
  readonly output: string;
  readonly depth?: string;
  readonly type?: string;
  readonly search?: string;
  readonly set?: string;
}

/** `qom`: an object of the VM, the value of a property, or its change. */
export async function lookAtQom(
  context: CommandContext,
  id: string,
  path: string,
  flags: QomFlags,
): Promise<ExitStatus> {
  const format = readFormat(flags.output);
  const client = await context.connect(flags);
  const vm = client.vm(id);
  const signal = context.interruption;
  if (flags.set !== undefined) {
    await vm.setQomProperty(path, jsonOf(flags.set), { signal });
    return exitStatus.done;
  }
  const depth = flags.depth === undefined ? undefined : Number(flags.depth);
  const { type, search } = flags;
  const isView = depth !== undefined || type !== undefined || search !== undefined;
  // A path may lead to an object or to a property; both have one resource.
  const found = isView
    ? await vm.qomObject(path, { depth, type, search, signal })
    : await vm.qomProperty(path, { signal });
  if (format !== 'table' || !isTree(found)) await writeReturned(context.output, format, found);
  else writeTree(context, found);
  return exitStatus.done;
}

function jsonOf(text: string): JsonText {
  try {
    readJson(text);
  } catch {
    throw usageFault(`--set ${text} is not JSON`, `a string has quotes: --set '"${text}"'`);
  }
  return new JsonText(text);
}

/** An object says what it cost to look at; no property of QEMU has such members. */
function isTree(value: unknown): value is QomTree {
  return typeof value === 'object' && value !== null && 'commands' in value && 'complete' in value && 'path' in value;
}

interface TreeRow {
  readonly name: string;
  readonly type: string;
  readonly value: string;
}

function writeTree({ output, program }: CommandContext, tree: QomTree): void {
  output.line(`${output.style('bold', oneLine(tree.path))}${tree.type === null ? '' : `  ${oneLine(tree.type)}`}`);
  for (const match of tree.matches ?? []) output.line(`  ${oneLine(match)}`);
  const rows = rowsOf(tree, '');
  if (rows.length > 0 && tree.matches === undefined) {
    const columns = [
      { title: 'NAME', of: ({ name }: TreeRow) => name, least: 16 },
      { title: 'TYPE', of: ({ type }: TreeRow) => type, least: 12 },
      { title: 'VALUE', of: ({ value }: TreeRow) => value, least: 16 },
    ];
    for (const line of tableLines(columns, rows, output)) output.line(line);
  }
  if (!tree.complete) output.note(`${program}: there is more (${oneLine(tree.cut ?? 'cut')})`);
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : compactJson(value));

type QomNode = Pick<QomTree, 'children' | 'links' | 'properties'>;

function rowsOf({ properties = {}, links = {}, children = {} }: QomNode, indent: string): TreeRow[] {
  return [
    ...Object.entries(properties).map(([name, { type, value, error, withheld }]) => ({
      name: indent + name,
      type,
      value: value === undefined ? (error ?? withheld ?? '') : compactJson(value),
    })),
    ...Object.entries(links).map(([name, { type, target, error, withheld }]) => ({
      name: `${indent}${name} ->`,
      type,
      value: target === undefined ? (error ?? withheld ?? '') : textOf(target),
    })),
    ...Object.entries(children).flatMap(([name, child]) => [
      { name: `${indent}${name}/`, type: child.type ?? '', value: child.error ?? '' },
      ...rowsOf(child, `${indent}  `),
    ]),
  ];
}
