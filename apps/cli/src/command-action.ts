import type { CommandContext } from './command-context.js';

/**
 * Wraps the work of a command: it gets the context, its operands in order, and its options with those of the program.
 * Its result is the status of the process.
 */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- they tie the parameters to what is handed over
export type ActionOf = <Operands extends unknown[], Flags>(
  work: (context: CommandContext, flags: Flags, ...operands: Operands) => Promise<number>,
) => (...given: unknown[]) => Promise<void>;
