import { serverKinds, type ServerKind } from './server-kinds.js';
import { readTable } from './data-file.js';
import { releaseOrdinal } from './release.js';

/**
 * Commands that accept members that their schema does not list (`gen: false`, or a server that ignores unknown ones).
 * Introspection does not show this, so it is data, with the first release where it no longer applies.
 */
const rows = readTable('open-arguments.tsv', ['kind', 'command', 'until', 'reason']);

const closedFrom = new Map<string, Map<string, number>>();
for (const { kind, command, until } of rows) {
  const commands = closedFrom.get(kind) ?? new Map<string, number>();
  closedFrom.set(kind, commands);
  commands.set(command, until === '' ? Number.POSITIVE_INFINITY : releaseOrdinal(until));
}

/** True if `command` accepts undeclared members in that release; without a version, in the newest one. */
export function hasOpenArguments(kind: ServerKind, command: string, version?: string): boolean {
  const until = closedFrom.get(serverKinds[kind].family)?.get(command);
  if (until === undefined) return false;
  if (version === undefined) return until === Number.POSITIVE_INFINITY;
  // A version that cannot be parsed counts as the oldest, so the gateway is never stricter than the server.
  return releaseOrdinal(version) < until;
}
