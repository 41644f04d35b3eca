import { Problem, problemBody } from '../problems/problem.js';
import { returnedText, type Operation } from './operation-store.js';
import type { Progress, Work, WorkEvent } from './work.js';

/** Null also for what is no time: a log that was written before may hold it. */
function isoTime(wall: number | null): string | null {
  const date = new Date(wall ?? NaN);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}

/**
 * The outcome of a command without further work as JSON; a return value is spliced in as QEMU wrote it.
 * @param isBare without the return value: in a list, as they may be any size, and for whoever may not read it
 */
export function renderOperation(operation: Operation, isBare = false): string {
  const { id, vm, command, state, epoch, started, ended, result } = operation;
  const value = isBare ? null : returnedText(operation);
  const problem = result instanceof Problem ? result : null;
  return render({
    ...{ id, vm, command, state, epoch, started, ended: state === 'running' ? null : ended, value, problem },
    ...{ progress: null, events: [], extras: {} },
  });
}

/** Work as JSON: the same shape, with how far it is and the events that belong to it. @param isRow of a list, which has no return values */
export function renderWork(work: Work, isRow = false): string {
  const { result, deadlineAt, job, ...record } = work.record;
  const extras = {
    ...(job === null ? {} : { job }),
    ...(deadlineAt === null ? {} : { deadline: isoTime(deadlineAt) }),
  };
  return render({ ...record, value: isRow ? null : result, problem: work.problem ?? null, extras });
}

interface Rendered {
  readonly id: string;
  readonly vm: string;
  readonly command: string | null;
  readonly state: string;
  readonly epoch: string | null;
  readonly started: number;
  readonly ended: number | null;
  readonly progress: Progress | null;
  readonly events: readonly WorkEvent[];
  /** JSON text of the return value. */
  readonly value: string | null;
  readonly problem: Problem | null;
  readonly extras: object;
}

function render(shown: Rendered): string {
  const { id, vm, command, state, epoch, progress, problem, extras, value } = shown;
  const head = JSON.stringify({
    ...{ id, vm, command, state, epoch, started: isoTime(shown.started), ended: isoTime(shown.ended) },
    progress: progress === null ? null : { ...progress, estimatedEnd: isoTime(progress.estimatedEnd) },
    error: problem === null ? null : { code: problem.code, detail: problem.detail },
    ...extras,
  });
  let json = `${head.slice(0, -1)},"events":[${shown.events.map(renderEvent).join(',')}]`;
  if (value !== null) json += `,"return":${value}`;
  if (problem !== null) json += `,"problem":${JSON.stringify(problemBody(problem))}`;
  return `${json}}`;
}

function renderEvent({ cursor, event, data, time }: WorkEvent): string {
  return `{"cursor":${JSON.stringify(cursor)},"event":${JSON.stringify(event)},"data":${data},"time":${JSON.stringify(isoTime(time))}}`;
}
