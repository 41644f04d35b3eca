import { problemBody } from '../problems/problem.js';
import type { Operation } from './operation.js';
import type { Progress, WorkEvent } from './work.js';

/** Null also for what is no time: a log that was written before may hold it. */
function isoTime(wall: number | null): string | null {
  const date = new Date(wall ?? NaN);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}

/**
 * An operation as JSON: what became of its command, how far its work is, and the events that belong to that. A return
 * value is spliced in as QEMU wrote it.
 * @param isBare without the return value: in a list, as they may be any size, and for whoever may not read it
 */
export function renderOperation(operation: Operation, isBare = false): string {
  const { id, vm, command, started, ended, problem, work, descriptors } = operation;
  const { job = null, deadlineAt = null, progress = null, events = [] } = work ?? {};
  const head = JSON.stringify({
    ...{ id, vm, command, state: operation.shownState, epoch: operation.session },
    ...{ started: isoTime(started), ended: operation.over ? isoTime(ended) : null, progress: shownProgress(progress) },
    error: problem === null ? null : { code: problem.code, detail: problem.detail },
    ...(job === null ? {} : { job }),
    ...(deadlineAt === null ? {} : { deadline: isoTime(deadlineAt) }),
    ...(descriptors === null ? {} : { descriptors: descriptors.map(({ use, state }) => ({ use, state })) }),
  });
  const value = isBare ? null : operation.returned;
  let json = `${head.slice(0, -1)},"events":[${events.map(renderEvent).join(',')}]`;
  if (value !== null) json += `,"return":${value}`;
  if (problem !== null) json += `,"problem":${JSON.stringify(problemBody(problem))}`;
  return `${json}}`;
}

function shownProgress(progress: Progress | null): object | null {
  return progress === null ? null : { ...progress, estimatedEnd: isoTime(progress.estimatedEnd) };
}

function renderEvent({ cursor, event, data, time }: WorkEvent): string {
  return `{"cursor":${JSON.stringify(cursor)},"event":${JSON.stringify(event)},"data":${data},"time":${JSON.stringify(isoTime(time))}}`;
}
