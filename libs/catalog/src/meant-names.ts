import type { ServerKind } from './command-class.js';
import { readTable } from './data-file.js';

const words = new Map<string, readonly string[]>();
for (const { kind, word, commands } of readTable('words.tsv', ['kind', 'word', 'commands']))
  words.set(`${kind} ${word}`, commands.split(' '));

const keys = new Map<string, string>();
for (const { name, key } of readTable('key-names.tsv', ['name', 'key'])) keys.set(name, key);

/** What people put before the name of what they want to know. */
const asking = /^(?:info|query|get|show|list)-(?=.)/;

/**
 * Commands that somebody may mean by a word that is no command: `pause` for `stop`, `info block` for `query-block`.
 *
 * @param offers true for the commands of the server in hand; no other is named
 * @returns the most likely first
 */
export function meantCommands(kind: ServerKind, word: string, offers: (command: string) => boolean): string[] {
  const said = word.toLowerCase().replace(/[\s_-]+/g, '-');
  const subject = said.replace(asking, '');
  const of = kind === 'storage-daemon' ? 'qemu' : kind;
  const queries = kind === 'guest-agent' ? ['guest-', 'guest-get-'] : ['query-', 'x-query-'];
  const named = queries.map((prefix) => prefix + subject);
  const meant = [said, subject].flatMap((name) => words.get(`${of} ${name}`) ?? []);
  // Whoever asks means the query before anything that does something.
  const likely = said === subject ? [...meant, ...named] : [...named, ...meant];
  return [...new Set(likely)].filter((command) => command !== word && offers(command));
}

/** The key of QEMU's (QKeyCode) that somebody means by another name; undefined for what none of ours knows. */
export function meantKey(name: string): string | undefined {
  const said = name.toLowerCase();
  return keys.get(said) ?? keys.get(said.replace(/[\s_-]+/g, ''));
}
