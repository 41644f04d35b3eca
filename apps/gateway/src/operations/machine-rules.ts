import { asNumber, asObject, asText, returnedObject } from '@qmp-gateway/qmp';
import type { CompletionRule } from './completion-rule.js';
import type { Verdict, Work } from './work.js';

/** Statuses of `query-status` in which the CPUs run. */
const isRunning = (runState: string | null) => runState === 'running';

const statusQuestion = () => ({ command: 'query-status' });

const stop: CompletionRule = {
  events: ['STOP'],
  subject: () => '',
  concerns: () => true,
  event: () => ({ state: 'done' }),
  // A VM that was paused before says nothing.
  replied: (_work, { runState }) => (runState === null || isRunning(runState) ? undefined : { state: 'done' }),
  question: statusQuestion,
  answered: (work, outcome, occasion) => {
    if (returnedObject(outcome)?.['running'] === false) return { state: 'done' };
    return occasion === 'session' ? work.loss(restarted) : undefined;
  },
  late: () => 'The VM still runs.',
};

const cont: CompletionRule = {
  ...stop,
  events: ['RESUME'],
  replied: (_work, { runState }) => (isRunning(runState) ? { state: 'done' } : undefined),
  answered: (work, outcome, occasion) => {
    if (returnedObject(outcome)?.['running'] === true) return { state: 'done' };
    return occasion === 'session' ? work.loss(restarted) : undefined;
  },
  late: (_work, { runState }) =>
    runState === 'inmigrate'
      ? 'The VM awaits a migration, and will run when that has come.'
      : `The VM does not run${runState === null ? '' : `: it is ${runState}`}.`,
};

const restarted = 'The session with the VM ended, and nothing tells what became of it.';

/** A guest that sleeps is woken; the reply says that it was asked. */
const wakeup: CompletionRule = {
  ...cont,
  events: ['WAKEUP'],
  replied: () => undefined,
  late: () => 'The guest sleeps on.',
};

/** QAPI ShutdownCause of `system_reset`. */
const resetReason = 'host-qmp-system-reset';

const reset: CompletionRule = {
  events: ['RESET', 'SHUTDOWN'],
  subject: () => '',
  concerns: () => true,
  // With `-no-reboot` a reset is a shutdown, which says so.
  event: (_work, event, data) => (event === 'RESET' || data['reason'] === resetReason ? { state: 'done' } : undefined),
  // That the VM has ended says nothing of its reset, unless that is what a reset is there.
  vmEnded: (_work, { resetEnds }) => (resetEnds === true ? { state: 'done' } : undefined),
  late: () => 'The VM has not been reset.',
};

/** The end of a migration can only be asked of a VM that does not tell it. */
const migration: CompletionRule = {
  events: ['MIGRATION', 'MIGRATION_PASS'],
  subject: () => '',
  concerns: () => true,
  event(work, event, data) {
    if (event !== 'MIGRATION') return undefined;
    work.heard();
    const status = asText(data['status']) ?? '';
    // Whatever end was told before belongs to an earlier one.
    if (status === 'setup') work.takeHeld();
    if (status === 'failed') return 'ask';
    return migrationEnd(work, status, undefined);
  },
  replied: (work) => (work.isMute ? 'ask' : undefined),
  question: () => ({ command: 'query-migrate' }),
  answered(work, outcome, occasion, { now }) {
    const info = returnedObject(outcome);
    if (info === undefined) return undefined;
    const ram = asObject(info['ram']);
    const [total, remaining] = [asNumber(ram?.['total']), asNumber(ram?.['remaining'])];
    if (total !== undefined && remaining !== undefined)
      work.advance(Math.max(0, total - remaining), total, 'bytes', now);
    const status = asText(info['status']) ?? 'none';
    if (status === 'none' && occasion === 'session')
      return work.loss('The VM does not know of a migration; it was started anew.');
    return migrationEnd(work, status, asText(info['error-desc']));
  },
  showsProgress: true,
  mute: true,
};

/**
 * The other side: a guest that comes. Nothing is known of how far it is, and of most releases it is the end of the process
 * when it fails: whatever was told last is all there is.
 */
const arrival: CompletionRule = {
  ...migration,
  events: ['MIGRATION'],
  event(work, _event, data) {
    const status = asText(data['status']) ?? '';
    // QEMU 7.2 tells of this one whether it was told to or not.
    if (status === 'setup') return undefined;
    work.heard();
    const end = migrationEnd(work, status, undefined);
    if (status !== 'failed') return end;
    work.foretell(end);
    return 'ask';
  },
  answered(work, outcome, occasion, { runState }) {
    const info = returnedObject(outcome);
    if (info === undefined) return undefined;
    const status = asText(info['status']) ?? 'none';
    // Releases before 9 have no status while nobody has come.
    if (status === 'none' && occasion === 'session' && runState !== 'inmigrate')
      return work.loss('The VM does not know of a migration; it was started anew.');
    return migrationEnd(work, status, asText(info['error-desc']));
  },
  sessionEnded: ({ foretold }) => foretold,
  showsProgress: false,
};

/** What is asked of a migration, by the statuses in which it has come to that. */
const steps: Readonly<Record<string, readonly string[]>> = {
  migrate_cancel: ['cancelled', 'canceled', 'failed', 'completed', 'none'],
  'migrate-start-postcopy': ['postcopy-active', 'completed'],
  'migrate-pause': ['postcopy-paused', 'completed'],
  'migrate-recover': ['postcopy-recover', 'postcopy-active', 'completed'],
};

const migrationStep: CompletionRule = {
  ...migration,
  events: ['MIGRATION'],
  event(work, _event, data) {
    work.heard();
    return stepEnd(work, asText(data['status']) ?? '', undefined);
  },
  answered(work, outcome, occasion) {
    const info = returnedObject(outcome);
    if (info === undefined) return undefined;
    const status = asText(info['status']) ?? 'none';
    const end = stepEnd(work, status, asText(info['error-desc']));
    if (end === undefined && status === 'none' && occasion === 'session')
      return work.loss('The VM does not know of a migration; it was started anew.');
    return end;
  },
  showsProgress: false,
};

function stepEnd(work: Work, status: string, error: string | undefined): Verdict | undefined {
  if (steps[work.owner.command ?? '']?.includes(status) === true) return { state: 'done' };
  return migrationEnd(work, status, error);
}

/** Statuses no release has had yet go on. */
function migrationEnd(work: Work, status: string, error: string | undefined): Verdict | undefined {
  switch (status) {
    case 'completed':
      return { state: 'done' };
    case 'failed':
      return work.failure(error ?? 'The migration failed, and the VM does not say why.');
    case 'cancelled':
    case 'canceled':
      return work.cancellation('The migration was cancelled.');
    default:
      return undefined;
  }
}

const dump: CompletionRule = {
  events: ['DUMP_COMPLETED'],
  subject: (args) => (args['detach'] === true ? '' : undefined),
  concerns: () => true,
  event(work, _event, data) {
    const { status } = asObject(data['result']) ?? {};
    return status === 'completed' ? { state: 'done' } : work.failure(asText(data['error']) ?? 'The dump failed.');
  },
  question: () => ({ command: 'query-dump' }),
  answered(work, outcome, occasion, { now }) {
    const info = returnedObject(outcome);
    const status = info?.['status'];
    const [completed, total] = [asNumber(info?.['completed']), asNumber(info?.['total'])];
    if (completed !== undefined && total !== undefined) work.advance(completed, total, 'bytes', now);
    // Otherwise its event is told in a moment, with the reason.
    if (occasion !== 'session') return undefined;
    if (status === 'completed') return { state: 'done' };
    if (status === 'failed') return work.failure('The dump failed while nobody listened, and the VM does not say why.');
    return status === 'active' ? undefined : work.loss('The VM does not know of a dump; it was started anew.');
  },
  showsProgress: true,
};

const dirtyRate: CompletionRule = {
  events: [],
  subject: () => '',
  concerns: () => false,
  event: () => undefined,
  question: () => ({ command: 'query-dirty-rate' }),
  answered(work, outcome, occasion) {
    const status = returnedObject(outcome)?.['status'];
    if (status === 'measured') return { state: 'done' };
    // The reply comes before QEMU's thread has begun to measure.
    const isUnknown = status === 'unstarted' && occasion === 'session';
    return isUnknown ? work.loss('The VM does not know of a measurement.') : undefined;
  },
  mute: true,
};

export const machineRules = {
  ...{ stop, cont, wakeup, reset, migration, arrival, 'migration-step': migrationStep },
  ...{ dump, 'dirty-rate': dirtyRate },
};
