import type { CompletionKind } from '@qmp-gateway/catalog';
import {
  asObject,
  asText,
  parsedJson,
  returnedList,
  returnedObject,
  serverBounds,
  systemClock,
  TokenBucket,
  wholeText,
  type Clock,
  type Outcome,
  type PeerObject,
  type QmpEvent,
  type Timer,
} from '@qmp-gateway/qmp';
import { askInTurn } from '../commands/ask-in-turn.js';
import type { Vm } from '../vms/vm.js';
import type { FollowedVm, Occasion, Question } from './completion-rule.js';
import { completionRules } from './completion-rules.js';
import type { Verdict, Work } from './work.js';

/** Milliseconds between two looks at how far work is: at most 4 events a second tell of it. */
export const lookMs = 250;
/** Milliseconds between two looks whether anybody looks, and between two questions about what tells no end by itself. */
export const idleMs = 1000;
/** The last question at a deadline waits so long for its answer. */
const answerMs = 10_000;
/** So long a job that has ended may take to be let go, its turn in the queue included. */
const dismissMs = 10_000;
/** Work of one VM that goes on; past it the oldest counts as lost. */
const runningBound = 256;
/** A VM that comes back this long after a deadline can still say how it went. */
const awayMs = 60_000;
/**
 * Jobs taken up that nobody started through the gateway; beyond, the VM's word that yet another began is left at that. Each is
 * written to disk, told to streams and asked for.
 */
const foreignJobs = { perSecond: 4, burst: runningBound };
/** Longer return values are in the answer only. */
const resultBytes = 4096;

export type ForeignKind = Extract<CompletionKind, 'job' | 'migration' | 'arrival'>;

/** What following work needs of the gateway. */
export interface WorkSurroundings {
  readonly clock?: Clock;
  /** The newest event position. */
  eventCursor(): string;
  /** Anything worth writing down is different. */
  changed(work: Work): void;
  /** Tells the streams. @param vm as far as it is known: the gateway may know it no longer */
  publish(work: Work, vm: Vm | undefined): void;
  /** Whether a stream is open that would be told. */
  isWatched(work: Work): boolean;
  /** Work that nobody started through the gateway: a job, or a migration. */
  foreign(vm: Vm, completion: ForeignKind, subject: string): Work;
  /** Has a VM tell of a migration by events. */
  expectMigration(vm: Vm): void;
  /** The gateway changed something of the VM by itself. */
  audit(what: string, details: object): void;
}

/** The work of one VM that goes on: follows its events, asks where they do not tell, ends it. */
export class VmWorks {
  readonly #running: Work[] = [];
  /** What is told in a moment. */
  readonly #announced = new Map<Work, { readonly timer: Timer; readonly tell: () => void }>();
  /** Questions of a look that have no answer yet. */
  readonly #asked = new Set<string>();
  readonly #clock: Clock;
  readonly #foreignTurns: TokenBucket;
  #vm: Vm | undefined;
  #ticker: Timer | undefined;
  /** Monotonic milliseconds. */
  #tickedAt = -Infinity;
  /** Monotonic milliseconds since when there is no session with the VM; undefined while there is one. */
  #silentSince: number | undefined;

  constructor(private readonly surroundings: WorkSurroundings) {
    this.#clock = surroundings.clock ?? systemClock;
    this.#silentSince = this.#clock.now();
    this.#foreignTurns = new TokenBucket(foreignJobs, this.#clock.now());
  }

  /** Takes charge of work: before its command is written, or of an earlier run of the gateway. */
  add(work: Work, vm: Vm | undefined): void {
    this.#vm = vm ?? this.#vm;
    const { record } = work;
    work.mute = completionRules[record.completion].mute ?? false;
    this.#running.push(work);
    this.#setDeadline(work, record.deadlineAt);
    const [oldest] = this.#running;
    if (this.#running.length > runningBound && oldest !== undefined)
      this.#end(oldest, oldest.loss(`${runningBound} others were begun after it; it is no longer followed.`));
    this.surroundings.changed(work);
    this.#keepLooking();
  }

  /** The command is about to be written. @param deadlineMs from now */
  written(work: Work, epoch: string | null, deadlineMs: number | null): void {
    work.written = true;
    work.record.epoch = epoch;
    this.#setDeadline(work, deadlineMs === null ? null : this.#clock.wall() + deadlineMs);
    this.surroundings.changed(work);
  }

  #setDeadline(work: Work, at: number | null): void {
    work.deadline?.cancel();
    work.record.deadlineAt = at;
    if (at === null) return;
    work.deadline = this.#clock.schedule(Math.max(0, at - this.#clock.wall()), () => this.#deadline(work));
  }

  /** The command was refused: there is no work. */
  drop(work: Work): void {
    this.#remove(work);
    work.tell();
  }

  /** The command returned, or (undefined) its session ended before. */
  replied(work: Work, value: Buffer | undefined): void {
    if (work.over || this.#vm === undefined) return;
    work.replied = true;
    work.record.result = value === undefined || value.length > resultBytes ? null : value.toString();
    if (value !== undefined && work.record.completion === 'job-cancellation') this.#cancelRequested(work);
    const rule = completionRules[work.record.completion];
    const verdict = work.held ?? (value === undefined ? undefined : rule.replied?.(work, this.#view));
    work.held = undefined;
    this.#judge(work, verdict);
  }

  event(vm: Vm, event: QmpEvent): void {
    const data = asObject(parsedJson(event.data ?? '{}')) ?? {};
    this.#adopt(vm, event.name, data);
    for (const work of [...this.#running]) {
      const rule = completionRules[work.record.completion];
      if (!work.written || !rule.events.includes(event.name) || !rule.concerns(work, event.name, data)) continue;
      const { name, receivedAt } = event;
      work.note({ cursor: this.surroundings.eventCursor(), event: name, data: event.data ?? '{}', time: receivedAt });
      const verdict = rule.event(work, name, data, this.#view, this.#clock.wall());
      if (work.replied) this.#judge(work, verdict);
      else work.held = verdict ?? work.held;
    }
  }

  /** A session was made: what began in an earlier one is asked for. */
  ready(vm: Vm): void {
    this.#vm = vm;
    this.#silentSince = undefined;
    this.#asked.clear();
    const earlier = this.#running.filter(({ written, record }) => written && record.epoch !== vm.epoch);
    for (const work of earlier) {
      work.replied = true;
      if (completionRules[work.record.completion].question === undefined)
        this.#end(work, work.loss('The session with the VM ended, and nothing tells what became of it.'));
    }
    const overdue = earlier.filter((work) => work.overdue);
    this.#ask(
      earlier.filter((work) => !work.overdue),
      'session',
    );
    for (const work of overdue) this.#deadline(work);
    if (vm.schema?.commands.has('query-jobs') === true)
      this.#send({ command: 'query-jobs' }, (outcome) => this.#adoptListed(vm, outcome));
    if (vm.runState === 'inmigrate') {
      this.surroundings.expectMigration(vm);
      this.#send({ command: 'query-migrate' }, (outcome) => this.#adoptMigration(vm, returnedObject(outcome) ?? {}));
    }
    this.#keepLooking();
  }

  /** The VM is gone for good: by its own word, or forgotten. */
  ended(detail: string): void {
    for (const work of [...this.#running])
      this.#end(
        work,
        completionRules[work.record.completion].vmEnded?.(work, this.#view) ?? work.foretold ?? work.loss(detail),
      );
  }

  /** There is no session with the VM, for the first time or still. */
  away(): void {
    this.#silentSince ??= this.#clock.now();
    for (const work of [...this.#running]) {
      const verdict = completionRules[work.record.completion].sessionEnded?.(work);
      if (verdict !== undefined) this.#end(work, verdict);
    }
  }

  /** Gives up all work when nothing was heard of the VM for so many milliseconds; what it foretold of its end holds. */
  abandon(silentMs: number): void {
    if (this.#silentSince === undefined || this.#clock.now() - this.#silentSince < silentMs) return;
    for (const work of [...this.#running])
      this.#end(work, work.foretold ?? work.loss('Nothing was heard of the VM for a day.'));
  }

  /** How far it is was not told lately, and can be asked. */
  canMeasure(work: Work): boolean {
    const isFresh = this.#clock.now() - work.measuredAt < lookMs;
    return !isFresh && this.#vm?.ready === true && completionRules[work.record.completion].showsProgress === true;
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
    for (const { tell } of [...this.#announced.values()]) tell();
    this.stop();
  }

  /** Follows no longer; what goes on is left to the next run. */
  stop(): void {
    this.#ticker?.cancel();
    for (const { deadline } of this.#running) deadline?.cancel();
    for (const { timer } of this.#announced.values()) timer.cancel();
    this.#announced.clear();
  }

  /** A job that begins belongs to the command that was written and has no reply yet, or to nobody. */
  #adopt(vm: Vm, event: string, data: PeerObject): void {
    if (event === 'MIGRATION') this.#adoptMigration(vm, data);
    const id = wholeText(asText(data['id']), serverBounds.id);
    if (event !== 'JOB_STATUS_CHANGE' || data['status'] !== 'created' || id === undefined) return;
    const jobs = this.#running.filter(({ written, record }) => written && record.completion === 'job');
    if (jobs.some(({ record }) => record.subject === id)) return;
    // Without an id of its own a job has that of its drive, whichever way that was named.
    const nameless = jobs.find(({ replied, record }) => !replied && record.job === null);
    if (nameless !== undefined) nameless.record.subject = id;
    else this.#addForeign(vm, 'job', id);
  }

  /** One that is under way without a command that we know of: in one direction or the other. */
  #adoptMigration(vm: Vm, { status }: PeerObject): void {
    // What is only prepared may never begin, and has no command to end it.
    if (status !== 'active' && status !== 'postcopy-active') return;
    if (this.#running.some(({ record }) => record.completion === 'migration' || record.completion === 'arrival'))
      return;
    this.#addForeign(vm, vm.runState === 'inmigrate' ? 'arrival' : 'migration', '');
  }

  #addForeign(vm: Vm, completion: ForeignKind, subject: string): void {
    if (!this.#foreignTurns.tryTake(this.#clock.now())) {
      vm.anomaly('jobs-left-out', 'jobs that nobody started through the gateway begin too fast to be followed');
      return;
    }
    const work = this.surroundings.foreign(vm, completion, subject);
    work.written = true;
    work.replied = true;
    this.add(work, vm);
    // The kind of a job is in no event of its beginning.
    this.#ask([work], 'look');
  }

  /** Jobs that were there before this session. */
  #adoptListed(vm: Vm, outcome: Outcome): void {
    for (const { id, status } of returnedList(outcome) ?? []) {
      const job = wholeText(asText(id), serverBounds.id);
      if (job === undefined || status === 'concluded' || status === 'null') continue;
      const isKnown = this.#running.some(({ record }) => record.completion === 'job' && record.subject === job);
      if (!isKnown) this.#addForeign(vm, 'job', job);
    }
  }

  #cancelRequested(cancellation: Work): void {
    for (const work of this.#running) {
      if (work.record.subject !== cancellation.record.subject) continue;
      work.record.cancelRequested = true;
      this.surroundings.changed(work);
    }
  }

  #judge(work: Work, verdict: Verdict | 'ask' | undefined): void {
    if (work.over) return;
    if (verdict !== undefined && verdict !== 'ask') {
      this.#conclude(work, verdict);
      return;
    }
    if (verdict === 'ask') this.#ask([work], 'event');
    this.#changed(work);
  }

  /** A job whose end was kept for us is let go before anybody is told: its id is free then. */
  #conclude(work: Work, verdict: Verdict): void {
    const { dismiss, job, vm } = work.record;
    // How it ended is known; what comes now is the end of its job.
    if (work.dismissing) return;
    if (!dismiss || job === null) {
      this.#end(work, verdict);
      return;
    }
    work.dismissing = true;
    work.foretold = verdict;
    const args = JSON.stringify({ id: job.id });
    // A VM that hangs now keeps nobody from what is known.
    const late = this.#clock.schedule(dismissMs, () => this.#end(work, verdict));
    this.#send({ command: 'job-dismiss', args }, ({ kind }) => {
      late.cancel();
      work.dismissing = false;
      // Otherwise the session has ended, and the next one may find the job still there.
      if (kind === 'return' || kind === 'error') this.#end(work, verdict);
    });
    this.surroundings.audit('job-dismissed', { vm, job: job.id, operation: work.record.id });
  }

  #end(work: Work, verdict: Verdict): void {
    if (work.over) return;
    this.#remove(work);
    work.end(verdict, this.#clock.wall());
    this.#changed(work);
  }

  #remove(work: Work): void {
    const at = this.#running.indexOf(work);
    if (at >= 0) this.#running.splice(at, 1);
    work.deadline?.cancel();
  }

  #deadline(work: Work): void {
    const rule = completionRules[work.record.completion];
    if (!work.replied) {
      // The command has a deadline of its own; only what follows it is ours.
      work.deadline = this.#clock.schedule(idleMs, () => this.#deadline(work));
      return;
    }
    if (this.#vm?.ready !== true) {
      if (work.overdue) {
        this.#end(work, work.loss('Its deadline passed while the VM was away.'));
        return;
      }
      work.overdue = true;
      work.deadline = this.#clock.schedule(awayMs, () => this.#deadline(work));
      return;
    }
    if (rule.question === undefined) this.#late(work);
    else {
      work.deadline = this.#clock.schedule(answerMs, () => this.#late(work));
      this.#ask([work], 'deadline');
    }
  }

  #late(work: Work): void {
    const detail = completionRules[work.record.completion].late?.(work, this.#view) ?? 'It took too long.';
    this.#end(work, work.verdict('failed', 'deadline-exceeded', detail, { outcome: 'unknown', retryable: false }));
  }

  /** Asks once for all works with the same question. */
  #ask(works: readonly Work[], occasion: Occasion): void {
    const questions = new Map<string, { question: Question; works: Work[] }>();
    for (const work of works) {
      const question = work.over ? undefined : completionRules[work.record.completion].question?.(work);
      if (question === undefined) continue;
      const key = `${question.command} ${question.args ?? ''}`;
      if (occasion === 'look' && this.#asked.has(key)) continue;
      const group = questions.get(key);
      if (group === undefined) questions.set(key, { question, works: [work] });
      else group.works.push(work);
    }
    for (const [key, { question, works: group }] of questions) {
      if (occasion === 'look') this.#asked.add(key);
      this.#send(question, (outcome) => {
        if (occasion === 'look') this.#asked.delete(key);
        for (const work of group) this.#answered(work, outcome, occasion);
      });
    }
  }

  #answered(work: Work, outcome: Outcome, occasion: Occasion): void {
    if (work.over) return;
    const { progress, state } = work.record;
    const status = work.record.job?.status;
    const tells = outcome.kind === 'return' || outcome.kind === 'error';
    const rule = completionRules[work.record.completion];
    const verdict = tells ? rule.answered?.(work, outcome, occasion, this.#clock.wall(), this.#view) : undefined;
    // An answer from before the reply says nothing about what only begins.
    if (verdict !== undefined && work.replied) this.#conclude(work, verdict);
    else if (occasion === 'deadline') this.#late(work);
    else if (occasion !== 'look' || work.record.state !== state || work.record.job?.status !== status)
      this.#changed(work);
    // How far it was is of no use to a next run, and not worth a write.
    else if (work.record.progress !== progress) this.#announce(work);
    if (occasion !== 'look') return;
    work.measuredAt = this.#clock.now();
    for (const told of [...work.lookers]) told();
  }

  /** In turn with the VM's other commands. `told` gets what the VM answers, at its place among the events. */
  #send({ command, args }: Question, told: (outcome: Outcome) => void): void {
    const vm = this.#vm;
    const none: Outcome = { kind: 'error', class: 'CommandNotFound', desc: '' };
    if (vm?.schema?.commands.has(command) !== true) {
      told(none);
      return;
    }
    const { queue, monitor } = vm;
    const away = () => told({ kind: 'not-sent', cause: 'the VM is away' });
    const later = () => {
      if (vm.ready)
        this.#clock.schedule(idleMs, () => this.#send({ command, ...(args === undefined ? {} : { args }) }, told));
      else away();
    };
    // Without a deadline: whenever the answer comes, it says how the work is. Who can't wait for it has a timer.
    const answerBytes = serverBounds.ownAnswer.most;
    const send = () =>
      monitor.execute({ command, answerBytes, ...(args === undefined ? {} : { argumentsJson: args }), settle: told });
    askInTurn(queue, monitor, { send, refuse: away, giveWay: later });
  }

  #keepLooking(): void {
    this.#ticker ??= this.#clock.schedule(idleMs, () => this.#tick());
  }

  #tick(): void {
    this.#ticker = undefined;
    this.#tickedAt = this.#clock.now();
    const { surroundings } = this;
    const measured = this.#running.filter(
      (work) => work.mute || completionRules[work.record.completion].showsProgress === true,
    );
    if (measured.length === 0) return;
    const watched = measured.filter(
      (work) => work.waiters.size + work.lookers.size > 0 || surroundings.isWatched(work),
    );
    const asked = new Set([...watched, ...measured.filter(({ mute }) => mute)]);
    if (this.#vm?.ready === true) this.#ask([...asked], 'look');
    this.#ticker = this.#clock.schedule(watched.length > 0 ? lookMs : idleMs, () => this.#tick());
  }

  #changed(work: Work): void {
    this.surroundings.changed(work);
    this.#announce(work);
  }

  /** At most once in {@link lookMs}; what changes in between is told together. */
  #announce(work: Work): void {
    if (this.#announced.has(work)) return;
    const tell = () => {
      this.#announced.get(work)?.timer.cancel();
      this.#announced.delete(work);
      work.announcedAt = this.#clock.now();
      this.surroundings.publish(work, this.#vm);
    };
    const wait = work.announcedAt + lookMs - this.#clock.now();
    if (wait <= 0) tell();
    else this.#announced.set(work, { timer: this.#clock.schedule(wait, tell), tell });
  }

  get #view(): FollowedVm {
    const vm = this.#vm;
    return {
      runState: vm?.runState ?? null,
      resetEnds: vm?.resetEnds ?? null,
      hasEvent: (name) => vm?.schema?.model.events.has(name) === true,
    };
  }
}
