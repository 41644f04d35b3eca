import type { Completion } from '@qmp-gateway/catalog';
import { asObject, asText, parsedJson, systemClock, type Clock, type QmpEvent, type Timer } from '@qmp-gateway/qmp';
import type { StateDirectory } from '../state/state-directory.js';
import type { Vm } from '../vms/vm.js';
import { completionRules, followedEvents } from './completion-rules.js';
import { switchOnMigrationEvents } from './migration-events.js';
import type { Operation } from './operation-store.js';
import { VmWorks, type ForeignKind, type WorkSurroundings } from './vm-works.js';
import { WorkLog } from './work-log.js';
import { WorkStore } from './work-store.js';
import { Work, type WorkRecord } from './work.js';

/** What following work needs of the gateway. */
export interface FollowerParts extends Pick<WorkSurroundings, 'eventCursor' | 'publish' | 'isWatched' | 'audit'> {
  readonly state: StateDirectory;
  readonly clock?: Clock;
  /** An id that no operation had before. */
  nextId(): string;
  /** Told once of each work that ended, by whatever way. */
  ended(work: Work): void;
  /** Told once each time work can no longer be written down, or can again. */
  trouble(failure: string | undefined): void;
}

/** How the work of a command is to be followed. */
export interface FollowOptions {
  /** Its job is kept until the gateway has read how it ended. */
  readonly dismiss: boolean;
  /** In place of the table's, of work that has a deadline; ms. */
  readonly deadlineMs?: number | undefined;
}

type BegunWork = Omit<WorkRecord, 'state' | 'ended' | 'result' | 'problem' | 'progress' | 'events'>;

/** A VM that is asked how far its work is has this long. */
const measureMs = 500;
const hourMs = 60 * 60_000;
/** Nothing was heard of a VM for this long: what goes on there is lost. */
const abandonedMs = 24 * hourMs;

/** All work that goes on after its reply: begun, followed, ended, kept, and over a restart of the gateway taken up again. */
export class WorkFollower {
  readonly store = new WorkStore();
  readonly #log: WorkLog;
  readonly #byVm = new Map<string, VmWorks>();
  readonly #surroundings: WorkSurroundings;
  readonly #clock: Clock;
  #sweep: Timer | undefined;
  #released = false;

  constructor(private readonly parts: FollowerParts) {
    this.#clock = parts.clock ?? systemClock;
    this.#log = new WorkLog(parts.state, this.store, (failure) => parts.trouble(failure), this.#clock);
    this.#surroundings = {
      clock: this.#clock,
      eventCursor: () => parts.eventCursor(),
      changed: (work) => {
        if (work.over) {
          this.store.ended(work);
          parts.ended(work);
        }
        this.#log.changed(work.record);
      },
      publish: (work, vm) => parts.publish(work, vm),
      isWatched: (work) => parts.isWatched(work),
      foreign: (vm, completion, subject) => this.#foreign(vm, completion, subject),
      expectMigration: (vm) => this.beforeMigration(vm),
      audit: (what, details) => parts.audit(what, details),
    };
  }

  /** Takes up what an earlier run left. */
  load(): void {
    for (const record of this.#log.read()) {
      const work = new Work(record);
      work.written = true;
      work.replied = true;
      this.store.add(work);
      if (!work.over) this.#of(record.vm).add(work, undefined);
    }
    this.#expire();
    this.#log.compact();
  }

  /**
   * A command was accepted whose work goes on after its reply. From now on it survives the process.
   * @param args the `arguments` object as JSON text
   * @returns undefined when with these arguments the reply is the end
   */
  begin(
    operation: Operation,
    vm: Vm,
    completion: Completion,
    args: string | undefined,
    options: FollowOptions,
  ): Work | undefined {
    const given = asObject(parsedJson(args ?? '{}')) ?? {};
    const subject = completionRules[completion.kind].subject(given);
    if (subject === undefined) return undefined;
    const isNamedJob = completion.kind === 'job' && asText(given['job-id']) !== undefined;
    const deadlineMs = deadlineOf(completion, options);
    const { id, command, principalId, started } = operation;
    const work = this.#keep({
      ...{ id, vm: vm.id, command, principalId, completion: completion.kind, subject, started },
      deadlineAt: deadlineMs === null ? null : this.#clock.wall() + deadlineMs,
      ...{ epoch: null, dismiss: options.dismiss },
      job: isNamedJob ? { id: subject, type: null, status: null } : null,
    });
    this.#of(vm.id).add(work, vm);
    return work;
  }

  /** Its command is about to be written. */
  written(work: Work, vm: Vm, completion: Completion, options: FollowOptions): void {
    this.#of(vm.id).written(work, vm.epoch, deadlineOf(completion, options));
  }

  /** What was told up to now is on disk, and not only at the end of this turn. */
  writeDown(): void {
    this.#log.flush();
  }

  /** Before a migration begins, in one direction or the other. */
  beforeMigration(vm: Vm): void {
    if (switchOnMigrationEvents(vm)) this.parts.audit('migration-events-on', { vm: vm.id });
  }

  /** Its command was refused, so that there is no work. */
  refused(work: Work): void {
    this.#byVm.get(work.record.vm)?.drop(work);
    this.store.remove(work);
    this.#log.forgotten(work.record.id);
  }

  /** Its command returned, or (undefined) the session ended before. */
  replied(work: Work, value: Buffer | undefined): void {
    this.#byVm.get(work.record.vm)?.replied(work, value);
  }

  /** Called for each event of each VM, so most cost one look-up. */
  event(vm: Vm, event: QmpEvent): void {
    if (!followedEvents.has(event.name)) return;
    const works = event.name === 'JOB_STATUS_CHANGE' ? this.#of(vm.id) : this.#byVm.get(vm.id);
    works?.event(vm, event);
  }

  ready(vm: Vm): void {
    this.#of(vm.id).ready(vm);
  }

  /** There is no session with the VM, for the first time or still. */
  away(vm: Vm): void {
    this.#byVm.get(vm.id)?.away();
  }

  /** The VM ended and said so. */
  closed(vm: Vm): void {
    this.#byVm.get(vm.id)?.ended('The VM ended before its work did.');
  }

  /** The gateway forgets the VM. Publishes nothing of it afterwards. */
  removed(vm: Vm): void {
    this.#byVm.get(vm.id)?.removed(vm);
    this.#byVm.delete(vm.id);
    // What somebody began is kept for its day: a VM that was powered down is gone, and how that went may still be asked.
    for (const work of this.store.of(vm.id)) {
      if (work.record.principalId !== null) continue;
      this.store.remove(work);
      this.#log.forgotten(work.record.id);
    }
  }

  /**
   * Calls back once: when the work is over, after `waitMs`, or when the gateway stops.
   * @returns takes the wish back
   */
  onceOver(work: Work, waitMs: number, callback: () => void): () => void {
    return this.#once(work, work.waiters, waitMs, callback);
  }

  /** Calls back once: as soon as it is known how far the work is now; with a VM that is slow to tell, without that. */
  onceMeasured(work: Work, callback: () => void): void {
    const works = this.#byVm.get(work.record.vm);
    if (works?.canMeasure(work) === true) this.#once(work, work.lookers, measureMs, callback);
    else callback();
  }

  #once(work: Work, told: Set<() => void>, waitMs: number, callback: () => void): () => void {
    const forget = (): void => {
      timer.cancel();
      told.delete(finish);
    };
    const finish = (): void => {
      forget();
      callback();
    };
    const timer = this.#clock.schedule(this.#released ? 0 : waitMs, finish);
    told.add(finish);
    this.#byVm.get(work.record.vm)?.look();
    return forget;
  }

  /** Answers all who wait, and from now on whoever would: the gateway stops. */
  releaseWaiters(): void {
    this.#released = true;
    for (const { waiters } of this.store.all()) for (const waiter of [...waiters]) waiter();
  }

  /** Follows no longer: what goes on is taken up by the next run. */
  stop(): void {
    this.#sweep?.cancel();
    for (const works of this.#byVm.values()) works.stop();
    this.#byVm.clear();
    this.#log.close();
  }

  #foreign(vm: Vm, completion: ForeignKind, subject: string): Work {
    const started = this.#clock.wall();
    return this.#keep({
      ...{ id: this.parts.nextId(), vm: vm.id, command: null, principalId: null, completion, subject, started },
      ...{ epoch: vm.epoch, deadlineAt: null, dismiss: false },
      job: completion === 'job' ? { id: subject, type: null, status: null } : null,
    });
  }

  #keep(begun: BegunWork): Work {
    const unknown = { ended: null, result: null, problem: null, progress: null };
    const work = new Work({ ...begun, ...unknown, state: 'running', events: [] });
    this.store.add(work);
    return work;
  }

  #of(vm: string): VmWorks {
    let works = this.#byVm.get(vm);
    if (works === undefined) {
      works = new VmWorks(this.#surroundings);
      this.#byVm.set(vm, works);
    }
    return works;
  }

  #expire(): void {
    for (const works of this.#byVm.values()) works.abandon(abandonedMs);
    this.store.expire(this.#clock.wall());
    this.#sweep = this.#clock.schedule(hourMs, () => this.#expire());
  }
}

function deadlineOf({ deadlineMs }: Completion, options: FollowOptions): number | null {
  return deadlineMs === null ? null : (options.deadlineMs ?? deadlineMs);
}
