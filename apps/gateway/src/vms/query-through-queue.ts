import { serverBounds, type Execution, type Settlement } from '@qmp-gateway/qmp';
import type { CommandQueue, QueuedCommand } from './command-queue.js';

/** Ids of principals have a prefix of their own, so none is this one. */
const principalId = 'gateway';

/**
 * Has the gateway ask a VM something by itself, in turn with the commands of others: its turns are those of one more
 * principal.
 * @param turn as of a command; it gives way also to a full queue, which is no reason to push anybody out of it
 */
export function queryThroughQueue(
  queue: CommandQueue,
  monitor: { readonly places: number },
  turn: Omit<QueuedCommand, 'principalId'>,
): void {
  if (queue.size < queue.bound && queue.add({ principalId, ...turn })) queue.serve(monitor);
  else turn.giveWay();
}

/** The same for a question whose answer somebody waits for: `not-sent` when no turn came. */
export function answerThroughQueue(
  queue: CommandQueue,
  monitor: { readonly places: number; execute(execution: Execution): void },
  command: string,
  argumentsJson?: string,
): Promise<Settlement> {
  return new Promise((resolve) => {
    const none = (cause: string) => () => resolve({ kind: 'not-sent', cause });
    const answerBytes = serverBounds.ownAnswer.most;
    const question = {
      command,
      answerBytes,
      ...(argumentsJson === undefined ? {} : { argumentsJson }),
      settle: resolve,
    };
    queryThroughQueue(queue, monitor, {
      send: () => monitor.execute(question),
      refuse: none('the VM is away'),
      giveWay: none('too many commands wait'),
    });
  });
}
