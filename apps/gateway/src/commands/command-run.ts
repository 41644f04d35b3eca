import { transformBigIntegers, type JsonDocument } from '@qmp-gateway/qapi';
import type { Decision } from '../access/policy/policy.js';
import type { CommandTrace } from '../http/command-trace.js';
import type { WorkEnd } from '../operations/work-audit.js';
import { asProblem, Problem } from '../problems/problem.js';
import type { EndedCommand } from './command-audit.js';
import type { CommandCheck } from './command-check.js';
import type { CommandRecords } from './command-records.js';
import { closeDescriptors, type CommandAnswer, type CommandAsker, type CommandRequest } from './command-request.js';
import type { CommandTarget } from './command-target.js';
import { bookkeepingCommands, type GivenDescriptor } from '../vms/passed-descriptors.js';
import type { DescriptorUse } from './descriptor-use.js';
import type { KeyedRun } from './idempotency.js';

const noTrace: CommandTrace = {};

/**
 * One command on its whole way: what was asked, where it goes, what policy decided, the arguments that were read, and the
 * answer. Each step of the way adds its part; the answer leaves by {@link finish} and nowhere else.
 */
export class CommandRun implements EndedCommand {
  /** The command that was found; undefined until then. */
  target: CommandTarget | undefined;
  decision: Decision | undefined;
  /** The arguments as they were read; undefined where there are none, or none that can be read. */
  document: JsonDocument | undefined;
  /** The arguments as they are sent. */
  json: string | undefined;
  /** The gateway dismisses the job when it has read how it ended. */
  dismiss = false;
  /** From the request's arrival. */
  deadlineMs = 0;
  /** What has to be known beyond the arguments. */
  check: CommandCheck | undefined;
  /** Of a command with an idempotency key. */
  key: KeyedRun | undefined;
  /** With these arguments the VM may have a display afterwards that it had not before. */
  mayBringDisplay = false;
  /** Of a command that speaks of descriptors which the VM was given. */
  descriptorUse: DescriptorUse | undefined;
  /** It goes on without its caller, until {@link over}. */
  isRunning = false;
  work: WorkEnd | undefined;
  durationMs = 0;
  internalFault = false;
  #answer: CommandAnswer | undefined;
  #asker: CommandAsker | undefined;

  constructor(
    readonly request: CommandRequest,
    asker: CommandAsker,
    private readonly records: CommandRecords,
  ) {
    this.#asker = asker;
  }

  get isAnswered(): boolean {
    return this.#answer !== undefined;
  }

  /** What its caller was told. */
  get answer(): CommandAnswer {
    if (this.#answer === undefined) throw new Error('a command has no answer yet');
    return this.#answer;
  }

  /** The target of a run that has passed the first checks. */
  get found(): CommandTarget {
    if (this.target === undefined) throw new Error('a command has no target yet');
    return this.target;
  }

  /** Policy refuses it after all: by what the VM said. */
  refusedLate(decision: Decision): void {
    this.decision = decision;
  }

  /**
   * The reply, its deadline, or what became of the command instead; again when the reply comes after the deadline.
   * @param now monotonic milliseconds
   * @returns the descriptor that the VM was given
   */
  ended(result: Buffer | Problem, trace: CommandTrace, now?: number): GivenDescriptor | undefined {
    const answer = this.#answerOf(result, trace);
    this.key?.ended(answer);
    if (this.isAnswered) {
      this.records.late(this, answer);
      this.request.late?.(answer);
    } else this.finish(answer, now);
    if (this.mayBringDisplay && answer.ok) void this.target?.vm.lookForDisplay();
    return this.#keepBook(answer, trace);
  }

  /** Ends a command that is not run. */
  refuse(error: unknown): void {
    const { vm, command } = this.request;
    const problem = this.problemOf(error).about({
      ...(vm === '*' ? {} : { vm: vm.slice(0, 128) }),
      ...(command === '' ? {} : { command: command.slice(0, 128) }),
    });
    // A fault in telling the answer must not answer twice.
    if (!this.isAnswered) this.finish({ ok: false, problem, trace: noTrace });
  }

  /** What its caller is told of an error; a fault of ours is for the log. */
  problemOf(error: unknown): Problem {
    this.internalFault = !(error instanceof Problem);
    if (this.internalFault) this.records.fault(error, this.request);
    return asProblem(error);
  }

  /** A dry run. */
  finishUnsent(json: string): void {
    this.finish({ ok: true, json, trace: noTrace });
  }

  /** The one place where a command's answer leaves: its caller gets it, then it is audited and counted. */
  finish(answer: CommandAnswer, now = this.records.now()): void {
    this.#answer = answer;
    this.durationMs = now - this.request.arrivedAt;
    if (!this.isRunning) this.over();
    const asker = this.#asker;
    // Whoever was answered is not held on to by a command that goes on.
    this.#asker = undefined;
    try {
      asker?.answered(answer);
    } finally {
      this.work = this.records.workAt(this.target, answer);
      this.records.answered(this);
    }
  }

  /** Nothing is sent any more: the caller was answered, and the reply is here or will never be. */
  over(): void {
    if (this.request.descriptors !== undefined) closeDescriptors(this.request);
  }

  /** Of descriptors that the VM has now, or has no longer. */
  #keepBook(answer: CommandAnswer, { epoch }: CommandTrace): GivenDescriptor | undefined {
    if (epoch === undefined) return undefined;
    if (this.descriptorUse !== undefined) this.found.vm.passed.used(this.descriptorUse.names);
    if (!answer.ok || !bookkeepingCommands.has(this.found.command.name)) return undefined;
    const { vm, server, command } = this.found;
    return server === vm ? vm.passed.done(command.name, this.json, answer.json, epoch) : undefined;
  }

  #answerOf(result: Buffer | Problem, trace: CommandTrace): CommandAnswer {
    if (result instanceof Problem) return { ok: false, problem: result, trace };
    return { ok: true, json: this.request.int64 === 'string' ? transformBigIntegers(result) : result, trace };
  }
}
