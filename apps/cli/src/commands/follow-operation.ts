import type { CommandOperation, VmClient } from '@qmp-gateway/client';
import type { CommandContext } from '../command-context.js';
import { exitStatus, type ExitStatus } from '../exit-status.js';
import { oneLine } from '../output/terminal-text.js';
import { cutTo } from '../output/terminal-text.js';
import { progressText } from './operation-rows.js';

/** So often the progress is looked at; the end is told at once. */
const lookEvery = '1s';

/**
 * Waits until an operation has ended, or a job waits to be told to finish, and shows its progress on a terminal.
 * @returns undefined when `signal` was aborted before that
 */
export async function followOperation(
  context: CommandContext,
  vm: VmClient,
  id: string,
  signal: AbortSignal,
): Promise<CommandOperation | undefined> {
  const bar = new ProgressLine(context);
  try {
    for (;;) {
      const operation = await vm.operation(id, { wait: lookEvery, signal });
      if (operation.state !== 'running') return operation;
      bar.show(operation);
    }
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  } finally {
    bar.clear();
  }
}

const statusOfState: Readonly<Record<CommandOperation['state'], ExitStatus>> = {
  done: exitStatus.done,
  ready: exitStatus.done,
  running: exitStatus.unknown,
  failed: exitStatus.refused,
  cancelled: exitStatus.refused,
  lost: exitStatus.unknown,
};

export function statusOfOperation({ state }: Pick<CommandOperation, 'state'>): ExitStatus {
  return statusOfState[state];
}

/** What became of an operation that did not end well, in one line. */
export function endText({ command, vm, state, error, problem }: CommandOperation): string {
  const why = error?.detail ?? problem?.detail;
  return `${vm}: ${command ?? 'job'} ${state}${why === undefined ? '' : `: ${why}`}`;
}

/** A line on stderr that is written over and over, where that is a terminal. */
class ProgressLine {
  #isShown = false;

  constructor(private readonly context: CommandContext) {}

  show(operation: CommandOperation): void {
    const { output } = this.context;
    if (!output.isErrorTerminal || operation.progress === null) return;
    output.writeError(`\r\u001b[K${cutTo(oneLine(progressText(operation)), (output.width ?? 80) - 1)}`);
    this.#isShown = true;
  }

  clear(): void {
    if (this.#isShown) this.context.output.writeError('\r\u001b[K');
  }
}
