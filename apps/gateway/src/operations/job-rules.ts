import {
  asNumber,
  asText,
  returnedList,
  serverBounds,
  wholeText,
  type Settlement,
  type PeerObject,
} from '@qmp-gateway/qmp';
import type { CompletionRule, Occasion } from './completion-rule.js';
import type { Verdict, Work } from './work.js';

/** Jobs whose progress counts bytes; that of the others has no unit. */
const byteJobs = new Set(['mirror', 'backup', 'stream', 'commit']);

/**
 * Jobs (`JOB_STATUS_CHANGE`). A block job tells its error by `BLOCK_JOB_COMPLETED`, just before it is `concluded`;
 * other jobs keep it for `query-jobs` until they are dismissed.
 */
const job: CompletionRule = {
  events: [
    'JOB_STATUS_CHANGE',
    'BLOCK_JOB_READY',
    'BLOCK_JOB_PENDING',
    'BLOCK_JOB_ERROR',
    'BLOCK_JOB_COMPLETED',
    'BLOCK_JOB_CANCELLED',
  ],
  subject: (args) => asText(args['job-id']) ?? asText(args['device']) ?? '',
  concerns: ({ subject }, event, data) => {
    if (event === 'JOB_STATUS_CHANGE') return data['id'] === subject;
    return (event === 'BLOCK_JOB_PENDING' ? data['id'] : data['device']) === subject;
  },
  event(work, event, data, vm) {
    const view = jobOf(work);
    view.type ??= wordOf(data['type']) ?? null;
    if (event === 'BLOCK_JOB_READY') work.becomeReady();
    if (event === 'BLOCK_JOB_COMPLETED' || event === 'BLOCK_JOB_CANCELLED') {
      const error = asText(data['error']);
      if (event === 'BLOCK_JOB_CANCELLED') work.foretell(work.cancellation(cancelled));
      else work.foretell(error === undefined ? { state: 'done' } : work.failure(error));
      measure(work, asNumber(data['offset']), asNumber(data['len']), vm.now);
      // Before 3.0 no job is concluded: it is gone now.
      return vm.hasEvent('JOB_STATUS_CHANGE') ? undefined : work.foretold;
    }
    if (event !== 'JOB_STATUS_CHANGE') return undefined;
    const status = wordOf(data['status']) ?? null;
    if (status !== 'null') view.status = status;
    if (status === 'ready' || status === 'standby') work.becomeReady();
    if (status === 'aborting') work.abort();
    if (status === 'concluded') return concluded(work);
    if (status === 'null') return concluded(work) === 'ask' ? unexplained(work) : (work.foretold ?? { state: 'done' });
    return undefined;
  },
  question: () => ({ command: 'query-jobs' }),
  answered: (work, settlement, occasion, { now }) => {
    const entry = returnedList(settlement)?.find(({ id }) => id === work.subject);
    return entry === undefined ? missing(work, settlement, occasion) : read(work, entry, now);
  },
  showsProgress: true,
};

const cancelled = 'The job was cancelled.';

/** A value of an enum of QAPI's. */
function wordOf(value: unknown): string | undefined {
  return wholeText(asText(value), serverBounds.word);
}

function jobOf(work: Work): NonNullable<Work['job']> {
  return (work.job ??= { id: work.subject, type: null, status: null });
}

/** At `concluded`: with what the events before told, or only `query-jobs` knows the error. */
function concluded(work: Work): Verdict | 'ask' {
  if (work.foretold !== undefined) return work.foretold;
  if (!work.isAborting) return { state: 'done' };
  return work.cancelRequested ? work.cancellation(cancelled) : 'ask';
}

function unexplained(work: Work): Verdict {
  return work.verdict('failed', 'command-failed', 'The job was aborted, and the VM no longer says why.', {
    outcome: 'refused',
  });
}

/** What an entry of `query-jobs` tells. */
function read(work: Work, entry: PeerObject, now: number): Verdict | undefined {
  const view = jobOf(work);
  view.type = wordOf(entry['type']) ?? view.type;
  view.status = wordOf(entry['status']) ?? view.status;
  measure(work, asNumber(entry['current-progress']), asNumber(entry['total-progress']), now);
  if (view.status === 'ready' || view.status === 'standby') work.becomeReady();
  if (view.status !== 'concluded') return undefined;
  const error = asText(entry['error']);
  if (error === undefined) return { state: 'done' };
  return work.cancelRequested ? work.cancellation(cancelled) : work.failure(error);
}

function missing(work: Work, settlement: Settlement, occasion: Occasion): Verdict | undefined {
  if (work.foretold !== undefined && settlement.kind === 'return') return work.foretold;
  // Nothing was said about it.
  if (settlement.kind !== 'return')
    return occasion === 'session' ? work.loss('The VM does not list its jobs.') : undefined;
  if (occasion === 'event') return unexplained(work);
  return work.loss('The job ended while nobody listened, and the VM no longer knows how.');
}

function measure(work: Work, current: number | undefined, total: number | undefined, now: number): void {
  if (current === undefined || total === undefined) return;
  work.advance(current, total, byteJobs.has(jobOf(work).type ?? '') ? 'bytes' : 'steps', now);
}

/** Asks a job to finish: done when the job is. */
const jobCompletion: CompletionRule = {
  ...job,
  subject: (args) => asText(args['id']) ?? asText(args['device']),
};

/** Asks a job to stop: done when the job has ended, however. */
const jobCancellation: CompletionRule = {
  ...jobCompletion,
  event: (work, event, data, vm) => (job.event(work, event, data, vm) === undefined ? undefined : { state: 'done' }),
  answered: (work, settlement, occasion, vm) => {
    if (settlement.kind !== 'return') return undefined;
    return job.answered?.(work, settlement, occasion, vm) === undefined ? undefined : { state: 'done' };
  },
  vmEnded: () => ({ state: 'done' }),
};

/** Asks a job to be in one of these; it may end before it has come to that. */
function jobTurn(statuses: ReadonlySet<string>, late: string): CompletionRule {
  const reached = (work: Work, status: string | undefined): Verdict | undefined => {
    if (status !== undefined && statuses.has(status)) return { state: 'done' };
    if (status !== undefined && !ended.has(status)) return undefined;
    return work.verdict('failed', 'command-failed', 'The job ended before that.', { outcome: 'refused' });
  };
  return {
    ...jobCompletion,
    events: ['JOB_STATUS_CHANGE'],
    event: (work, _event, data) => reached(work, asText(data['status'])),
    // It may have been so before.
    replied: () => 'ask',
    answered: (work, settlement, occasion) => {
      const list = returnedList(settlement);
      if (list === undefined) return undefined;
      const entry = list.find(({ id }) => id === work.subject);
      if (entry === undefined && occasion === 'session') return work.loss('The VM no longer knows the job.');
      return reached(work, asText(entry?.['status']));
    },
    late: () => late,
    showsProgress: false,
  };
}

const ended: ReadonlySet<string> = new Set(['aborting', 'concluded', 'null']);

export const jobRules = {
  ...{ job, 'job-completion': jobCompletion, 'job-cancellation': jobCancellation },
  'job-pause': jobTurn(new Set(['paused', 'standby']), 'The job goes on; it may still pause.'),
  'job-resumption': jobTurn(
    new Set(['running', 'ready', 'waiting', 'pending', 'concluded']),
    'The job does not go on: it may have been paused more than once.',
  ),
};
