import { matchesGlob } from '../access/glob.js';
import { mostSelectorEntries, parseVmSelector } from '../access/vm-selector.js';
import type { ValueFault } from '../http/resource/field-type.js';
import { invalid } from '../http/resource/read-shape.js';
import type { Fault } from '../problems/problem.js';
import { parseDuration } from '../settings/duration.js';
import type { EventFilter } from './audience.js';
import type { Cursor } from './cursor.js';
import type { EventSelection, VmEventSelection } from './event-shapes.js';
import type { EventMediaType } from './media-type.js';

/** What a request for events asks for, read and checked. */
export interface EventQuery {
  readonly filter: EventFilter;
  readonly after: Cursor | 'oldest' | undefined;
  /** How far back it begins where no position is given. */
  readonly sinceMs: number | undefined;
  readonly limit: number;
  readonly waitMs: number;
  readonly coalesceMs: number | undefined;
  readonly bookmarks: boolean;
  readonly int64: 'string' | undefined;
}

const defaultLimit = 1000;
/** A longer window would amount to polling. */
export const longestCoalesceMs = 60_000;

/** The prefix is of names that VMs should not have used (`publishedName`). */
const eventGlob = /^(?:x-vm:)?[A-Za-z0-9_.*-]{1,128}$/;

/** Parameters that apply to some forms only. */
const onlyPages = ['limit', 'wait'] as const;
const onlyStreams = ['coalesce', 'bookmarks'] as const;

/** The gateway's own events; all others have upper-case names, or the prefix. */
const ownEvents = ['vm-changed', 'vm-removed', 'operation', 'gap', 'bookmark'];

/** A name that no event can have would select nothing, and nobody would see why. */
function globFault(glob: string, pointer: string): Fault[] {
  const shown = JSON.stringify(glob.slice(0, 80));
  if (!eventGlob.test(glob)) return [{ pointer, message: `not an event name or glob: ${shown}` }];
  if (!/[a-z]/.test(glob) || glob.startsWith('x-vm:') || ownEvents.some((name) => matchesGlob(glob, name))) return [];
  return [{ pointer, message: `no event has the name ${shown}; case matters`, suggestions: [glob.toUpperCase()] }];
}

/** Names of events, also as comma lists, each a glob. */
export function parseEventGlobs(lists: readonly string[], pointer: string): { globs: string[]; faults: Fault[] } {
  const globs = lists.flatMap((list) => list.split(','));
  if (globs.length > mostSelectorEntries)
    return { globs: [], faults: [{ pointer, message: `${globs.length} entries; at most ${mostSelectorEntries}` }] };
  return { globs, faults: globs.flatMap((glob) => globFault(glob, pointer)) };
}

/** Of all VMs, or of the one that the path names. */
export type SelectedEvents = VmEventSelection & Partial<Pick<EventSelection, 'vm' | 'label'>>;

export interface EventQueryContext {
  readonly type: EventMediaType;
  /** The VM the path names. */
  readonly vm?: string;
  readonly lastEventId: string | undefined;
  readonly readCursor: (text: string) => Cursor | undefined;
}

/** @throws {Problem} `invalid-request` with every fault, each pointing at its parameter */
export function readEventQuery(selection: SelectedEvents, context: EventQueryContext): EventQuery {
  const { event = [], limit = defaultLimit, wait = '0', coalesce, bookmarks = false, int64 } = selection;
  const { globs, faults: eventFaults } = parseEventGlobs(event, '/event');
  const { selector, faults: selectorFaults } = parseVmSelector(selection.vm ?? [], selection.label ?? []);
  const { position, faults: positionFaults } = readPosition(selection, context);
  const faults = [...unfitting(selection, context), ...selectorFaults, ...eventFaults];
  if (faults.length > 0) throw invalid('query', [...faults, ...positionFaults]);
  if (positionFaults.length > 0) throw invalid(fromHeader(context) ? 'header' : 'query', positionFaults);
  return {
    filter: { selector, events: globs, ...(context.vm === undefined ? {} : { vm: context.vm }) },
    after: position,
    sinceMs: selection.since === undefined ? undefined : parseDuration(selection.since),
    limit,
    waitMs: parseDuration(wait) ?? 0,
    coalesceMs: coalesce === undefined ? undefined : parseDuration(coalesce),
    bookmarks,
    int64,
  };
}

/** Parameters that do not apply to the form that was asked for. */
function unfitting(selection: SelectedEvents, { type }: EventQueryContext): ValueFault[] {
  const isPage = type === 'application/json';
  const message = isPage ? 'only for text/event-stream and application/x-ndjson' : 'only for Accept: application/json';
  const beginsTwice = selection.since !== undefined && selection.after !== undefined;
  return [
    ...(isPage ? onlyStreams : onlyPages).flatMap((name) =>
      selection[name] === undefined ? [] : [{ pointer: `/${name}`, message }],
    ),
    ...(beginsTwice ? [{ pointer: '/since', message: 'only without `after`, which says where it begins' }] : []),
  ];
}

const fromHeader = ({ lastEventId }: EventQueryContext) => lastEventId !== undefined && lastEventId !== '';

/** `Last-Event-ID` overrides `after`: an EventSource that comes back sends both, and only the header has moved on. */
function readPosition(
  { after }: SelectedEvents,
  context: EventQueryContext,
): { readonly position: Cursor | 'oldest' | undefined; readonly faults: ValueFault[] } {
  const isHeader = fromHeader(context);
  const text = isHeader ? context.lastEventId : after;
  if (text === undefined || text === 'oldest') return { position: text, faults: [] };
  const position = context.readCursor(text);
  const pointer = isHeader ? '/Last-Event-ID' : '/after';
  return { position, faults: position === undefined ? [{ pointer, message: 'must be the cursor of an event' }] : [] };
}
