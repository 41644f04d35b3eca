import { referenceKind } from '@qmp-gateway/catalog';
import type { Clock, Execution, Settlement } from '@qmp-gateway/qmp';
import type { CommandWork } from '../operations/command-work.js';
import type { OperationStore } from '../operations/operation-store.js';
import type { Operation } from '../operations/operation.js';
import { Problem } from '../problems/problem.js';
import type { SchemaCommand } from '../schemas/vm-schema.js';
import type { CheckQuestion } from './command-check.js';
import { problemOf, type Sent } from './command-outcome.js';
import type { QueuedCommand } from '../vms/command-queue.js';
import type { CommandRequest } from './command-request.js';
import type { CommandTrace } from '../http/command-trace.js';
import { WheelDeadline, type DeadlineWheel } from './deadline-wheel.js';
import type { CommandServer } from '../vms/command-server.js';
import type { CommandRun } from './command-run.js';
import { unavailable } from '../vms/unavailable.js';

/** What running commands need from the gateway. */
export interface RunningSurroundings {
  readonly operations: OperationStore;
  readonly clock: Clock;
  readonly deadlines: DeadlineWheel;
  /** The position of the newest event. */
  eventCursor(): string;
}

/**
 * One accepted command from the queue to its end. It tells its caller exactly once: by the reply, or by its deadline,
 * whichever comes first. After the deadline it goes on without the caller, holding its place, until the reply comes or
 * the session ends; its operation knows the rest.
 */
export class RunningCommand extends WheelDeadline implements QueuedCommand, Execution {
  readonly operation: Operation;
  readonly outOfBand: boolean;
  readonly argumentsJson?: string;
  readonly descriptors?: readonly number[];
  #state: 'queued' | 'asking' | 'handed-over' | 'written' | 'ended' = 'queued';
  /** The session whose answer to the question lets it be sent. */
  #cleared: string | null | undefined;
  #writtenAt: number | undefined;
  #cursor: string | undefined;
  #epoch: string | undefined;
  private readonly server: CommandServer;
  private readonly target: SchemaCommand;
  private readonly request: CommandRequest;

  /**
   * @param run one that passed all checks
   * @param work what goes on after the reply
   */
  constructor(
    private readonly run: CommandRun,
    private readonly surroundings: RunningSurroundings,
    private readonly work?: CommandWork,
  ) {
    super();
    const { found, request, json } = run;
    this.server = found.server;
    this.target = found.command;
    this.request = request;
    this.outOfBand = request.outOfBand === true;
    if (json !== undefined) this.argumentsJson = json;
    if (request.descriptors !== undefined) this.descriptors = request.descriptors.map(({ number }) => number);
    const { id, level } = request.principal;
    const handedId = request.handed?.operation;
    this.operation = surroundings.operations.begin(this.server.id, this.target.name, id, { level, id: handedId });
  }

  get command(): string {
    return this.target.name;
  }

  get principalId(): string {
    return this.request.principal.id;
  }

  /** Hands the command to the monitor, or queues it until a place is free; the deadline runs from the request's arrival. */
  start(): void {
    const { arrivedAt, handed } = this.request;
    const deadline = arrivedAt + this.run.deadlineMs;
    // By then the node that handed it over has told its caller of the deadline: a late command is not sent.
    this.surroundings.deadlines.start(this, Math.min(deadline, handed?.notAfter ?? Infinity));
    const { operation, request } = this;
    this.work?.accepted(operation);
    const { monitor, queue, ready, arriving } = this.server;
    if (ready && (this.outOfBand || (monitor.places > 0 && queue.size === 0))) this.send();
    else if (!ready && !arriving) this.refuse();
    else this.#queue();
    request.follow?.accepted(operation);
  }

  #queue(): void {
    const { monitor, queue, ready } = this.server;
    // Before it is in the queue: a command that gives way there may come back at once, and have the queue served.
    this.operation.queued();
    if (!queue.add(this)) {
      this.giveWay();
      return;
    }
    // Places may be free: those that wait may be behind a held command, which this one is not.
    if (ready) queue.serve(monitor);
  }

  send(): void {
    const { epoch } = this.request;
    if (epoch !== undefined && epoch !== this.server.epoch) {
      this.#end(epochChanged(this.server, this.#about), 'failed');
      return;
    }
    const lost = this.run.descriptorUse?.refusal(this.server.epoch);
    if (lost !== undefined) {
      this.#end(lost, 'failed');
      return;
    }
    const question = this.run.check?.question;
    if (question !== undefined && this.#cleared !== this.server.epoch) {
      this.#ask(question);
      return;
    }
    try {
      this.run.key?.sending(this.operation.id);
    } catch (error) {
      this.#end(this.run.problemOf(error).about(this.#about), 'failed');
      return;
    }
    this.#state = 'handed-over';
    this.work?.sending();
    this.server.monitor.execute(this);
  }

  /** The turn goes to the question first; the deadline runs on, and nothing of the same principal overtakes. */
  #ask(question: CheckQuestion): void {
    const { command, argumentsJson } = question;
    const { queue, monitor, epoch } = this.server;
    this.#state = 'asking';
    queue.hold(this);
    const settle = (settlement: Settlement): void => {
      // Its deadline came first.
      if (this.#state !== 'asking') return;
      const problem = settlement.kind === 'return' ? question.refusal(settlement.value) : this.#unanswered(settlement);
      queue.release(this, problem === undefined);
      if (problem === undefined) {
        this.#state = 'queued';
        this.#cleared = epoch;
      } else this.#end(problem, 'failed');
      if (this.server.ready) queue.serve(monitor);
    };
    monitor.execute({ command, argumentsJson, settle });
  }

  /** A question that fails counts as a failure of the command, which was not sent; the VM would have answered it alike. */
  #unanswered(settlement: Exclude<Settlement, { kind: 'return' }>): Problem {
    if (settlement.kind !== 'error')
      return unavailable(this.server, this.request.principal, this.#about, this.surroundings.clock);
    return problemOf(settlement, this.server.id, this.target, this.#sent);
  }

  get #sent(): Sent {
    return { kind: this.server.schema?.origin.kind ?? referenceKind, argumentsJson: this.argumentsJson };
  }

  refuse(): void {
    this.#end(unavailable(this.server, this.request.principal, this.#about, this.surroundings.clock), 'failed');
  }

  giveWay(): void {
    const { bound } = this.server.queue;
    this.#end(new Problem('queue-full', `${bound} commands wait for this VM already.`, this.#about), 'failed');
  }

  onWrite(): void {
    this.#state = 'written';
    this.#writtenAt = this.surroundings.clock.now();
    this.#cursor = this.surroundings.eventCursor();
    this.#epoch = this.server.epoch ?? undefined;
    this.operation.sent(this.server.epoch);
    this.work?.written(this.operation, this.request.idempotencyKey !== undefined);
  }

  settle(settlement: Settlement): void {
    if (this.#state === 'ended') return;
    if (settlement.kind === 'return') {
      // Here, because every answer passes, also one that is kept for later.
      const withheld = this.run.check?.withhold?.(settlement.value);
      this.#end(withheld ?? settlement.value, withheld === undefined ? 'done' : 'failed');
    } else {
      const told = problemOf(settlement, this.server.id, this.target, this.#sent);
      const isAway = settlement.kind === 'not-sent' && !this.server.ready;
      const why = isAway
        ? unavailable(this.server, this.request.principal, this.#about, this.surroundings.clock).fields
        : undefined;
      const problem = why === undefined ? told : new Problem(told.code, told.detail, why);
      this.#end(problem, settlement.kind === 'unknown' ? 'lost' : 'failed');
    }
  }

  #end(result: Buffer | Problem, state: 'done' | 'failed' | 'lost'): void {
    this.#state = 'ended';
    this.run.over();
    this.surroundings.deadlines.cancel(this);
    const [value, problem] = result instanceof Problem ? [null, result] : [result, null];
    // The work's outcome replaces the command's; keeping both would report success after the work is forgotten.
    const isToldByWork = this.work?.ended(state, value) === true;
    // Whoever was told of the deadline was told of the operation too, and may ask for it.
    const isNotKept = this.request.part === true && !this.run.isAnswered;
    if (!isToldByWork) {
      if (isNotKept) this.surroundings.operations.drop(this.operation);
      else this.surroundings.operations.end(this.operation, state, value, problem);
    }
    this.#answer(result, isNotKept && !isToldByWork ? undefined : this.operation.id);
  }

  passed(): void {
    const { deadlineMs } = this.run;
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

  /** @param operation undefined if nobody can ask for it any more */
  #answer(result: Buffer | Problem, operation: string | undefined): void {
    const now = this.surroundings.clock.now();
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
    const given = this.run.ended(result, trace, now);
    if (given !== undefined) this.operation.descriptors = [given];
  }

  get #about(): { vm: string; command: string } {
    return { vm: this.server.id, command: this.target.name };
  }
}

export function epochChanged(server: CommandServer, about: { vm: string; command?: string }): Problem {
  return new Problem('epoch-changed', `The present session is ${server.epoch ?? 'none'}.`, about);
}
