/** What can be asked of a job. */
export type JobVerb = 'pause' | 'resume' | 'complete' | 'finalize' | 'cancel' | 'dismiss';

/**
 * Which verbs make sense in which status of a job: those that QEMU takes there (`JobVerbTable` in its job.c), without
 * those that would change nothing. In a status that is not here only what can always be tried is offered: to cancel.
 */
const verbsByStatus: Readonly<Record<string, readonly JobVerb[]>> = {
  undefined: [],
  created: ['cancel'],
  running: ['pause', 'cancel'],
  paused: ['resume', 'cancel'],
  ready: ['complete', 'pause', 'cancel'],
  standby: ['resume', 'cancel'],
  waiting: ['cancel'],
  pending: ['finalize', 'cancel'],
  aborting: [],
  concluded: ['dismiss'],
  null: [],
};

/** A verb with its command and what it does, in words for a button. */
export interface JobAction {
  readonly verb: JobVerb;
  readonly command: string;
  readonly label: string;
  readonly says: string;
}

const actions: Readonly<Record<JobVerb, Omit<JobAction, 'verb'>>> = {
  pause: { command: 'job-pause', label: 'Pause', says: 'Pauses the job. What is done so far stays done.' },
  resume: { command: 'job-resume', label: 'Resume', says: 'Lets the job go on.' },
  complete: {
    command: 'job-complete',
    label: 'Complete',
    says: 'Finishes the job. A mirror then switches the VM to its target.',
  },
  finalize: { command: 'job-finalize', label: 'Finalize', says: 'Commits the changes that the job prepared.' },
  cancel: { command: 'job-cancel', label: 'Cancel', says: 'Cancels the job. What it has not finished is lost.' },
  dismiss: { command: 'job-dismiss', label: 'Dismiss', says: 'Makes QEMU forget the job, which has ended.' },
};

/** What can be asked of a job now. @param status as QEMU calls it; null where nobody knows */
export function jobActions(status: string | null): readonly JobAction[] {
  const verbs = status === null ? ['cancel' as const] : (ownVerbs(status) ?? ['cancel']);
  return verbs.map((verb) => ({ verb, ...actions[verb] }));
}

function ownVerbs(status: string): readonly JobVerb[] | undefined {
  return Object.hasOwn(verbsByStatus, status) ? verbsByStatus[status] : undefined;
}
