import { text } from 'node:stream/consumers';
import type { CommandContext } from '../command-context.js';
import type { ConnectionFlags } from '../connection.js';
import { exitStatus, usageFault, type ExitStatus } from '../exit-status.js';

export interface KeysFlags extends ConnectionFlags {
  readonly text?: string;
  readonly hold?: string;
}

/** Names that people use, by QEMU's. */
const otherNames: Readonly<Record<string, string>> = {
  del: 'delete',
  enter: 'ret',
  return: 'ret',
  escape: 'esc',
  control: 'ctrl',
  space: 'spc',
  win: 'meta_l',
  super: 'meta_l',
  pageup: 'pgup',
  pagedown: 'pgdn',
};

/** `keys`: each word is one key or keys pressed together (`ctrl-alt-delete`); `--text` types. */
export async function pressKeys(
  context: CommandContext,
  id: string,
  words: readonly string[],
  flags: KeysFlags,
): Promise<ExitStatus> {
  if ((words.length === 0) === (flags.text === undefined))
    throw usageFault('name keys, or a text', `${context.program} keys ${id} ctrl-alt-delete, or --text 'root\\n'`);
  const client = await context.connect(flags);
  const vm = client.vm(id);
  const options = { hold: flags.hold, signal: context.interruption };
  for (const word of words) await vm.press(keysOf(word), options);
  if (flags.text !== undefined)
    await vm.type(flags.text === '-' ? await text(context.stdin) : withEscapes(flags.text), options);
  return exitStatus.done;
}

export function keysOf(word: string): string[] {
  return word
    .toLowerCase()
    .split(/[-+]/)
    .filter((name) => name !== '')
    .map((name) => (Object.hasOwn(otherNames, name) ? (otherNames[name] ?? name) : name));
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', '\\': '\\' };

/** `\n` for Enter, `\t` for Tab, `\\` for a backslash: shells make them hard to type. */
function withEscapes(typed: string): string {
  return typed.replaceAll(/\\([nt\\])/g, (_, letter: string) => escapes[letter] ?? letter);
}
