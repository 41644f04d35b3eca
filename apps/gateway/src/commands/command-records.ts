import type { Clock } from '@qmp-gateway/qmp';
import type { AuditLog } from '../access/audit/audit-log.js';
import type { RequestMark } from '../http/request-context.js';
import type { OperationStore } from '../operations/operation-store.js';
import type { WorkEnd } from '../operations/work-audit.js';
import { CommandLine, LateLine, type EndedCommand } from './command-audit.js';
import type { DescriptorCounts } from './descriptor-counts.js';
import type { CommandMetrics } from './command-metrics.js';
import type { CommandAnswer } from './command-request.js';
import type { CommandTarget } from './command-target.js';

export interface RecordParts {
  readonly audit: Pick<AuditLog, 'add' | 'addLater' | 'refusal'>;
  readonly metrics: CommandMetrics;
  readonly descriptors?: DescriptorCounts;
  readonly operations: OperationStore;
  readonly clock: Clock;
  /** A fault of ours: the log gets everything, the caller only that there was one. */
  fault(error: unknown, request: RequestMark): void;
}

/** What is written down and counted of every command, whatever way it came and however it ended. */
export class CommandRecords {
  constructor(private readonly parts: RecordParts) {}

  /** Monotonic milliseconds. */
  now(): number {
    return this.parts.clock.now();
  }

  answered(ended: EndedCommand): void {
    this.parts.audit.addLater(new CommandLine(ended));
    this.parts.metrics.answered(ended);
    const { request, answer } = ended;
    if (request.descriptors !== undefined && request.descriptors.length > 0)
      this.parts.descriptors?.[answer.ok ? 'passed' : 'refused'](request.descriptors.length);
  }

  /** The reply came after the caller was told of a deadline. */
  late({ request, target }: EndedCommand, answer: CommandAnswer): void {
    const durationMs = this.now() - request.arrivedAt;
    const work = this.workAt(target, answer);
    this.parts.audit.add(new LateLine({ request, answer, work, durationMs }));
  }

  fault(error: unknown, request: RequestMark): void {
    this.parts.fault(error, request);
  }

  /** How the work of a command is at its reply. Most commands are done with that, and cost no look-up. */
  workAt(target: CommandTarget | undefined, { ok, trace }: CommandAnswer): WorkEnd | undefined {
    if (target === undefined || !ok || trace.operation === undefined) return undefined;
    const { vm, server, command } = target;
    if (command.knowledge.completion === undefined || server !== vm) return undefined;
    const operation = this.parts.operations.get(vm.id, trace.operation);
    if (operation?.work == null) return undefined;
    if (operation.over) operation.work.auditedEnd();
    return { state: operation.shownState, problem: operation.problem?.code };
  }
}
