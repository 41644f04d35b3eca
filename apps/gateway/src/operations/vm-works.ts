import { asObject, parsedJson, type Clock, type Settlement, type QmpEvent, type Timer } from '@qmp-gateway/qmp';
import type { Vm } from '../vms/vm.js';
import type { CompletionRule, FollowedVm, Occasion } from './completion-rule.js';
import { completionRules } from './completion-rules.js';
import { ForeignWork, type ForeignFollower, type ForeignKind } from './foreign-work.js';
import type { OperationEvents } from './operation-events.js';
import type { OperationStore } from './operation-store.js';
import type { WorkingOperation } from './operation.js';
import { lookMs, WorkAnnouncements } from './work-announcements.js';
import { WorkQuestions, type WorkAnswers } from './work-questions.js';
import type { Verdict, Work } from './work.js';

/** Milliseconds between two looks whether anybody looks, and between two questions about what tells no end by itself. */
export const idleMs = 1000;
/** The last question at a deadline waits so long for its answer. */
const answerMs = 10_000;
/** So long a job that has ended may take to be let go, its turn in the queue included. */
const dismissMs = 10_000;
/** Operations of one VM whose work goes on; past it the oldest counts as lost. */
const runningBound = 256;
/** A VM that comes back this long after a deadline can still say how it went. */
const awayMs = 60_000;
/** Longer return values are in the answer only. */
const resultBytes = 4096;

/** Keeps what is followed. */
export interface WorkKeeper {
  /** Anything worth writing down is different. */
  changed(operation: WorkingOperation): void;
  /** Work that nobody started through the gateway: a job, or a migration. */
  adopt(vm: Vm, completion: ForeignKind, subject: string): WorkingOperation;
  /** Has a VM tell of a migration by events. */
  beforeMigration(vm: Vm): void;
}

/** Where what is followed is kept, and who hears of it. */
export interface WorkSurroundings {
  readonly keeper: WorkKeeper;
  readonly store: OperationStore;
  readonly events: OperationEvents;
  readonly clock: Clock;
}

/** The work of one VM that goes on: follows its events, asks where they do not tell, ends it. */
export class VmWorks implements WorkAnswers, ForeignFollower {
  readonly running: WorkingOperation[] = [];
  readonly #announcements: WorkAnnouncements;
  readonly #questions: WorkQuestions;
  readonly #clock: Clock;
  readonly #foreign: ForeignWork;
  #ticker: Timer | undefined;
  /** Monotonic milliseconds. */
  #tickedAt = -Infinity;
  /** Monotonic milliseconds since when there is no session with the VM; undefined while there is one. */
  #silentSince: number | undefined;

  constructor(private readonly surroundings: WorkSurroundings) {
    const { events, clock } = surroundings;
    this.#clock = clock;
    this.#announcements = new WorkAnnouncements(events, clock);
    this.#questions = new WorkQuestions(this, clock);
    this.#silentSince = clock.now();
    this.#foreign = new ForeignWork(this, clock);
  }

  /** Takes charge of work: before its command is written, or of an earlier run of the gateway. */
  add(operation: WorkingOperation, vm: Vm | undefined): void {
    this.#vm = vm ?? this.#vm;
    const { work } = operation;
    if (ruleOf(operation).mute === true) work.expectNoEvent();
    this.running.push(operation);
    this.#setDeadline(operation, work.deadlineAt);
    const [oldest] = this.running;
    if (this.running.length > runningBound && oldest !== undefined)
      this.#end(oldest, oldest.work.loss(`${runningBound} newer ones are followed; this one is no longer followed.`));
    this.surroundings.keeper.changed(operation);
    this.#keepLooking();
  }

  /** The command is about to be written. @param deadlineMs from now */
  written(operation: WorkingOperation, epoch: string | null, deadlineMs: number | null): void {
    if (operation.over) return;
    operation.work.epoch = epoch;
    this.#setDeadline(operation, deadlineMs === null ? null : this.#clock.wall() + deadlineMs);
    this.surroundings.keeper.changed(operation);
  }

  #setDeadline(operation: WorkingOperation, at: number | null): void {
    const { work } = operation;
    work.deadline?.cancel();
    work.deadlineAt = at;
    if (at !== null)
      work.deadline = this.#clock.schedule(Math.max(0, at - this.#clock.wall()), () => this.#deadline(operation));
  }

  /** The command was refused: there is no work. */
  drop(operation: WorkingOperation): void {
    this.#remove(operation);
  }

  /** The command returned, or (undefined) its session ended before. */
  replied(operation: WorkingOperation, value: Buffer | undefined): void {
    if (operation.over || this.#vm === undefined) return;
    const { work } = operation;
    this.surroundings.store.goesOn(operation, value === undefined || value.length > resultBytes ? null : value);
    if (value !== undefined && work.completion === 'job-cancellation') this.#cancelRequested(work);
    const told = value === undefined ? undefined : ruleOf(operation).replied?.(work, this.#view);
    this.#judge(operation, work.takeHeld() ?? told);
  }

  event(vm: Vm, event: QmpEvent): void {
    const data = asObject(parsedJson(event.data ?? '{}')) ?? {};
    this.#foreign.event(vm, event.name, data);
    for (const operation of [...this.running]) {
      const { work } = operation;
      const rule = ruleOf(operation);
      if (!operation.isSent || !rule.events.includes(event.name) || !rule.concerns(work, event.name, data)) continue;
      const { name, receivedAt } = event;
      const cursor = this.surroundings.events.eventCursor();
      work.note({ cursor, event: name, data: event.data ?? '{}', time: receivedAt });
      const verdict = rule.event(work, name, data, this.#view);
      if (operation.isAnswered) this.#judge(operation, verdict);
      else if (verdict !== undefined) work.hold(verdict);
    }
  }

  /** A session was made: what began in an earlier one is asked for. */
  ready(vm: Vm): void {
    this.#vm = vm;
    this.#silentSince = undefined;
    this.#questions.forgetAsked();
    const earlier = this.running.filter(({ isSent, work }) => isSent && work.epoch !== vm.epoch);
    for (const operation of earlier) {
      this.surroundings.store.goesOn(operation, null);
      if (ruleOf(operation).question === undefined)
        this.#end(
          operation,
          operation.work.loss('The session with the VM ended, and nothing tells what became of it.'),
        );
    }
    const overdue = earlier.filter(({ work }) => work.isOverdue);
    this.#questions.ask(
      earlier.filter(({ work }) => !work.isOverdue),
      'session',
    );
    for (const operation of overdue) this.#deadline(operation);
    if (vm.schema?.commands.has('query-jobs') === true)
      this.#questions.send({ command: 'query-jobs' }, (settlement) => this.#foreign.jobs(vm, settlement));
    if (vm.runState === 'inmigrate') {
      this.surroundings.keeper.beforeMigration(vm);
      this.#questions.send({ command: 'query-migrate' }, (settlement) => this.#foreign.migration(vm, settlement));
    }
    this.#keepLooking();
  }

  /** The VM is gone for good: by its own word, or forgotten. */
  ended(detail: string): void {
    for (const operation of this.#sent) {
      const { work } = operation;
      this.#end(operation, ruleOf(operation).vmEnded?.(work, this.#view) ?? work.foretold ?? work.loss(detail));
    }
  }

  /** There is no session with the VM, for the first time or still. */
  away(): void {
    this.#silentSince ??= this.#clock.now();
    for (const operation of this.#sent) {
      const verdict = ruleOf(operation).sessionEnded?.(operation.work);
      if (verdict !== undefined) this.#end(operation, verdict);
    }
  }

  /** Gives up all work when nothing was heard of the VM for so many milliseconds; what it foretold of its end holds. */
  abandon(silentMs: number): void {
    if (this.#silentSince === undefined || this.#clock.now() - this.#silentSince < silentMs) return;
    for (const operation of this.#sent) {
      const { work } = operation;
      this.#end(operation, work.foretold ?? work.loss('Nothing was heard of the VM for a day.'));
    }
  }

  /** How far it is was not asked lately, and can be. */
  canMeasure(operation: WorkingOperation): boolean {
    const isFresh = this.#clock.now() - operation.work.measuredAt < lookMs;
    return !isFresh && this.#vm?.ready === true && ruleOf(operation).showsProgress === true;
  }

  /** Somebody wants to know of work: how far it is will be asked now, or as soon as it is time again. */
  look(): void {
    this.#ticker?.cancel();
    const wait = this.#tickedAt + lookMs - this.#clock.now();
    if (wait <= 0) this.#tick();
    else this.#ticker = this.#clock.schedule(wait, () => this.#tick());
  }

  /** The gateway forgets the VM: all that is to be said of its work is said now, and nothing after. */
  removed(vm: Vm): void {
    this.#vm = vm;
    this.ended('The VM was forgotten before its work ended.');
    this.#announcements.flush(vm);
    this.stop();
  }

  /** Follows no longer; what goes on is left to the next run. */
  stop(): void {
    this.#ticker?.cancel();
    for (const { work } of this.running) work.deadline?.cancel();
    this.#announcements.stop();
  }

  /** As far as it is known. */
  get #vm(): Vm | undefined {
    return this.#questions.vm;
  }

  set #vm(vm: Vm | undefined) {
    this.#questions.vm = vm;
  }

  /** Those whose command was written. One that waits still is told by its own command what becomes of it. */
  get #sent(): WorkingOperation[] {
    return this.running.filter(({ isSent }) => isSent);
  }

  /** Takes up what was begun past the gateway. */
  followForeign(vm: Vm, completion: ForeignKind, subject: string): void {
    const operation = this.surroundings.keeper.adopt(vm, completion, subject);
    this.add(operation, vm);
    // The kind of a job is in no event of its beginning.
    this.#questions.ask([operation], 'look');
  }

  #cancelRequested({ subject }: Work): void {
    for (const operation of this.running) {
      if (operation.work.subject !== subject) continue;
      operation.work.requestCancel();
      this.surroundings.keeper.changed(operation);
    }
  }

  #judge(operation: WorkingOperation, verdict: Verdict | 'ask' | undefined): void {
    if (operation.over) return;
    if (verdict !== undefined && verdict !== 'ask') {
      this.#conclude(operation, verdict);
      return;
    }
    if (verdict === 'ask') this.#questions.ask([operation], 'event');
    this.#changed(operation);
  }

  /** A job whose end was kept for us is let go before anybody is told: its id is free then. */
  #conclude(operation: WorkingOperation, verdict: Verdict): void {
    const { id, vm, work } = operation;
    const { dismiss, job } = work;
    // How it ended is known; what comes now is the end of its job.
    if (work.isDismissing) return;
    if (!dismiss || job === null) {
      this.#end(operation, verdict);
      return;
    }
    work.dismissing(verdict);
    const args = JSON.stringify({ id: job.id });
    // A VM that hangs now keeps nobody from what is known.
    const late = this.#clock.schedule(dismissMs, () => this.#end(operation, verdict));
    this.#questions.send({ command: 'job-dismiss', args }, ({ kind }) => {
      late.cancel();
      work.notDismissed();
      // Otherwise the session has ended, and the next one may find the job still there.
      if (kind === 'return' || kind === 'error') this.#end(operation, verdict);
    });
    this.surroundings.events.intervened('job-dismissed', { vm, job: job.id, operation: id });
  }

  #end(operation: WorkingOperation, verdict: Verdict): void {
    if (operation.over) return;
    this.#remove(operation);
    this.surroundings.store.conclude(operation, verdict);
    this.#changed(operation);
  }

  #remove(operation: WorkingOperation): void {
    const at = this.running.indexOf(operation);
    if (at >= 0) this.running.splice(at, 1);
    operation.work.deadline?.cancel();
  }

  #deadline(operation: WorkingOperation): void {
    const { work } = operation;
    if (!operation.isAnswered) {
      // The command has a deadline of its own; only what follows it is ours.
      work.deadline = this.#clock.schedule(idleMs, () => this.#deadline(operation));
      return;
    }
    if (this.#vm?.ready !== true) {
      if (work.isOverdue) {
        this.#end(operation, work.loss('Its deadline passed while the VM was away.'));
        return;
      }
      work.becomeOverdue();
      work.deadline = this.#clock.schedule(awayMs, () => this.#deadline(operation));
      return;
    }
    if (ruleOf(operation).question === undefined) this.#late(operation);
    else {
      work.deadline = this.#clock.schedule(answerMs, () => this.#late(operation));
      this.#questions.ask([operation], 'deadline');
    }
  }

  #late(operation: WorkingOperation): void {
    const { work } = operation;
    const detail = ruleOf(operation).late?.(work, this.#view) ?? 'It took too long.';
    this.#end(operation, work.verdict('failed', 'deadline-exceeded', detail, { outcome: 'unknown', retryable: false }));
  }

  answered(operation: WorkingOperation, settlement: Settlement, occasion: Occasion): void {
    if (operation.over) return;
    const { work, shownState } = operation;
    const { progress } = work;
    const status = work.job?.status;
    const tells = settlement.kind === 'return' || settlement.kind === 'error';
    const verdict = tells ? ruleOf(operation).answered?.(work, settlement, occasion, this.#view) : undefined;
    // An answer from before the reply says nothing about what only begins.
    if (verdict !== undefined && operation.isAnswered) this.#conclude(operation, verdict);
    else if (occasion === 'deadline') this.#late(operation);
    else if (occasion !== 'look' || operation.shownState !== shownState || work.job?.status !== status)
      this.#changed(operation);
    // How far it was is of no use to a next run, and not worth a write.
    else if (work.progress !== progress) this.#announcements.announce(operation, this.#vm);
    if (occasion !== 'look') return;
    work.measuredAt = this.#clock.now();
    operation.measured();
  }

  #keepLooking(): void {
    this.#ticker ??= this.#clock.schedule(idleMs, () => this.#tick());
  }

  #tick(): void {
    this.#ticker = undefined;
    this.#tickedAt = this.#clock.now();
    const { events } = this.surroundings;
    const measured = this.running.filter(
      (operation) => operation.work.isMute || ruleOf(operation).showsProgress === true,
    );
    if (measured.length === 0) return;
    const watched = measured.filter((operation) => operation.isAwaited || events.isWatched(operation));
    const asked = new Set([...watched, ...measured.filter(({ work }) => work.isMute)]);
    if (this.#vm?.ready === true) this.#questions.ask([...asked], 'look');
    this.#ticker = this.#clock.schedule(watched.length > 0 ? lookMs : idleMs, () => this.#tick());
  }

  #changed(operation: WorkingOperation): void {
    this.surroundings.keeper.changed(operation);
    this.#announcements.announce(operation, this.#vm);
  }

  get #view(): FollowedVm {
    const vm = this.#vm;
    return {
      now: this.#clock.wall(),
      runState: vm?.runState ?? null,
      resetEnds: vm?.resetEnds ?? null,
      hasEvent: (name) => vm?.schema?.model.events.has(name) === true,
    };
  }
}

function ruleOf({ work }: WorkingOperation): CompletionRule {
  return completionRules[work.completion];
}
