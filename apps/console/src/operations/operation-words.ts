import type { ListedOperation, OperationState } from '@qmp-gateway/client';

/** A state in words, and how much it matters. */
export interface OperationStateWords {
  readonly label: string;
  readonly status: 'info' | 'success' | 'warning' | 'danger' | 'neutral';
  readonly says: string;
}

const states: Readonly<Record<OperationState, OperationStateWords>> = {
  running: { label: 'Running', status: 'info', says: 'It has not ended.' },
  ready: { label: 'Ready', status: 'info', says: 'The job has done its work, and waits to be told to finish.' },
  done: { label: 'Done', status: 'success', says: 'The VM did it.' },
  failed: { label: 'Failed', status: 'danger', says: 'The VM refused it, or its work failed.' },
  cancelled: { label: 'Cancelled', status: 'neutral', says: 'Somebody cancelled it.' },
  lost: {
    label: 'Unknown',
    status: 'warning',
    says: 'The session with the VM ended before the VM said how it went. It may have been done.',
  },
};

/** A state of an operation in words; one that this console does not know is shown as it is. */
export function stateWords(state: string): OperationStateWords {
  return Object.hasOwn(states, state)
    ? states[state as OperationState]
    : { label: state, status: 'neutral', says: 'A state that this console does not know.' };
}

/** Whether more will come of it. */
export function isOpen({ state }: Pick<ListedOperation, 'state'>): boolean {
  return state === 'running' || state === 'ready';
}

/** What it is: the command, or the job or migration that was started without the gateway. */
export function titleOf({ command, job }: Pick<ListedOperation, 'command' | 'job'>): string {
  if (command !== null) return command;
  return job === undefined ? 'migration (not started here)' : `${job.type ?? 'job'} (not started here)`;
}

/** Why it ended as it did; undefined where it ended well, or not yet. */
export function reasonOf({ error, problem }: Pick<ListedOperation, 'error' | 'problem'>): string | undefined {
  return problem?.qmp?.desc ?? error?.detail ?? problem?.detail ?? problem?.title;
}

/** How far, 0 to 100; undefined where the VM does not say. */
export function percentOf({ progress }: Pick<ListedOperation, 'progress'>): number | undefined {
  if (progress === null || progress.total <= 0) return undefined;
  return Math.min(100, Math.max(0, (progress.current / progress.total) * 100));
}
