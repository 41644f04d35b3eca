import { GatewayProblem, GatewayUnreachable, type AnyEvent, type EventHistory } from '@qmp-gateway/client';
import { pause } from '../api/pause.js';
import { BoundedRing, type RingBounds } from './bounded-ring.js';
import { filtersHere, isShown, reachOf, type AskedFilter, type EventFilter } from './event-filter.js';
import { weightOf } from './event-weight.js';

/** Events that the gateway keeps, as far as a feed reads them. */
export type PageOfHistory = Pick<EventHistory, 'cursor' | 'oldest'> & { readonly events: readonly AnyEvent[] };

/** Where a page begins: after a cursor (`oldest`: with the oldest kept), or so many milliseconds ago. */
export type PagePosition = { readonly after: string } | { readonly sinceMs: number };

/** An event in a list. */
export interface FeedEvent {
  /** Rises by one for each event of the feed; a key for rows. */
  readonly number: number;
  readonly event: AnyEvent;
  /** `event.time` in milliseconds since 1970. */
  readonly atMs: number;
}

/** Where a feed gets its events. */
export interface EventOrigin {
  /** A page of what is kept from there on; an empty one says that nothing more is. */
  page(filter: AskedFilter, from: PagePosition, signal: AbortSignal): Promise<PageOfHistory>;
  /** When the oldest event came that is kept; undefined where none is. */
  oldestKept(filter: AskedFilter, signal: AbortSignal): Promise<string | undefined>;
  /** What comes, from a cursor on; undefined: from now on. Comes back by itself after a loss. */
  live(filter: AskedFilter, after: string | undefined, signal: AbortSignal): AsyncIterable<AnyEvent>;
}

/** `reading`: the history; `live`: all that is kept is there, and what comes is added. */
export type FeedPhase =
  { readonly name: 'reading' } | { readonly name: 'live' } | { readonly name: 'failed'; readonly error: unknown };

export interface FeedOptions {
  readonly filter: EventFilter;
  readonly bounds?: RingBounds;
  readonly now?: () => number;
  /** Resolves after so many milliseconds, or when it is aborted. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Calls back once, soon; what came until then is shown together. */
  readonly schedule?: (callback: () => void) => () => void;
}

/** What a list can hold: about 64 MB of text at most, less than a browser bears. */
const defaultBounds: RingBounds = { items: 10_000, weight: 64_000_000 };
const drawEveryMs = 100;
/** Between two attempts to read a page of the history. */
const againMs = 2_000;

/** The events that a filter selects: first what the gateway keeps, then what comes. Holds the newest within its bounds. */
export class EventFeed {
  readonly #events: BoundedRing<FeedEvent>;
  #shown: BoundedRing<FeedEvent>;
  #frozen: { readonly events: readonly FeedEvent[]; readonly added: number } | undefined;
  #phase: FeedPhase = { name: 'reading' };
  #filter: EventFilter;
  #number = 0;
  #version = 0;
  #oldestKept: string | undefined;
  #listeners = new Set<() => void>();
  #unschedule: (() => void) | undefined;
  #stop = new AbortController();
  readonly #texts = new WeakMap<AnyEvent, string>();
  readonly #bounds: RingBounds;
  readonly #now: () => number;
  readonly #wait: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly #schedule: (callback: () => void) => () => void;

  constructor(
    private readonly origin: EventOrigin,
    { filter, bounds = defaultBounds, now = Date.now, wait = pause, schedule = afterShortTime }: FeedOptions,
  ) {
    this.#bounds = bounds;
    this.#filter = filter;
    this.#now = now;
    this.#wait = wait;
    this.#schedule = schedule;
    this.#events = new BoundedRing(bounds);
    this.#shown = filtersHere(filter) ? new BoundedRing(bounds) : this.#events;
  }

  /** Empties the list and begins to read; `close` ends it. */
  open(): void {
    this.close();
    this.clear();
    const stop = new AbortController();
    this.#stop = stop;
    this.#phase = { name: 'reading' };
    this.#read(stop.signal).catch((error: unknown) => {
      if (stop.signal.aborted) return;
      this.#phase = { name: 'failed', error };
      this.#changed();
    });
  }

  close(): void {
    this.#stop.abort();
    this.#unschedule?.();
    this.#unschedule = undefined;
  }

  get phase(): FeedPhase {
    return this.#phase;
  }

  /** Rises with every change of what can be asked here. */
  get version(): number {
    return this.#version;
  }

  /** When the oldest event came that the gateway keeps; undefined before that is known. */
  get oldestKept(): string | undefined {
    return this.#oldestKept;
  }

  get length(): number {
    return this.#frozen?.events.length ?? this.#shown.length;
  }

  /** @param index from 0, the oldest */
  at(index: number): FeedEvent | undefined {
    return this.#frozen === undefined ? this.#shown.at(index) : this.#frozen.events[index];
  }

  /** How many events that the filter shows the list could not hold any more. */
  get dropped(): number {
    return this.#shown.dropped;
  }

  /** How many came in all. */
  get arrived(): number {
    return this.#number;
  }

  get paused(): boolean {
    return this.#frozen !== undefined;
  }

  /** How many that the filter shows came since the pause. */
  get cameSincePause(): number {
    return this.#frozen === undefined ? 0 : this.#shown.added - this.#frozen.added;
  }

  /** The list stays as it is; what comes is kept meanwhile, within the bounds. */
  pause(): void {
    this.#frozen ??= { events: this.#shown.toArray(), added: this.#shown.added };
    this.#changed();
  }

  resume(): void {
    this.#frozen = undefined;
    this.#changed();
  }

  /** Forgets what is in the list. */
  clear(): void {
    this.#events.clear();
    if (this.#shown !== this.#events) this.#shown.clear();
    this.#frozen = undefined;
    this.#number = 0;
    this.#changed();
  }

  /** Shows another part of what the gateway sends; ends a pause. */
  filterHere(local: Pick<EventFilter, 'hide' | 'text'>): void {
    this.#filter = { ...this.#filter, ...local };
    this.#frozen = undefined;
    this.#shown = this.#events;
    if (filtersHere(local)) {
      this.#shown = new BoundedRing(this.#bounds);
      for (const item of this.#events.toArray()) this.#show(item);
    }
    this.#changed();
  }

  /** @returns ends the subscription */
  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  async #read(signal: AbortSignal): Promise<void> {
    const cursor = this.#filter.range === 'live' ? undefined : await this.#readHistory(this.#filter, signal);
    this.#phase = { name: 'live' };
    this.#changed();
    for await (const event of this.origin.live(this.#filter, cursor, signal)) {
      if (signal.aborted) return;
      this.#add(event);
    }
  }

  /** @returns from where the live events go on */
  async #readHistory(filter: EventFilter, signal: AbortSignal): Promise<string> {
    for (let from = beginOf(filter.range); ;) {
      let page: PageOfHistory;
      try {
        this.#oldestKept ??= await this.origin.oldestKept(filter, signal);
        page = await this.origin.page(filter, from, signal);
      } catch (error) {
        if (isLoss(error) && !signal.aborted) {
          // The history goes on where it was, as the live events do.
          await this.#wait(againMs, signal);
          continue;
        }
        if (!(error instanceof GatewayProblem) || error.code !== 'cursor-expired' || error.oldest === undefined)
          throw error;
        this.#add(gapUntil(error.oldest, new Date(this.#now()).toISOString()));
        from = { after: error.oldest };
        continue;
      }
      signal.throwIfAborted();
      for (const event of page.events) this.#add(event);
      if (page.events.length === 0) return page.cursor;
      from = { after: page.cursor };
    }
  }

  #add(event: AnyEvent): void {
    const item = { number: ++this.#number, event, atMs: Date.parse(event.time) };
    this.#events.push(item, weightOf(event.data) + 200);
    if (this.#shown !== this.#events) this.#show(item);
    this.#unschedule ??= this.#schedule(() => {
      this.#unschedule = undefined;
      this.#changed();
    });
  }

  #show(item: FeedEvent): void {
    if (isShown(this.#filter, item.event, (event) => this.#textOf(event)))
      this.#shown.push(item, weightOf(item.event.data));
  }

  #textOf(event: AnyEvent): string {
    let text = this.#texts.get(event);
    if (text === undefined) {
      text = searchableText(event);
      this.#texts.set(event, text);
    }
    return text;
  }

  #changed(): void {
    this.#version++;
    for (const listener of this.#listeners) listener();
  }
}

function isLoss(error: unknown): boolean {
  return error instanceof GatewayUnreachable || (error instanceof GatewayProblem && error.retryable);
}

function beginOf(range: EventFilter['range']): PagePosition {
  const sinceMs = reachOf(range);
  if (sinceMs !== undefined) return { sinceMs };
  return { after: range.startsWith('after:') ? range.slice('after:'.length) : 'oldest' };
}

/** The text that a search looks into: names and values, in lower case. */
export function searchableText({ event, vm, data }: AnyEvent): string {
  const text = JSON.stringify(data, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
  return `${event} ${vm ?? ''} ${text}`.toLowerCase();
}

/** A gap of the list's own: what it wanted to read was not kept any more. */
function gapUntil(to: string, time: string): AnyEvent {
  const timestamp = { seconds: -1, microseconds: -1 };
  const data = { vm: null, from: '', to, missed: null };
  return { cursor: to, vm: null, epoch: null, event: 'gap', data, timestamp, time };
}

function afterShortTime(callback: () => void): () => void {
  const timer = setTimeout(callback, drawEveryMs);
  return () => clearTimeout(timer);
}
