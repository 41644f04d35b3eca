import { isCompletionKind, type CompletionKind } from '@qmp-gateway/catalog';
import { asObject, parsedJson } from '@qmp-gateway/qmp';
import type { ProblemCode } from '../problems/catalogue.js';
import { Problem, type ProblemFields } from '../problems/problem.js';
import { shownStates, type ShownState } from './operation-state.js';
import { Operation, type WorkingOperation } from './operation.js';
import { Work, type JobView, type Progress, type WorkEvent } from './work.js';

/** What is kept over a restart of an operation whose work goes on after the reply, as a line of the log has it. */
export interface OperationRecord {
  readonly id: string;
  readonly vm: string;
  /** Null for a job or a migration that was started past the gateway. */
  readonly command: string | null;
  /** Who started it; null when nobody did through the gateway. */
  readonly principalId: string | null;
  readonly completion: CompletionKind;
  /** What it is about: the id of the job or device, the size wanted. */
  readonly subject: string;
  /** Wall-clock milliseconds, as are all times here. */
  readonly started: number;
  readonly deadlineAt: number | null;
  /** The session its command was written in; null before. */
  readonly epoch: string | null;
  readonly dismiss: boolean;
  readonly job: JobView | null;
  readonly ended: number | null;
  /** The command's return value, as QEMU wrote it. */
  readonly result: string | null;
  readonly problem: { readonly code: ProblemCode; readonly detail: string; readonly fields: ProblemFields } | null;
  readonly progress: Progress | null;
  readonly state: ShownState;
  readonly events: readonly WorkEvent[];
  readonly cancelRequested?: true;
}

/** @param operation one with work */
export function recordOf(operation: Operation, work: Work): OperationRecord {
  const { id, vm, command, principalId, started, ended, problem } = operation;
  const { completion, subject, deadlineAt, epoch, dismiss, job, progress, events, cancelRequested } = work;
  return {
    ...{ id, vm, command, principalId, completion, subject, started, deadlineAt, epoch, dismiss, job },
    ended: operation.over ? ended : null,
    result: operation.returned,
    problem: problem === null ? null : { code: problem.code, detail: problem.detail, fields: problem.fields },
    ...{ progress, state: operation.shownState, events },
    ...(cancelRequested ? { cancelRequested } : {}),
  };
}

/** The operation as an earlier run of the gateway left it: its command was written, and nobody waits for the reply. */
export function restoredOperation(record: OperationRecord): WorkingOperation {
  const { state, result, problem, ended } = record;
  const operation = new Operation(
    { ...record, level: 'read' },
    state === 'running' || state === 'ready' ? 'working' : state,
  );
  operation.restore({
    ended: ended ?? 0,
    value: result === null ? null : Buffer.from(result),
    problem: problem === null ? null : new Problem(problem.code, problem.detail, problem.fields),
  });
  const work = new Work(operation, record);
  work.restore(record);
  return Object.assign(operation, { work });
}

/** @returns undefined for what is no record: the files may have come through anything */
export function readRecord(line: string): OperationRecord | { readonly id: string } | undefined {
  const record = asObject(parsedJson(line));
  if (isRecord(record)) return record;
  const id = record?.['id'];
  return typeof id === 'string' ? { id } : undefined;
}

function isRecord(value: object | undefined): value is OperationRecord {
  const record = value as Partial<OperationRecord> | undefined;
  return (
    typeof record?.id === 'string' &&
    typeof record.vm === 'string' &&
    shownStates.some((state) => state === record.state) &&
    typeof record.started === 'number' &&
    Array.isArray(record.events) &&
    isCompletionKind(record.completion)
  );
}
