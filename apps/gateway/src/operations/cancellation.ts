import { Problem } from '../problems/problem.js';
import type { Vm } from '../vms/vm.js';
import type { Operation } from './operation.js';

/** A command that makes the VM give up what goes on. */
export interface Cancellation {
  readonly command: string;
  readonly args?: Readonly<Record<string, unknown>>;
}

/**
 * How an operation can be cancelled: jobs and migrations can, all else goes its way.
 * @throws Problem `method-not-allowed`, which says why not
 */
export function cancellationOf(operation: Operation, { schema }: Pick<Vm, 'schema'>): Cancellation {
  const { vm, command, shownState: state, over, work } = operation;
  const name = command ?? (work?.completion === 'job' ? 'the job' : 'the migration');
  const refusal = (detail: string) =>
    new Problem('method-not-allowed', detail, {
      vm,
      ...(command === null ? {} : { command }),
      headers: { Allow: 'GET, HEAD' },
    });
  if (work === null)
    throw refusal(over ? `${name} has ended.` : `QMP has no way to take ${name} back: it can only be waited for.`);
  if (over) throw refusal(`${name} has ended already: ${state}.`);
  const { completion, subject } = work;
  if (completion === 'migration') return { command: 'migrate_cancel' };
  if (completion !== 'job') throw refusal(`QMP has no way to cancel ${name}: it can only be waited for.`);
  if (schema?.commands.has('job-cancel') === true) return { command: 'job-cancel', args: { id: subject } };
  // A ready mirror would otherwise end as if it were done.
  return { command: 'block-job-cancel', args: { device: subject, force: true } };
}
