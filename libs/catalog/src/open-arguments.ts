import type { ServerKind } from './command-class.js';
import { readTable } from './data-file.js';
import { releaseOrdinal } from './release.js';

/**
 * Commands that take members their schema does not list (`gen: false`, or a server that ignores what it does not
 * know). Introspection can't show this, so it is data, with the first release where it no longer holds.
 */
const rows = readTable('open-arguments.tsv', ['kind', 'command', 'until', 'reason']);

const closedFrom = new Map<ServerKind, Map<string, number>>();
for (const { kind, command, until } of rows) {
  const commands = closedFrom.get(kind as ServerKind) ?? new Map<string, number>();
  closedFrom.set(kind as ServerKind, commands);
  commands.set(command, until === '' ? Number.POSITIVE_INFINITY : releaseOrdinal(until));
}

/** True when `command` takes undeclared members in that release; without a version, in the newest one. */
export function hasOpenArguments(kind: ServerKind, command: string, version?: string): boolean {
  const until = closedFrom.get(kind === 'storage-daemon' ? 'qemu' : kind)?.get(command);
  if (until === undefined) return false;
  if (version === undefined) return until === Number.POSITIVE_INFINITY;
  // A version we can't read counts as the oldest: never stricter than the server.
  return releaseOrdinal(version) < until;
}
