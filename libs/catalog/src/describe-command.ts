import type { Command } from '@qmp-gateway/qapi';
import { classifyByName, classRange } from './classify.js';
import type { CommandClass } from './command-class.js';
import type { ServerKind } from './server-kinds.js';
import { commandKnowledge } from './command-knowledge.js';
import { exampleOf, type CommandExample } from './examples.js';

/** What documents say about a command besides its types. */
export interface DescribedCommand {
  /** The class by name alone. */
  readonly class: CommandClass;
  /** The class range over all arguments. */
  readonly lowestClass: CommandClass;
  readonly highestClass: CommandClass;
  readonly offered: true | { readonly reason: string };
  readonly openArguments: boolean;
  readonly summary?: string;
  readonly example?: CommandExample;
}

/**
 * Everything that documents say about a command: from bundled data alone, so without an operator's own classes.
 *
 * @param version release of the server; decides about open arguments and about commands that are dangerous in some
 * releases
 */
export function describeCommand(kind: ServerKind, version: string, { name, gen }: Command): DescribedCommand {
  const { summary, offered, openArguments } = commandKnowledge(kind, name, version);
  const { lowest, highest } = classRange(kind, name, undefined, version);
  const example = exampleOf(kind, name);
  return {
    class: classifyByName(kind, name, undefined, version).class,
    lowestClass: lowest.class,
    highestClass: highest.class,
    offered,
    openArguments: openArguments || gen === false,
    ...(summary === undefined ? {} : { summary }),
    ...(example === undefined ? {} : { example }),
  };
}
