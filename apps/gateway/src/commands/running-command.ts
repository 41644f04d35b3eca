import type { Execution, Outcome } from '@qmp-gateway/qmp';
import type { CommandWork } from '../operations/command-work.js';
import type { Operation, OperationStore } from '../operations/operation-store.js';
import { asProblem, Problem } from '../problems/problem.js';
import type { SchemaCommand } from '../schemas/vm-schema.js';
import type { CommandCheck, Question } from './command-check.js';
import { problemOf, type Sent } from './command-outcome.js';
import type { QueuedCommand } from './command-queue.js';
import type { CommandRequest, CommandTrace } from './command-request.js';
import type { CommandServer } from './command-server.js';
import type { KeyedRun } from './idempotency.js';
import { unavailable } from './unavailable.js';

/** How a command ended for its caller. */
export interface CommandEnd {
  readonly value?: Buffer;
  readonly problem?: Problem;
  readonly trace: CommandTrace;
}

/** What running commands need of the gateway. */
export interface RunningSurroundings {
  readonly operations: OperationStore;
  /** The newest event position. */
  eventCursor(): string;
}

/** What some commands have beside their run. */
export interface RunFurther {
  /** What goes on after the reply. */
  readonly work?: CommandWork | undefined;
  /** Told just before the first byte is written. */
  readonly key?: Pick<KeyedRun, 'sending'> | undefined;
  /** What has to be known beyond the arguments. */
  readonly check?: CommandCheck | undefined;
}

/**
 * One accepted command from the queue to its end. It tells its caller exactly once: by the reply, or by its deadline,
 * whichever comes first. After the deadline it goes on without the caller, holding its place, until the reply comes or
 * the session ends; its operation knows the rest.
 */
export class RunningCommand implements QueuedCommand, Execution {
  readonly operation: Operation;
  readonly outOfBand: boolean;
  readonly argumentsJson?: string;
  #state: 'queued' | 'asking' | 'handed-over' | 'written' | 'ended' = 'queued';
  /** The session whose answer to the question lets it be sent. */
  #cleared: string | null | undefined;
  #tell: ((end: CommandEnd) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #writtenAt: number | undefined;
  #cursor: string | undefined;
  #epoch: string | undefined;

  constructor(
    private readonly server: CommandServer,
    private readonly target: SchemaCommand,
    private readonly request: CommandRequest,
    argumentsJson: string | undefined,
    private readonly surroundings: RunningSurroundings,
    tell: (end: CommandEnd) => void,
    /** Told when the end comes after the deadline was told. */
    private readonly late: (end: CommandEnd) => void,
    private readonly further: RunFurther = {},
  ) {
    this.#tell = tell;
    this.outOfBand = request.outOfBand === true;
    if (argumentsJson !== undefined) this.argumentsJson = argumentsJson;
    const { id, level } = request.principal;
    this.operation = surroundings.operations.begin(server.id, target.name, id, level);
  }

  get command(): string {
    return this.target.name;
  }

  get principalId(): string {
    return this.request.principal.id;
  }

  /** Hands the command to the monitor, or queues it until a place is free; the deadline runs from the request's arrival. */
  start(deadlineMs: number): void {
    const left = this.request.arrivedAt + deadlineMs - performance.now();
    this.#timer = setTimeout(() => this.#deadline(deadlineMs), Math.max(0, left));
    const { operation, request } = this;
    this.further.work?.accepted(operation);
    const { monitor, queue, ready, arriving } = this.server;
    if (ready && (this.outOfBand || (monitor.places > 0 && queue.size === 0))) this.send();
    else if (!ready && !arriving) this.refuse();
    else if (!queue.add(this)) this.giveWay();
    // Places may be free: whoever waits may be behind a held command, which this one is not.
    else if (ready) queue.serve(monitor);
    request.follow?.accepted(operation);
  }

  send(): void {
    const { epoch } = this.request;
    if (epoch !== undefined && epoch !== this.server.epoch) {
      this.#end(epochChanged(this.server, this.#about), 'failed');
      return;
    }
    const question = this.further.check?.question;
    if (question !== undefined && this.#cleared !== this.server.epoch) {
      this.#ask(question);
      return;
    }
    try {
      this.further.key?.sending(this.operation.id);
    } catch (error) {
      this.#end(asProblem(error).about(this.#about), 'failed');
      return;
    }
    this.#state = 'handed-over';
    this.further.work?.sending();
    this.server.monitor.execute(this);
  }

  /** The turn goes to the question first; the deadline runs on, and nothing of the same principal overtakes. */
  #ask(question: Question): void {
    const { command, argumentsJson } = question;
    const { queue, monitor, epoch } = this.server;
    this.#state = 'asking';
    queue.hold(this);
    const settle = (outcome: Outcome): void => {
      // Its deadline came first.
      if (this.#state !== 'asking') return;
      const problem = outcome.kind === 'return' ? question.refusal(outcome.value) : this.#unanswered(outcome);
      queue.release(this, problem === undefined);
      if (problem === undefined) {
        this.#state = 'queued';
        this.#cleared = epoch;
      } else this.#end(problem, 'failed');
      if (this.server.ready) queue.serve(monitor);
    };
    monitor.execute({ command, argumentsJson, settle });
  }

  /** What can't be told of a path is said as of the command, which was not sent; the VM would have said the same of it. */
  #unanswered(outcome: Exclude<Outcome, { kind: 'return' }>): Problem {
    if (outcome.kind !== 'error') return unavailable(this.server, this.request.principal, this.#about);
    return problemOf(outcome, this.server.id, this.target, this.#sent);
  }

  get #sent(): Sent {
    return { kind: this.server.schema?.origin.kind ?? 'qemu', argumentsJson: this.argumentsJson };
  }

  refuse(): void {
    this.#end(unavailable(this.server, this.request.principal, this.#about), 'failed');
  }

  giveWay(): void {
    const { bound } = this.server.queue;
    this.#end(new Problem('queue-full', `${bound} commands wait for this VM already.`, this.#about), 'failed');
  }

  onWrite(): void {
    this.#state = 'written';
    this.#writtenAt = performance.now();
    this.#cursor = this.surroundings.eventCursor();
    this.#epoch = this.server.epoch ?? undefined;
    this.operation.epoch = this.server.epoch;
    this.further.work?.written(this.operation, this.request.idempotencyKey !== undefined);
  }

  settle(outcome: Outcome): void {
    if (this.#state === 'ended') return;
    if (outcome.kind === 'return') {
      // Here, where every answer comes by: also one that is kept for later.
      const withheld = this.further.check?.withhold?.(outcome.value);
      this.#end(withheld ?? outcome.value, withheld === undefined ? 'done' : 'failed');
    } else {
      const told = problemOf(outcome, this.server.id, this.target, this.#sent);
      const isAway = outcome.kind === 'not-sent' && !this.server.ready;
      const why = isAway ? unavailable(this.server, this.request.principal, this.#about).fields : undefined;
      const problem = why === undefined ? told : new Problem(told.code, told.detail, why);
      this.#end(problem, outcome.kind === 'unknown' ? 'lost' : 'failed');
    }
  }

  #end(result: Buffer | Problem, state: 'done' | 'failed' | 'lost'): void {
    this.#state = 'ended';
    clearTimeout(this.#timer);
    // That the command was done says nothing of its work, and would be what is left once that is forgotten.
    const isToldByWork = this.further.work?.ended(result, state) === true;
    // Whoever was told of the deadline was told of the operation too, and may ask for it.
    const isNotKept = this.request.part === true && this.#tell !== undefined;
    if (isToldByWork || isNotKept) this.surroundings.operations.drop(this.operation);
    else this.surroundings.operations.end(this.operation, state, result);
    this.#answer(result, isNotKept && !isToldByWork ? undefined : this.operation.id);
  }

  #deadline(deadlineMs: number): void {
    if (this.#state === 'queued' || this.#state === 'asking') {
      const { queue, monitor, ready } = this.server;
      const wasAsking = this.#state === 'asking';
      if (wasAsking) queue.release(this, false);
      else queue.withdraw(this);
      const detail = `The command waited ${deadlineMs} ms for its turn and was not sent.`;
      const fields = { ...this.#about, outcome: 'not-sent', retryable: true } as const;
      this.#end(new Problem('deadline-exceeded', detail, fields), 'failed');
      if (wasAsking && ready) queue.serve(monitor);
      return;
    }
    this.server.monitor.resynchronize();
    const operation = `/v1/vms/${this.server.id}/operations/${this.operation.id}`;
    this.#answer(
      new Problem(
        'deadline-exceeded',
        `No reply within ${deadlineMs} ms; the command goes on, and its operation will tell.`,
        {
          ...this.#about,
          operation,
          retryable: this.target.class === 'read',
        },
      ),
      this.operation.id,
    );
  }

  /** @param operation undefined when nobody can ask for it any more */
  #answer(result: Buffer | Problem, operation: string | undefined): void {
    const tell = this.#tell ?? this.late;
    this.#tell = undefined;
    const now = performance.now();
    const sent = this.#writtenAt;
    // All members, always: an object that is spread together costs more than the rest of the answer.
    const trace: CommandTrace = {
      operation,
      epoch: this.#epoch,
      cursor: this.#cursor,
      queueMs: (sent ?? now) - this.request.arrivedAt,
      qmpMs: sent === undefined ? undefined : now - sent,
      deprecated: this.target.deprecated,
    };
    tell(result instanceof Problem ? { problem: result, trace } : { value: result, trace });
  }

  get #about(): { vm: string; command: string } {
    return { vm: this.server.id, command: this.target.name };
  }
}

export function epochChanged(server: CommandServer, about: { vm: string; command?: string }): Problem {
  return new Problem('epoch-changed', `The present session is ${server.epoch ?? 'none'}.`, about);
}
