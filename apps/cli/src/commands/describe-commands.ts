import type { SchemaCommand, SchemaTypes } from '@qmp-gateway/client';
import { objectOf, typeOf, type MemberModel, type ServerModel } from '../arguments/schema-model.js';
import type { CommandContext } from '../command-context.js';
import type { ConnectionFlags } from '../connection.js';
import { modelOf } from '../completion/model-store.js';
import { CliFault, exitStatus, type ExitStatus } from '../exit-status.js';
import { readFormat, writeDocument, writeRows, type RowShape } from '../output/formats.js';
import type { Style } from '../output/style.js';
import { oneLine } from '../output/terminal-text.js';

const commandRows: RowShape<SchemaCommand> = {
  columns: [
    { title: 'COMMAND', of: ({ name }) => name },
    { title: 'LEVEL', of: (command) => levelText(command) },
    {
      title: 'SUMMARY',
      of: ({ summary, deprecated }) => `${deprecated ? '(deprecated) ' : ''}${summary ?? ''}`,
      least: 24,
    },
  ],
  name: ({ name }) => name,
  none: 'no commands',
};

function levelText({ class: own, lowestClass, highestClass }: SchemaCommand): string {
  return lowestClass === highestClass ? own : `${lowestClass}-${highestClass}`;
}

/** `commands`: what a VM offers, or one command with its arguments. */
export async function describeCommands(
  context: CommandContext,
  id: string,
  name: string | undefined,
  flags: ConnectionFlags & { readonly output: string },
): Promise<ExitStatus> {
  const format = readFormat(flags.output);
  const client = await context.connect(flags);
  const vm = client.vm(id);
  const model = await modelOf(vm, context.environment);
  const all = [...model.commands].sort((a, b) => (a.name < b.name ? -1 : 1));
  const found = name === undefined ? undefined : all.filter((command) => fits(command.name, name));
  if (name !== undefined && found?.length === 0) {
    // The gateway knows the nearest names.
    await vm.mayRun(name);
    throw new CliFault(exitStatus.notSent, `${id} has no command ${name}`);
  }
  const [only, ...others] = found ?? [];
  if (only === undefined || others.length > 0) {
    await writeRows(context.output, format, found ?? all, commandRows);
    return exitStatus.done;
  }
  if (format === 'table') for (const line of commandText(model, only, context.output)) context.output.line(line);
  else if (format === 'name') context.output.line(oneLine(only.name));
  else await writeDocument(context.output, format, { ...only, types: typesReached(model.types, only) });
  return exitStatus.done;
}

/** A name, or a glob with `*`. */
function fits(name: string, wanted: string): boolean {
  if (!wanted.includes('*')) return name === wanted;
  const pattern = wanted.split('*').map((part) => part.replaceAll(/[^\w-]/g, (character) => `\\${character}`));
  return new RegExp(`^${pattern.join('.*')}$`).test(name);
}

/** Name, summary, and a line for each argument with what it takes. */
export function commandText(
  model: ServerModel,
  command: SchemaCommand,
  surroundings: { readonly style: Style; readonly width: number | undefined },
): string[] {
  const object = objectOf(model.types, command.arguments);
  const rows = [...(object?.members ?? [])].sort((a, b) => Number(a.optional) - Number(b.optional));
  return [
    `${surroundings.style('bold', oneLine(command.name))}  ${levelText(command)}${command.deprecated ? ', deprecated' : ''}`,
    ...(command.summary === null ? [] : [oneLine(command.summary)]),
    ...(command.reason === undefined ? [] : [`Not offered: ${oneLine(command.reason)}`]),
    ...argumentLines(model.types, rows, surroundings),
    ...(object?.variants === undefined ? [] : [`More arguments by the value of ${oneLine(object.tag ?? '')}.`]),
    ...openLines(command),
    `Returns ${hasNoMembers(model.types, command.returns) ? 'nothing' : oneLine(command.returns)}.`,
  ];
}

/** The type of commands that return nothing. */
function hasNoMembers(types: SchemaTypes, reference: string): boolean {
  const object = objectOf(types, reference);
  return object !== undefined && object.members.length === 0 && object.variants === undefined;
}

function openLines({ name, openArguments }: SchemaCommand): string[] {
  if (openArguments !== true) return [];
  const readAs = name === 'device_add' ? 'by the properties of the driver' : 'as a string';
  return [`It takes more arguments than these: key=value is read ${readAs}, key:=JSON is JSON.`];
}

/** A line for each argument; its values go on below each other where the terminal ends. */
function argumentLines(
  types: SchemaTypes,
  members: readonly MemberModel[],
  { style, width = Infinity }: { readonly style: Style; readonly width: number | undefined },
): string[] {
  if (members.length === 0) return [];
  const cells = members.map(
    ({ name, optional, type }) => [oneLine(optional ? `[${name}]` : name), oneLine(type)] as const,
  );
  const [first, second] = [0, 1].map((at) => Math.max(8, ...cells.map((cell) => cell[at]?.length ?? 0))) as [
    number,
    number,
  ];
  const indent = first + second + 4;
  const title = `${'ARGUMENT'.padEnd(first)}  ${'TYPE'.padEnd(second)}  VALUES`;
  return [
    style('bold', title),
    ...members.flatMap(({ type }, at) => {
      const [name = '', shown = ''] = cells[at] ?? [];
      const [values = '', ...more] = wrapped(oneLine(takenText(types, type)), Math.max(24, width - indent));
      const head = `${name.padEnd(first)}  ${shown.padEnd(second)}  ${values}`.trimEnd();
      return [head, ...more.map((line) => ' '.repeat(indent) + line)];
    }),
  ];
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function takenText(types: SchemaTypes, reference: string): string {
  const type = typeOf(types, reference);
  switch (type.kind) {
    case 'enum':
      return type.values.join(' ');
    case 'object':
      return `{${type.members.map(({ name, optional }) => (optional ? `[${name}]` : name)).join(' ')}${type.variants === undefined ? '' : ' …'}}`;
    case 'list':
      return `list of ${takenText(types, type.element) || type.element}`;
    case 'alternate':
      return type.types.map((branch) => takenText(types, branch) || branch).join(' or ');
    case 'builtin':
      return type.name === 'bool' ? 'true false' : '';
  }
}

/** The types that a command's arguments and its return value are made of. */
function typesReached(types: SchemaTypes, command: SchemaCommand): Record<string, unknown> {
  const reached = new Map<string, unknown>();
  const visit = (reference: string): void => {
    const type = typeOf(types, reference);
    if (type.kind === 'list') {
      visit(type.element);
      return;
    }
    if (type.kind === 'builtin' || reached.has(reference)) return;
    reached.set(reference, type);
    if (type.kind === 'alternate') type.types.forEach(visit);
    if (type.kind !== 'object') return;
    for (const member of type.members) visit(member.type);
    for (const variant of Object.values(type.variants ?? {})) visit(variant);
  };
  visit(command.arguments);
  visit(command.returns);
  return Object.fromEntries(reached);
}
