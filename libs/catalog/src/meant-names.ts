import { serverKinds, type ServerKind } from './server-kinds.js';
import { readTable } from './data-file.js';

const words = new Map<string, readonly string[]>();
for (const { kind, word, commands } of readTable('words.tsv', ['kind', 'word', 'commands']))
  words.set(`${kind} ${word}`, commands.split(' '));

const keys = new Map<string, string>();
for (const { name, key } of readTable('key-names.tsv', ['name', 'key'])) keys.set(name, key);

/** Words that people put before the name of a query. */
const asking = /^(?:info|query|get|show|list)-(?=.)/;

/**
 * Commands that a caller may mean by an unknown name: `stop` for `pause`, `query-block` for `info block`.
 *
 * @param offers true for the commands of the current server; others are not returned
 * @returns the most likely first
 */
export function meantCommands(kind: ServerKind, word: string, offers: (command: string) => boolean): string[] {
  const said = word.toLowerCase().replace(/[\s_-]+/g, '-');
  const subject = said.replace(asking, '');
  const { family, queryPrefixes } = serverKinds[kind];
  const named = queryPrefixes.map((prefix) => prefix + subject);
  const meant = [said, subject].flatMap((name) => words.get(`${family} ${name}`) ?? []);
  // A question word means a query rather than a command that changes something.
  const likely = said === subject ? [...meant, ...named] : [...named, ...meant];
  return [...new Set(likely)].filter((command) => command !== word && offers(command));
}

/** The key (QEMU's QKeyCode) that a caller means by another name; undefined if there is none. */
export function meantKey(name: string): string | undefined {
  const said = name.toLowerCase();
  return keys.get(said) ?? keys.get(said.replace(/[\s_-]+/g, ''));
}
