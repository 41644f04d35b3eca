import type { Clock, Timer } from '@qmp-gateway/qmp';
import type { CommandTrace } from '../http/command-trace.js';
import type { OperationStore } from '../operations/operation-store.js';
import { renderOperation } from '../operations/operation-view.js';
import type { OperationWait, OperationWaiter } from '../operations/operation-wait.js';
import type { Operation } from '../operations/operation.js';
import type { WorkFollower } from '../operations/work-follower.js';
import type { CommandAnswer, CommandAsker, CommandFollowing } from './command-request.js';
import type { Preference } from './preference.js';

/** Where operations are found and waited for. */
export interface AwaitedOperations {
  readonly operations: Pick<OperationStore, 'get'>;
  readonly work: Pick<WorkFollower, 'await'>;
  readonly clock: Clock;
}

/** Whose answer it is: of a command for this VM, which arrived then (monotonic milliseconds). */
export interface PreferredCommand {
  readonly vm: string;
  readonly arrivedAt: number;
}

/**
 * The answer to a command whose caller prefers to hear of its work (`Prefer`): the return value once the work is done,
 * the problem once it failed, 202 and the operation when the time is over before that. Told exactly once.
 */
export class PreferredAnswer implements CommandAsker, CommandFollowing, OperationWaiter {
  readonly #until: number;
  #asker: CommandAsker | undefined;
  #operation: Operation | undefined;
  /** The reply, once it is there. */
  #reply: CommandAnswer | undefined;
  #timer: Timer | undefined;
  #wait: OperationWait | undefined;

  constructor(
    private readonly preference: Preference,
    private readonly command: PreferredCommand,
    private readonly parts: AwaitedOperations,
    asker: CommandAsker,
  ) {
    this.#asker = asker;
    this.#until = command.arrivedAt + preference.waitMs;
    if (preference.waitMs > 0) this.#timer = parts.clock.schedule(this.#leftMs, () => this.#goesOn());
  }

  accepted(operation: Operation): void {
    this.#operation = operation;
    if (this.#leftMs <= 0) this.#goesOn();
  }

  /** The reply, or what became of the command instead. */
  answered(end: CommandAnswer): void {
    const { operation } = end.trace;
    const isLate = !end.ok && end.problem.code === 'deadline-exceeded' && end.problem.outcome === 'unknown';
    if (isLate) this.#goesOn(end.trace);
    else if (!end.ok || operation === undefined) this.#finish(end);
    else this.#awaitWork(end, this.parts.operations.get(this.command.vm, operation));
  }

  /** The caller has left. */
  abandon(): void {
    this.#timer?.cancel();
    this.#wait?.cancel();
    this.#asker = undefined;
  }

  get #leftMs(): number {
    return Math.max(0, this.#until - this.parts.clock.now());
  }

  #awaitWork(end: CommandAnswer, operation: Operation | undefined): void {
    if (this.#asker === undefined) return;
    if (operation?.work == null || operation.over) {
      const problem = operation?.work == null ? null : operation.problem;
      this.#finish(problem === null ? end : { ok: false, problem, trace: end.trace });
      return;
    }
    this.#timer?.cancel();
    this.#reply = end;
    this.#wait = this.parts.work.await(operation, this.#leftMs, this);
  }

  waited(operation: Operation): void {
    const end = this.#reply;
    if (end === undefined) return;
    if (operation.over) this.#awaitWork(end, operation);
    else this.#goesOn(end.trace);
  }

  /** The time is over, and the command or its work is not. */
  #goesOn(trace: CommandTrace = {}): void {
    const id = trace.operation ?? this.#operation?.id;
    // Not accepted yet: there is nothing that could be asked for later.
    if (id === undefined) return;
    const { vm } = this.command;
    const operation = this.parts.operations.get(vm, id) ?? this.#operation;
    const json = operation && renderOperation(operation);
    if (json === undefined) return;
    const location = `/v1/vms/${vm}/operations/${id}`;
    this.#finish({ ok: true, json, trace: { ...trace, operation: id, location } });
  }

  #finish(end: CommandAnswer): void {
    const asker = this.#asker;
    this.abandon();
    const { trace } = end;
    const isApplied = trace.operation !== undefined;
    asker?.answered({ ...end, trace: isApplied ? { ...trace, preference: this.preference.applied } : trace });
  }
}
