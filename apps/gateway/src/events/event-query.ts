import { nearestNames } from '@qmp-gateway/qapi';
import { parametersOf } from '../listeners/query-parameters.js';
import { Problem, type Fault } from '../problems/problem.js';
import { parseDuration } from '../settings/duration.js';
import { mostSelectorEntries, parseVmSelector } from '../vms/vm-selector.js';
import type { EventFilter } from './audience.js';
import type { Cursor } from './cursor.js';
import type { EventMediaType } from './media-type.js';

/** What a request for events asks for, read and checked. */
export interface EventQuery {
  readonly filter: EventFilter;
  readonly after: Cursor | 'oldest' | undefined;
  readonly limit: number;
  readonly waitMs: number;
  readonly coalesceMs: number | undefined;
  readonly bookmarks: boolean;
  readonly int64: 'string' | undefined;
}

const defaultLimit = 1000;
const highestLimit = 10_000;
const longestWaitMs = 120_000;
/** A longer window would be a poll. */
export const longestCoalesceMs = 60_000;

/** The prefix is of names that VMs should not have used (`publishedName`). */
const eventGlob = /^(?:x-vm:)?[A-Za-z0-9_.*-]{1,128}$/;

/** Parameters by the forms they mean something in. */
const always = ['vm', 'event', 'label', 'after', 'int64'];
const onlyPages = ['limit', 'wait'];
const onlyStreams = ['coalesce', 'bookmarks'];
const repeatable = new Set(['vm', 'event', 'label']);

/** Names of events, also as comma lists, each a glob. */
export function parseEventGlobs(lists: readonly string[], pointer: string): { globs: string[]; faults: Fault[] } {
  const globs = lists.flatMap((list) => list.split(','));
  if (globs.length > mostSelectorEntries)
    return { globs: [], faults: [{ pointer, message: `${globs.length} entries; at most ${mostSelectorEntries}` }] };
  const faults = globs
    .filter((glob) => !eventGlob.test(glob))
    .map((glob) => ({ pointer, message: `not an event name or glob: ${JSON.stringify(glob.slice(0, 80))}` }));
  return { globs, faults };
}

export interface EventQueryContext {
  readonly type: EventMediaType;
  /** The VM the path names. */
  readonly vm?: string;
  readonly lastEventId: string | undefined;
  readonly readCursor: (text: string) => Cursor | undefined;
}

/** @throws {Problem} `invalid-request` with every fault, each pointing at its parameter */
export function parseEventQuery(query: string, context: EventQueryContext): EventQuery {
  const parameters = parametersOf(query);
  const faults: Fault[] = [...unfitting(parameters, context)];
  const one = <T>(name: string, parse: (text: string) => T | undefined, expected: string): T | undefined => {
    const text = parameters.get(name);
    if (text === null) return undefined;
    const value = parse(text);
    if (value === undefined) faults.push({ pointer: `/${name}`, message: `expected ${expected}` });
    return value;
  };
  const { selector, faults: selectorFaults } = parseVmSelector(parameters.getAll('vm'), parameters.getAll('label'));
  const { globs, faults: eventFaults } = parseEventGlobs(parameters.getAll('event'), '/event');
  faults.push(...selectorFaults, ...eventFaults);
  const parsed = {
    filter: { selector, events: globs, ...(context.vm === undefined ? {} : { vm: context.vm }) },
    after: readPosition(parameters, context, faults),
    limit: one('limit', (text) => integerBetween(text, 1, highestLimit), `1 to ${highestLimit}`) ?? defaultLimit,
    waitMs: one('wait', (text) => durationUpTo(text, longestWaitMs), 'a duration of 120s at most') ?? 0,
    coalesceMs: one('coalesce', (text) => durationUpTo(text, longestCoalesceMs), 'a duration of 60s at most'),
    bookmarks: one('bookmarks', (text) => ({ true: true, false: false })[text], 'true or false') ?? false,
    int64: one('int64', (text) => (text === 'string' ? ('string' as const) : undefined), 'string'),
  };
  if (faults.length === 0) return parsed;
  const detail = faults.map(({ pointer, message }) => `${pointer.slice(1)}: ${message}`).join('; ');
  throw new Problem('invalid-request', detail, { errors: faults });
}

/** Parameters that are unknown, mean nothing here, or came twice. */
function* unfitting(parameters: URLSearchParams, { type }: EventQueryContext): Iterable<Fault> {
  const allowed = [...always, ...(type === 'application/json' ? onlyPages : onlyStreams)];
  for (const name of new Set(parameters.keys())) {
    const pointer = `/${name}`;
    if (allowed.includes(name)) {
      if (!repeatable.has(name) && parameters.getAll(name).length > 1)
        yield { pointer, message: 'given more than once' };
    } else if (onlyPages.includes(name)) yield { pointer, message: 'only for Accept: application/json' };
    else if (onlyStreams.includes(name))
      yield { pointer, message: 'only for text/event-stream and application/x-ndjson' };
    else {
      const suggestions = nearestNames(name, allowed);
      yield { pointer, message: 'unknown parameter', ...(suggestions.length === 0 ? {} : { suggestions }) };
    }
  }
}

/** `Last-Event-ID` beats `after`: an EventSource that comes back sends both, and only the header has moved on. */
function readPosition(
  parameters: URLSearchParams,
  { lastEventId, readCursor }: EventQueryContext,
  faults: Fault[],
): Cursor | 'oldest' | undefined {
  const after = parameters.get('after') ?? undefined;
  const fromHeader = lastEventId !== undefined && lastEventId !== '';
  const text = fromHeader ? lastEventId : after;
  if (text === undefined || text === 'oldest') return text;
  const cursor = readCursor(text);
  if (cursor === undefined)
    faults.push({ pointer: fromHeader ? '/Last-Event-ID' : '/after', message: 'not a cursor of an event' });
  return cursor;
}

function integerBetween(text: string, lowest: number, highest: number): number | undefined {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  return value >= lowest && value <= highest ? value : undefined;
}

function durationUpTo(text: string, longest: number): number | undefined {
  const milliseconds = parseDuration(text);
  return milliseconds === undefined || milliseconds > longest ? undefined : milliseconds;
}
