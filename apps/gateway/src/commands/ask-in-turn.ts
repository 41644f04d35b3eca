import type { CommandQueue, QueuedCommand } from './command-queue.js';

/** Ids of principals have a prefix of their own, so none is this one. */
const principalId = 'gateway';

/**
 * Has the gateway ask a VM something by itself, in turn with the commands of others: its turns are those of one more
 * principal.
 * @param turn as of a command; it gives way also to a full queue, which is no reason to push anybody out of it
 */
export function askInTurn(
  queue: CommandQueue,
  monitor: { readonly places: number },
  turn: Omit<QueuedCommand, 'principalId'>,
): void {
  if (queue.size < queue.bound && queue.add({ principalId, ...turn })) queue.serve(monitor);
  else turn.giveWay();
}
