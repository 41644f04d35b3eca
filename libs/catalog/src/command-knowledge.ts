import { isCommandClass, type CommandClass, type ServerKind } from './command-class.js';
import { completionOf, type Completion } from './completion.js';
import { readTable } from './data-file.js';
import { deadlineOf, deadlineRows, type Deadline } from './deadline.js';
import { hasOpenArguments } from './open-arguments.js';

/** What is known of a command besides its types. */
export interface CommandKnowledge {
  /** Class by name alone; arguments can change it (`classifyCommand`). */
  readonly class: CommandClass;
  readonly reason: string;
  /** True, or why the gateway describes the command but does not run it. */
  readonly offered: true | { readonly reason: string };
  /** One line, in our own words. */
  readonly summary?: string;
  /** Where servers of this kind differ among themselves, or do something a reader would not expect. */
  readonly note?: string;
  /** Takes members its schema does not list; also true for commands nobody described. */
  readonly openArguments: boolean;
  readonly deadline: Deadline;
  /** How its work ends when that goes on after the reply. */
  readonly completion?: Completion;
}

type CommandTable = ReadonlyMap<string, CommandKnowledge>;

/** One command the gateway describes but does not run. */
export interface NotOffered {
  readonly kind: ServerKind;
  readonly command: string;
  readonly reason: string;
}

/** Commands answered 501 for everybody: they belong to the session itself or need a passed file descriptor. */
export const notOffered: readonly NotOffered[] = readTable('not-offered.tsv', ['kind', 'command', 'reason']).map(
  (row) => ({ ...row, kind: row.kind as ServerKind }),
);

const tables = { qemu: readLater('qemu'), guestAgent: readLater('guest-agent'), stratovirt: readLater('stratovirt') };

/** The storage daemon runs QEMU's own block layer and monitor, so it shares QEMU's table. */
const tableOf: Readonly<Record<ServerKind, () => CommandTable>> = {
  qemu: tables.qemu,
  'storage-daemon': tables.qemu,
  'guest-agent': tables.guestAgent,
  stratovirt: tables.stratovirt,
};

function readLater(kind: ServerKind): () => CommandTable {
  let table: CommandTable | undefined;
  return () => (table ??= readCommandTable(kind));
}

function readCommandTable(kind: ServerKind): CommandTable {
  const file = `commands-${kind}.tsv`;
  const refusals = new Map(notOffered.filter((row) => row.kind === kind).map((row) => [row.command, row.reason]));
  const table = new Map<string, CommandKnowledge>();
  for (const row of readTable(file, ['command', 'class', 'deadline', 'reason', 'summary', 'note'])) {
    const { command, reason, summary, note } = row;
    const deadline = isCommandClass(row.class) ? deadlineOf(row.deadline, row.class) : undefined;
    if (!isCommandClass(row.class) || deadline === undefined || reason === '' || table.has(command)) {
      throw new Error(`${file}: command '${command}' is there twice, or its class, deadline or reason is not valid`);
    }
    const refusal = refusals.get(command);
    const completion = completionOf(kind, command);
    table.set(command, {
      class: row.class,
      reason,
      offered: refusal === undefined || { reason: refusal },
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
 * Class, reason, deadline and the rest for a command of any release since 2.5.
 *
 * A command no table knows is class `host` with open arguments.
 *
 * @param version release of the server, `major.minor[.micro]`; the newest when absent
 */
export function commandKnowledge(kind: ServerKind, command: string, version?: string): CommandKnowledge {
  const known = tableOf[kind]().get(command) ?? unknown;
  return hasOpenArguments(kind, command, version) ? { ...known, openArguments: true } : known;
}

/** True when a table of ours describes the command, i.e. `commandClasses:` settings may only raise it. */
export function isKnownCommand(kind: ServerKind, command: string): boolean {
  return tableOf[kind]().has(command);
}

/** Every command we know of a kind, removed ones included. */
export function knownCommands(kind: ServerKind): readonly string[] {
  return [...tableOf[kind]().keys()];
}
