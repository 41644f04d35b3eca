import type { ListedOperation } from '@qmp-gateway/client';
import { jobActions } from './job-verbs.js';
import { migrationActions, type OperationAction } from './migration-actions.js';
import { isOpen } from './operation-words.js';

/** What can be asked of an operation now; nothing of one that has ended, or that QMP has no way to stop. */
export function operationActions(operation: ListedOperation): readonly OperationAction[] {
  const { job, command } = operation;
  if (!isOpen(operation)) return [];
  if (job !== undefined)
    return jobActions(job.status).map(({ command: verb, label, says }) => ({
      ...{ command: verb, args: { id: job.id }, label, says },
    }));
  return command === 'migrate' || command === null ? migrationActions(operation) : [];
}
