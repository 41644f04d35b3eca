/**
 * qmpctl: the command line of qmp-gateway for people and scripts, also as the client half of the program `qmp-gateway`.
 *
 * It accepts words of a command line and does what they say through the public API alone, by `@qmp-gateway/client`. It
 * promises results on stdout, one line on stderr for each failure, and the exit status of the table in `exit-status.ts`.
 * It serves nothing, and knows nothing that the API does not tell.
 */
import { readFileSync } from 'node:fs';
import { CommanderError } from 'commander';
import { CommandContext } from './command-context.js';
import { commandLine } from './command-line.js';
import { exitStatus } from './exit-status.js';

/**
 * Runs a command line, and sets the status of the process.
 * @param program as the user called it
 * @param words what follows it
 */
export async function runClient(program: string, words: readonly string[]): Promise<void> {
  const context = new CommandContext(program, process);
  try {
    await commandLine(program, ownVersion(), () => context).parseAsync(words, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? exitStatus.done : exitStatus.usage;
      return;
    }
    // Loaded where it is needed: most lines are right.
    const [{ statusOfError }, { failureText }] = await Promise.all([
      import('./error-status.js'),
      import('./failure.js'),
    ]);
    context.output.note(context.output.errorStyle('red', `${program}: ${failureText(error, context.failure)}`));
    process.exitCode = statusOfError(error);
  }
}

function ownVersion(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
