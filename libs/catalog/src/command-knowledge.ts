import { isCommandClass, type CommandClass } from './command-class.js';
import { serverKinds, type ServerKind } from './server-kinds.js';
import { completionOf, type Completion } from './completion.js';
import { readTable } from './data-file.js';
import { deadlineOf, deadlineRows, type Deadline } from './deadline.js';
import { hasOpenArguments } from './open-arguments.js';

/** What is known about a command besides its types. */
export interface CommandKnowledge {
  /** Class by name alone; arguments can change it (`classifyCommand`). */
  readonly class: CommandClass;
  readonly reason: string;
  /** True, or why the gateway describes the command but does not run it. */
  readonly offered: true | { readonly reason: string };
  /** Runs all the same where a file descriptor comes with it. */
  readonly takesDescriptor?: true;
  /** One line, in this project's own words. */
  readonly summary?: string;
  /** Differences among servers of this kind, or behaviour that a reader would not expect. */
  readonly note?: string;
  /** Accepts members that its schema does not list; also true for commands in no table. */
  readonly openArguments: boolean;
  readonly deadline: Deadline;
  /** How its work ends, if it starts work. */
  readonly completion?: Completion;
}

type CommandTable = ReadonlyMap<string, CommandKnowledge>;

/** One command the gateway describes but does not run. */
export interface NotOffered {
  readonly kind: ServerKind;
  readonly command: string;
  readonly reason: string;
  /** `descriptor`: offered where a file descriptor comes with it. */
  readonly unless: string;
}

/** Commands that get 501 for everybody: they belong to the session itself or need a passed file descriptor. */
export const notOffered: readonly NotOffered[] = readTable('not-offered.tsv', [
  'kind',
  'command',
  'reason',
  'unless',
]).map((row) => ({ ...row, kind: row.kind as ServerKind }));

/** Names of the commands that a file descriptor comes with, whatever server runs them. */
export const descriptorCommands: ReadonlySet<string> = new Set(
  notOffered.filter(({ unless }) => unless === 'descriptor').map(({ command }) => command),
);

const tables = new Map<string, CommandTable>();

/** The table of a kind's family, read when it is first asked for. */
function tableOf(kind: ServerKind): CommandTable {
  const { family } = serverKinds[kind];
  let table = tables.get(family);
  if (table === undefined) tables.set(family, (table = readCommandTable(kind, family)));
  return table;
}

/** @param kind any of the family */
function readCommandTable(kind: ServerKind, family: string): CommandTable {
  const file = `commands-${family}.tsv`;
  const refusals = new Map(notOffered.filter((row) => row.kind === family).map((row) => [row.command, row]));
  const table = new Map<string, CommandKnowledge>();
  for (const row of readTable(file, ['command', 'class', 'deadline', 'reason', 'summary', 'note'])) {
    const { command, reason, summary, note } = row;
    const deadline = isCommandClass(row.class) ? deadlineOf(row.deadline, row.class) : undefined;
    if (!isCommandClass(row.class) || deadline === undefined || reason === '' || table.has(command)) {
      throw new Error(`${file}: command '${command}' occurs twice, or its class, deadline or reason is not valid`);
    }
    const refusal = refusals.get(command);
    const completion = completionOf(kind, command);
    table.set(command, {
      class: row.class,
      reason,
      offered: refusal === undefined || { reason: refusal.reason },
      ...(refusal?.unless === 'descriptor' ? { takesDescriptor: true } : {}),
      openArguments: false,
      deadline,
      ...(completion === undefined ? {} : { completion }),
      ...(summary === '' ? {} : { summary }),
      ...(note === '' ? {} : { note }),
    });
  }
  return table;
}

const unknown: CommandKnowledge = {
  class: 'host',
  reason: 'no catalog knows this command, so it may do anything',
  offered: true,
  openArguments: true,
  deadline: deadlineRows.operate,
};

/**
 * Class, reason, deadline and so on for a command of any release since 2.5.
 *
 * A command in no table is class `host` with open arguments.
 *
 * @param version release of the server, `major.minor[.micro]`; the newest when absent
 */
export function commandKnowledge(kind: ServerKind, command: string, version?: string): CommandKnowledge {
  const known = tableOf(kind).get(command) ?? unknown;
  return hasOpenArguments(kind, command, version) ? { ...known, openArguments: true } : known;
}

/** True if a table describes the command, i.e. `commandClasses:` settings may only raise its class. */
export function isKnownCommand(kind: ServerKind, command: string): boolean {
  return tableOf(kind).has(command);
}

/** Every known command of a server kind, removed ones included. */
export function knownCommands(kind: ServerKind): readonly string[] {
  return [...tableOf(kind).keys()];
}
