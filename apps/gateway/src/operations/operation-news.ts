import type { Logger } from 'pino';
import type { AuditLog } from '../access/audit/audit-log.js';
import type { EventHub } from '../events/event-hub.js';
import type { ShownEvents } from '../events/shown-events.js';
import type { Vm } from '../vms/vm.js';
import type { VmRegistry } from '../vms/vm-registry.js';
import type { OperationEvents } from './operation-events.js';
import { renderOperation } from './operation-view.js';
import type { Operation, WorkingOperation } from './operation.js';
import { WorkLine } from './work-audit.js';

/** A {@link WorkMetrics} as a dependency. */
export const WorkMetricsToken = Symbol('workMetrics');

/** Counts how work ended. */
export interface WorkMetrics {
  workEnded(kind: string, command: string, state: string): void;
}

export interface NewsReaders {
  readonly hub: EventHub;
  readonly events: Pick<ShownEvents, 'commandCursor'>;
  readonly registry: VmRegistry;
  readonly audit: AuditLog;
  readonly metrics: WorkMetrics;
  readonly log: Logger;
}

/** What becomes of operations goes to event streams, audit log, metrics and log. */
export class OperationNews implements OperationEvents {
  constructor(private readonly readers: NewsReaders) {}

  eventCursor(): string {
    return this.readers.events.commandCursor();
  }

  changed(operation: Operation, vm: Vm | undefined): void {
    const { hub, registry } = this.readers;
    const { principalId } = operation;
    const source = registry.get(operation.vm) ?? vm;
    const only = principalId === null ? {} : { only: principalId };
    if (source !== undefined) hub.publishOwn(source, 'operation', renderOperation(operation), only);
  }

  isWatched({ vm, principalId }: WorkingOperation): boolean {
    const { hub, registry } = this.readers;
    const source = registry.get(vm);
    return source !== undefined && hub.isWatched(source, 'operation', principalId ?? undefined);
  }

  ended(operation: WorkingOperation): void {
    const { vm, command, principalId, shownState: state } = operation;
    // Only what was begun through the gateway.
    if (command === null || principalId === null) return;
    const { metrics, registry } = this.readers;
    metrics.workEnded(registry.get(vm)?.kind ?? 'unknown', command, state);
    // The line of its command, should that be answered in this turn, comes first and may tell it all.
    setImmediate(() => this.#audit(operation, command, principalId));
  }

  intervened(what: string, details: object): void {
    this.readers.audit.change(undefined, undefined, what, details);
  }

  logTrouble(failure: string | undefined): void {
    const { log } = this.readers;
    if (failure === undefined) log.warn('operations are written down again');
    else log.error({ failure }, 'operations cannot be written down; they will not survive a restart');
  }

  #audit(operation: WorkingOperation, command: string, principalId: string): void {
    const { id, vm, shownState: state, problem, started, ended, work } = operation;
    if (work.endIsAudited) return;
    const durationMs = ended - started;
    this.readers.audit.add(
      new WorkLine({ principalId, vm, command, operation: id, state, problem: problem?.code, durationMs }),
    );
  }
}
