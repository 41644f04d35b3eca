import { globsOf, matchesGlob } from './glob.js';

/** From where on events are shown. */
export type EventRange = 'live' | '15m' | '1h' | '6h' | 'all' | `after:${string}`;

/** What of the events is shown; the address of a page holds all of it. */
export interface EventFilter {
  /** Ids of VMs, as globs. Empty: all. */
  readonly vm: readonly string[];
  /** Names of events, as globs. Empty: all. */
  readonly event: readonly string[];
  /** `key=value` */
  readonly label: readonly string[];
  /** Names of events that are not shown, as globs. */
  readonly hide: readonly string[];
  /** Only events that hold this text, in any case. */
  readonly text: string;
  readonly range: EventRange;
  readonly order: 'newest-first' | 'oldest-first';
}

/** What a filter asks of the gateway; the rest is left out in the browser. */
export type AskedFilter = Pick<EventFilter, 'vm' | 'event' | 'label' | 'range'>;

/** What a view shows where the address says nothing. */
export type FilterDefaults = Pick<EventFilter, 'range' | 'hide'>;

/** The part of an event that filters look at. */
export interface FilteredEvent {
  readonly event: string;
  readonly vm: string | null;
  readonly time: string;
}

const rangesMs: Readonly<Record<string, number>> = { '15m': 15 * 60_000, '1h': 3_600_000, '6h': 6 * 3_600_000 };
const lists = ['vm', 'event', 'label'] as const;

/** How far back a range reaches in milliseconds; undefined without such an end. */
export function reachOf(range: EventRange): number | undefined {
  return rangesMs[range];
}

/** The filter in the query of an address. What is no filter there is left out. */
export function filterOf(query: URLSearchParams, defaults: FilterDefaults): EventFilter {
  const range = query.get('range') ?? '';
  return {
    ...{ vm: listOf(query, 'vm'), event: listOf(query, 'event'), label: listOf(query, 'label') },
    hide: query.has('hide') ? query.getAll('hide').flatMap(globsOf) : defaults.hide,
    text: query.get('text') ?? '',
    range: isRange(range) ? range : defaults.range,
    order: query.get('order') === 'oldest-first' ? 'oldest-first' : 'newest-first',
  };
}

/** An address's query with this filter in it; parameters of others stay. */
export function withFilter(query: URLSearchParams, filter: EventFilter, defaults: FilterDefaults): URLSearchParams {
  const written = new URLSearchParams(query);
  for (const name of lists) {
    written.delete(name);
    if (filter[name].length > 0) written.set(name, filter[name].join(','));
  }
  const chosen = { text: filter.text, range: filter.range, order: filter.order, hide: filter.hide.join(',') };
  const usual = { text: '', range: defaults.range, order: 'newest-first', hide: defaults.hide.join(',') };
  for (const name of ['text', 'range', 'order', 'hide'] as const) {
    if (chosen[name] === usual[name]) written.delete(name);
    else written.set(name, chosen[name]);
  }
  return written;
}

/** Labels of a filter as the client takes them; what is not `key=value` is left out. */
export function labelsMeant(label: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    label.flatMap((text) => {
      const at = text.indexOf('=');
      return at < 1 ? [] : [[text.slice(0, at), text.slice(at + 1)]];
    }),
  );
}

/** Events that pass every filter: where something is missing must always be seen. */
const alwaysShown = new Set(['gap']);

/**
 * Whether the browser shows an event that the gateway sent.
 * @param textOf the event as lower-case text, asked only where the filter has a text
 */
export function isShown<Event extends FilteredEvent>(
  { hide, text }: Pick<EventFilter, 'hide' | 'text'>,
  event: Event,
  textOf: (event: Event) => string,
): boolean {
  if (alwaysShown.has(event.event)) return true;
  if (hide.some((glob) => matchesGlob(glob, event.event))) return false;
  return text === '' || textOf(event).includes(text.toLowerCase());
}

/** Whether a filter leaves something out in the browser. */
export function filtersHere({ hide, text }: Pick<EventFilter, 'hide' | 'text'>): boolean {
  return hide.length > 0 || text !== '';
}

function listOf(query: URLSearchParams, name: (typeof lists)[number]): string[] {
  const values = query.getAll(name);
  // A value of a label may hold spaces; commas separate there too.
  return name === 'label'
    ? values.flatMap((value) => value.split(',')).filter((value) => value !== '')
    : values.flatMap(globsOf);
}

function isRange(text: string): text is EventRange {
  return text === 'live' || text === 'all' || Object.hasOwn(rangesMs, text) || /^after:.{1,256}$/.test(text);
}
