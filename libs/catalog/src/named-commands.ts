import type { Command, QapiModel } from '@qmp-gateway/qapi';
import type { Catalog } from './catalog.js';
import { releaseOrdinal } from './release.js';
import { serverKinds, type ServerKind } from './server-kinds.js';

/**
 * The commands that StratoVirt up to 2.4 lists by an identifier of its source that is not the name with `_` for `-`.
 */
const identifiers = new Map([
  ['list_type', 'qom-list-types'],
  ['cancel_migrate', 'migrate_cancel'],
]);

/**
 * The model of a server without introspection: its catalog, reduced to the commands that `query-commands` lists. Listed
 * commands that are not in the catalog accept any arguments and return anything.
 *
 * StratoVirt 2.4 answers `query-commands` with identifiers of its source (`query_status`), which are mapped to the
 * commands.
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

/**
 * True if the schema of a server may describe more commands than `query-commands` lists, so that both are needed. From
 * 6.0 on the lists of QEMU agree, in each of its states; a storage daemon's list is short, so it is always queried.
 */
export function describesMoreThanItHas(kind: ServerKind, version: string): boolean {
  const { introspection } = serverKinds[kind];
  if (introspection.by !== 'query-qmp-schema') return false;
  return introspection.exactFrom === null || releaseOrdinal(version) < releaseOrdinal(introspection.exactFrom);
}

/**
 * How a request must carry `arguments` when there are none. `needless`: with or without them is the same; `optional`: the
 * server takes both, which may not be the same.
 */
export function emptyArguments(kind: ServerKind, command: string): 'needless' | 'optional' | 'required' | 'forbidden' {
  const { emptyArguments: rules, omitsEmptyArguments } = serverKinds[kind];
  const rule = Object.hasOwn(rules, command) ? rules[command] : undefined;
  return rule ?? (omitsEmptyArguments ? 'needless' : 'optional');
}
