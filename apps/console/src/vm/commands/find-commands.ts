import Fuse from 'fuse.js';
import type { CommandOfVm } from '../../forms/command-form.js';

export interface FoundCommands {
  readonly commands: readonly CommandOfVm[];
  /** None has these words; the ones found are near to them. */
  readonly isNear: boolean;
}

/** Near names that are shown where none fits. */
const mostNear = 8;

/** Finds commands by words of their names and summaries; where none fits, those whose names are near. */
export class CommandFinder {
  readonly #near: Fuse<CommandOfVm>;
  readonly #texts: readonly { readonly command: CommandOfVm; readonly name: string; readonly summary: string }[];

  readonly #all: readonly CommandOfVm[];

  constructor(commands: readonly CommandOfVm[]) {
    this.#all = [...commands].sort((a, b) => (a.name < b.name ? -1 : 1));
    this.#near = new Fuse(commands, { keys: ['name'], threshold: 0.5, ignoreLocation: true });
    this.#texts = this.#all.map((command) => ({
      ...{ command, name: plain(command.name), summary: (command.summary ?? '').toLowerCase() },
    }));
  }

  /** All by name for an empty text; commands whose name begins with it come first. */
  find(text: string): FoundCommands {
    const words = plain(text).split(' ').filter(Boolean);
    if (words.length === 0) return { commands: this.#all, isNear: false };
    const rank = (name: string, summary: string): number => {
      if (name.startsWith(words.join(' '))) return 0;
      if (words.every((word) => name.includes(word))) return 1;
      return words.every((word) => name.includes(word) || summary.includes(word)) ? 2 : 3;
    };
    const found = this.#texts
      .map(({ command, name, summary }) => ({ command, rank: rank(name, summary) }))
      .filter((each) => each.rank < 3)
      .sort((a, b) => a.rank - b.rank);
    if (found.length > 0) return { commands: found.map(({ command }) => command), isNear: false };
    const near = this.#near.search(text.slice(0, 60), { limit: mostNear });
    return { commands: near.map(({ item }) => item), isNear: true };
  }
}

/** QEMU writes `-` and `_` without a rule that anybody remembers. */
function plain(text: string): string {
  return text
    .toLowerCase()
    .replace(/[-_\s]+/g, ' ')
    .trim();
}
