import type { Command, QapiModel } from '@qmp-gateway/qapi';
import type { Catalog } from './catalog.js';
import type { ServerKind } from './command-class.js';
import { releaseOrdinal } from './release.js';

/** Where StratoVirt up to 2.4 names a command by an identifier of its source that is not the name with `_` for `-`. */
const identifiers = new Map([
  ['list_type', 'qom-list-types'],
  ['cancel_migrate', 'migrate_cancel'],
]);

/**
 * The model of a server without introspection: its catalog, cut to the commands it names in `query-commands`. What it
 * names and the catalog does not know takes any arguments and returns anything.
 *
 * StratoVirt 2.4 answers `query-commands` with identifiers of its source (`query_status`); they are taken for the
 * commands they stand for.
 */
export function modelOfNamedCommands(catalog: Catalog | undefined, names: readonly string[]): QapiModel {
  const model = catalog?.model ?? { commands: new Map<string, Command>(), events: new Map(), types: new Map() };
  const byIdentifier = new Map([...model.commands.keys()].map((name) => [name.replaceAll('-', '_'), name]));
  const commands = new Map<string, Command>();
  for (const reported of names) {
    const name = model.commands.has(reported)
      ? reported
      : (identifiers.get(reported) ?? byIdentifier.get(reported) ?? reported);
    commands.set(name, model.commands.get(name) ?? openCommand(name));
  }
  return { commands, events: model.events, types: model.types };
}

function openCommand(name: string): Command {
  return {
    kind: 'command',
    name,
    features: [],
    arguments: { kind: 'object', name: 'q_empty', implicit: true, members: [], features: [] },
    returns: { kind: 'builtin', name: 'any', json: 'value' },
    allowOob: false,
    gen: false,
  };
}

/** Until this release QEMU describes commands that it then does not have, as its storage daemon does `object-add`. */
const exactFrom = releaseOrdinal('6.0');

/**
 * True where the schema of a server may describe more commands than `query-commands` lists, so that both must be asked.
 * From 6.0 on the lists of QEMU agree, in each of its states; a storage daemon's is short, so it is asked for always.
 */
export function describesMoreThanItHas(kind: ServerKind, version: string): boolean {
  return kind === 'storage-daemon' || releaseOrdinal(version) < exactFrom;
}

/**
 * How a request must carry `arguments` when there are none: StratoVirt wants the empty object for some commands and
 * refuses it for one; everybody else takes both.
 */
export function emptyArguments(kind: ServerKind, command: string): 'optional' | 'required' | 'forbidden' {
  if (kind !== 'stratovirt') return 'optional';
  if (command === 'query-ohui-status') return 'forbidden';
  return command === 'query-workloads' || command === 'detect-silent-audio' ? 'required' : 'optional';
}
