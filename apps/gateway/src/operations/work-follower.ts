import type { Completion } from '@qmp-gateway/catalog';
import { asObject, asText, parsedJson, systemClock, type Clock, type QmpEvent, type Timer } from '@qmp-gateway/qmp';
import type { StateDirectory } from '../state/state-directory.js';
import type { Vm } from '../vms/vm.js';
import { completionRules, followedEvents } from './completion-rules.js';
import type { ForeignKind } from './foreign-work.js';
import { switchOnMigrationEvents } from './migration-events.js';
import type { OperationEvents } from './operation-events.js';
import { OperationLog } from './operation-log.js';
import { restoredOperation } from './operation-record.js';
import type { OperationStore } from './operation-store.js';
import { OperationWait, type OperationLooker, type OperationWaiter, type WaitOptions } from './operation-wait.js';
import type { Operation, WorkingOperation } from './operation.js';
import { VmWorks, type WorkKeeper } from './vm-works.js';

/** What following work needs of the gateway. */
export interface FollowerParts {
  readonly state: StateDirectory;
  readonly operations: OperationStore;
  readonly events: OperationEvents;
  readonly clock?: Clock;
}

/** How the work of a command is to be followed. */
export interface FollowOptions {
  /** How such work ends. */
  readonly completion: Completion;
  /** Its job is kept until the gateway has read how it ended. */
  readonly dismiss: boolean;
  /** In place of the table's, of work that has a deadline; ms. */
  readonly deadlineMs?: number | undefined;
}

/** A VM that is asked how far its work is has this long. */
const measureMs = 500;
const hourMs = 60 * 60_000;
/** Nothing was heard of a VM for this long: what goes on there is lost. */
const abandonedMs = 24 * hourMs;

/** All work that goes on after its reply: begun, followed, ended, kept, and over a restart of the gateway taken up again. */
export class WorkFollower implements WorkKeeper, OperationLooker {
  readonly #operations: OperationStore;
  readonly #events: OperationEvents;
  readonly #log: OperationLog;
  readonly #byVm = new Map<string, VmWorks>();
  readonly #clock: Clock;
  #sweep: Timer | undefined;
  #released = false;

  constructor({ state, operations, events, clock = systemClock }: FollowerParts) {
    this.#operations = operations;
    this.#events = events;
    this.#clock = clock;
    this.#log = new OperationLog(state, operations, events, clock);
  }

  /** Takes up what an earlier run left. */
  load(): void {
    for (const record of this.#log.read()) {
      const operation = restoredOperation(record);
      this.#operations.restore(operation);
      if (!operation.over) this.#of(record.vm).add(operation, undefined);
    }
    this.#expire();
    this.#log.compact();
  }

  /**
   * A command was accepted whose work goes on after its reply. From now on it survives the process.
   * @param args the `arguments` object as JSON text
   * @returns undefined when with these arguments the reply is the end
   */
  begin(operation: Operation, vm: Vm, args: string | undefined, how: FollowOptions): WorkingOperation | undefined {
    const { completion } = how;
    const given = asObject(parsedJson(args ?? '{}')) ?? {};
    const subject = completionRules[completion.kind].subject(given);
    if (subject === undefined) return undefined;
    const isNamedJob = completion.kind === 'job' && asText(given['job-id']) !== undefined;
    const deadlineMs = deadlineOf(how);
    const working = this.#operations.beginWork(operation, {
      ...{ completion: completion.kind, subject, dismiss: how.dismiss },
      deadlineAt: deadlineMs === null ? null : this.#clock.wall() + deadlineMs,
      job: isNamedJob ? { id: subject, type: null, status: null } : null,
    });
    this.#of(vm.id).add(working, vm);
    return working;
  }

  /** Its command is about to be written. */
  written(operation: WorkingOperation, vm: Vm, how: FollowOptions): void {
    this.#of(vm.id).written(operation, vm.epoch, deadlineOf(how));
  }

  /** What was told up to now is on disk, and not only at the end of this turn. */
  writeDown(): void {
    this.#log.flush();
  }

  /** Before a migration begins, in one direction or the other. */
  beforeMigration(vm: Vm): void {
    if (switchOnMigrationEvents(vm)) this.#events.intervened('migration-events-on', { vm: vm.id });
  }

  /** Its command was refused, so that there is no work. */
  refused(operation: WorkingOperation): void {
    if (operation.over) return;
    this.#byVm.get(operation.vm)?.drop(operation);
    this.#operations.cancelWork(operation);
    this.#log.forgotten(operation.id);
  }

  /** Its command returned, or (undefined) the session ended before. */
  replied(operation: WorkingOperation, value: Buffer | undefined): void {
    const works = this.#byVm.get(operation.vm);
    if (works === undefined || operation.over) this.#operations.goesOn(operation, null);
    else works.replied(operation, value);
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
    for (const operation of this.#operations.withWork())
      if (operation.vm === vm.id && operation.principalId === null) this.#forget(operation);
  }

  /** Waits for the end of an operation that goes on. @returns what takes the wish back */
  await(operation: Operation, waitMs: number, waiter: OperationWaiter): OperationWait {
    return this.#wait(operation, waiter, { waitMs });
  }

  /** Waits until it is known how far the work is now; with a VM that is slow to tell, not for long. */
  measure(operation: Operation, waiter: OperationWaiter): void {
    const canMeasure = isWorking(operation) && this.#byVm.get(operation.vm)?.canMeasure(operation) === true;
    if (canMeasure) this.#wait(operation, waiter, { waitMs: measureMs, isForMeasure: true });
    else waiter.waited(operation);
  }

  #wait(operation: Operation, waiter: OperationWaiter, how: Omit<WaitOptions, 'clock'>): OperationWait {
    const isReleased = this.#released && operation.work !== null;
    const waitMs = isReleased ? 0 : how.waitMs;
    const wait = new OperationWait(operation, waiter, this, { ...how, clock: this.#clock, waitMs });
    if (!isReleased) this.look(operation);
    return wait;
  }

  /** Has the VM asked how far the work is, now or as soon as it is time again. */
  look(operation: Operation): void {
    if (operation.work === null) return;
    if (this.#released) operation.release();
    else this.#byVm.get(operation.vm)?.look();
  }

  /** Answers all who wait for work, and from now on whoever would: the gateway stops. */
  releaseWaiters(): void {
    this.#released = true;
    for (const operation of this.#operations.withWork()) operation.release();
  }

  /** Follows no longer: what goes on is taken up by the next run. */
  stop(): void {
    this.#sweep?.cancel();
    for (const works of this.#byVm.values()) works.stop();
    this.#byVm.clear();
    this.#log.close();
  }

  adopt(vm: Vm, completion: ForeignKind, subject: string): WorkingOperation {
    const job = completion === 'job' ? { id: subject, type: null, status: null } : null;
    const operation = this.#operations.adopt(vm.id, { completion, subject, deadlineAt: null, dismiss: false, job });
    operation.work.epoch = vm.epoch;
    return operation;
  }

  changed(operation: WorkingOperation): void {
    if (operation.over) this.#events.ended(operation);
    this.#log.changed(operation);
  }

  #forget(operation: WorkingOperation): void {
    this.#operations.forgetWork(operation);
    this.#log.forgotten(operation.id);
  }

  #of(vm: string): VmWorks {
    let works = this.#byVm.get(vm);
    if (works === undefined) {
      works = new VmWorks({ keeper: this, store: this.#operations, events: this.#events, clock: this.#clock });
      this.#byVm.set(vm, works);
    }
    return works;
  }

  #expire(): void {
    for (const works of this.#byVm.values()) works.abandon(abandonedMs);
    this.#operations.expire();
    this.#sweep = this.#clock.schedule(hourMs, () => this.#expire());
  }
}

function isWorking(operation: Operation): operation is WorkingOperation {
  return operation.work !== null;
}

/** Milliseconds for its work; null for work that takes as long as it takes. */
function deadlineOf({ completion, deadlineMs }: FollowOptions): number | null {
  return completion.deadlineMs === null ? null : (deadlineMs ?? completion.deadlineMs);
}
