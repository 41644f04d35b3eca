import { systemClock, type Clock } from '@qmp-gateway/qmp';
import type { Level } from '../access/principal.js';
import type { Problem } from '../problems/problem.js';
import { LastingOperations } from './lasting-operations.js';
import { Operation, type WorkingOperation } from './operation.js';
import { RecentOperations } from './recent-operations.js';
import { Work, type BegunWork, type Verdict } from './work.js';

/**
 * All operations of all VMs. Every command has one from the moment it is accepted. One that is done with its reply is
 * kept for ten minutes, one whose work goes on after the reply until its end and for a day after it.
 */
export class OperationStore {
  readonly #recent = new RecentOperations();
  readonly #lasting = new LastingOperations();
  readonly #prefix: string;
  #count = 0;

  /** @param run of the gateway, a part of every id */
  constructor(
    run: string,
    private readonly clock: Clock = systemClock,
  ) {
    this.#prefix = `${run}-`;
  }

  /** A command was accepted. @param id where another node has chosen it; no other operation has it */
  begin(
    vm: string,
    command: string,
    principalId: string,
    { level = 'read', id = this.#nextId() }: { readonly level?: Level; readonly id?: string | undefined } = {},
  ): Operation {
    const operation = new Operation({
      id,
      vm,
      command,
      principalId,
      level,
      started: this.clock.wall(),
    });
    this.#recent.begin(operation);
    return operation;
  }

  /** Work that nobody started through the gateway goes on. */
  adopt(vm: string, begun: BegunWork): WorkingOperation {
    const nobody = { command: null, principalId: null, level: 'read' } as const;
    const operation = new Operation({ id: this.#nextId(), vm, ...nobody, started: this.clock.wall() }, 'working');
    return this.beginWork(operation, begun);
  }

  /** Takes up what an earlier run of the gateway kept. */
  restore(operation: WorkingOperation): void {
    this.#lasting.add(operation);
  }

  /** From now on the operation is kept for its work. */
  beginWork(operation: Operation, begun: BegunWork): WorkingOperation {
    operation.work = new Work(operation, begun);
    const working = operation as WorkingOperation;
    this.#lasting.add(working);
    return working;
  }

  /** Its command was refused, so that there is no work. */
  cancelWork(operation: WorkingOperation): void {
    this.#lasting.remove(operation);
    (operation as Operation).work = null;
  }

  /** Its command was answered, and its work goes on. @param value what the command returned, where that is short */
  goesOn(operation: WorkingOperation, value: Buffer | null): void {
    this.#recent.leave(operation);
    if (!operation.isAnswered) operation.goesOn(value);
  }

  /** How its work ended. */
  conclude(operation: WorkingOperation, verdict: Verdict): void {
    operation.conclude(verdict, this.clock.wall());
    this.#lasting.ended(operation);
  }

  /** A command is done with its reply, or will have none. */
  end(operation: Operation, state: 'done' | 'failed' | 'lost', value: Buffer | null, problem: Problem | null): void {
    // Its work had ended before: that is what it came to.
    if (operation.over) {
      this.#recent.leave(operation);
      return;
    }
    const now = this.clock.wall();
    operation.end(state, now, value, problem);
    this.#recent.ended(operation, now);
  }

  /** Keeps nothing of a command whose answer told everything. */
  drop(operation: Operation): void {
    this.#recent.leave(operation);
    if (!operation.over) operation.drop();
  }

  /** Keeps nothing of an operation whose work has ended, or is not known any more. */
  forgetWork(operation: WorkingOperation): void {
    this.#lasting.remove(operation);
  }

  /** A VM that is gone leaves nothing behind but what its work came to. */
  forget(vm: string): void {
    this.#recent.forget(vm);
  }

  /** Forgets work that ended more than a day ago. */
  expire(): void {
    this.#lasting.expire(this.clock.wall());
  }

  /** @returns undefined when there is none, or no longer. */
  get(vm: string, id: string): Operation | undefined {
    return this.#lasting.get(vm, id) ?? this.#recent.of(vm, this.clock.wall()).find((operation) => operation.id === id);
  }

  /** Those of one VM: with work in the order they were started, then the running, then the ended in that order. */
  of(vm: string): Operation[] {
    const others = this.#recent.of(vm, this.clock.wall()).filter(({ work }) => work === null);
    return [...this.#lasting.of(vm), ...others];
  }

  /** Those with work, in the order they were started. */
  withWork(): IterableIterator<WorkingOperation> {
    return this.#lasting.all();
  }

  /** An id that no operation has had, nor will have in a later run. */
  #nextId(): string {
    return this.#prefix + (this.#count++).toString(36);
  }
}
