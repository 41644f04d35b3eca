import { systemClock, type Clock, type QmpEvent } from '@qmp-gateway/qmp';
import type { VmIdentity } from '../access/principal.js';
import type { Audience } from './audience.js';
import { formatCursor, parseCursor, type Cursor } from './cursor.js';
import { EventHistory } from './event-history.js';
import {
  anySource,
  gatewaySource,
  onOneLine,
  publishedName,
  eventRecord,
  snapshotOf,
  timestampOf,
  type EventParts,
  type EventRecord,
  type SourceSnapshot,
} from './event-record.js';
import { EventBatch, renderFor } from './event-batch.js';
import type { Bounds } from './fair-buffer.js';
import { FirstMatch, signal } from './first-match.js';
import type { EndReason, HubStats, StreamStart, SubscriberLimits, Subscription } from './subscriber.js';
import { Subscribers, type EventSequence, type SubscribeOptions } from './subscribers.js';

/** A VM whose events are published; read at once, so it may change afterwards. */
export interface EventSource extends VmIdentity {
  readonly epoch: string | null;
}

export interface HubOptions {
  /** New for each start of the gateway: letters and digits. */
  readonly run: string;
  readonly history?: Bounds;
  readonly subscriber?: SubscriberLimits;
  /** Streams in all; any number when absent. */
  readonly subscriptions?: number;
  readonly clock?: Clock;
  /** Runs a task in a later turn of the event loop, after the sockets of this one were read. */
  readonly soon?: (task: () => void) => void;
}

export const defaultHistory: Bounds = { events: 100_000, bytes: 64 * 1024 * 1024 };
export const defaultSubscriber: SubscriberLimits = {
  events: 10_000,
  bytes: 8 * 1024 * 1024,
  allBytes: 512 * 1024 * 1024,
  stuckMs: 60_000,
  bookmarkMs: 15_000,
};

/** Events of one delivery: some 64 KiB in each stream, a few milliseconds in which nobody else has a turn. */
const eventsAtOnce = 256;

/** Delay that a busy hub adds at most to gather more for one write. */
const longestRestMs = 20;

/** Names of the gateway's own events; those of VMs are upper-case, or are published under another name. */
export type OwnEventName = 'vm-changed' | 'vm-removed' | 'operation';

export interface HistoryPage {
  readonly events: readonly string[];
  /** Of the last event in the page, or the newest position if nothing was left to find. */
  readonly cursor: string;
  /** The earliest cursor after which nothing of this selection is lost. */
  readonly oldest: string;
}

/** Bytes after which a page of history ends, whatever its limit. */
const pageBytes = 16 * 1024 * 1024;

/** A run that numbers begin to be of. */
export interface RestartedRun {
  readonly run: string;
  /** The position that the sequence has now. */
  readonly n: number;
  /** Everything up to and including this number is gone. */
  readonly lost: number;
  /** Where streams go on, and begin that want no history: what comes up to here is the past. */
  readonly live: number;
}

/** A part of the gateway that passes QMP on and wants every event of one VM. */
export interface EventTap {
  /** At once and in order with the replies of the VM's monitor. */
  event(event: QmpEvent): void;
}

/**
 * All events of all VMs in one sequence: numbered, kept, filtered, delivered. Publishing never waits for a consumer:
 * events are gathered for the turn of the event loop and then offered to each group of subscribers at once.
 */
export class EventHub implements EventSequence {
  readonly stats: HubStats = { published: 0, delivered: 0, dropped: 0, coalesced: 0, subscribers: 0, congested: 0 };
  readonly #clock: Clock;
  readonly #soon: (task: () => void) => void;
  readonly #history: EventHistory;
  readonly #sources = new Map<string, SourceSnapshot>();
  readonly #taps = new Map<string, Set<EventTap>>();
  readonly #subscribers: Subscribers;
  #run: string;
  #n = 0;
  #live = 0;
  #forward: ((event: EventRecord) => void) | undefined;
  #head: string | undefined;
  #batch: EventBatch;
  #flushPlanned = false;
  #restUntil = 0;

  constructor(options: HubOptions) {
    this.#run = options.run;
    this.#clock = options.clock ?? systemClock;
    this.#soon = options.soon ?? ((task) => void setImmediate(task));
    this.#history = new EventHistory(options.run, options.history ?? defaultHistory);
    this.#batch = new EventBatch(this.#run);
    const surroundings = {
      clock: this.#clock,
      history: this.#history,
      limits: options.subscriber ?? defaultSubscriber,
      stats: this.stats,
      soon: this.#soon,
    };
    this.#subscribers = new Subscribers(this, surroundings, options.subscriptions ?? Infinity);
  }

  /** The run that the numbers belong to: the first part of every cursor. */
  get run(): string {
    return this.#run;
  }

  get headNumber(): number {
    return this.#n;
  }

  /** What comes now still belongs to the past. */
  get isBehind(): boolean {
    return this.#n < this.#live;
  }

  /** The newest position. */
  head(): string {
    return (this.#head ??= formatCursor(this.run, this.#n));
  }

  /** What the history holds now. */
  get kept(): Bounds {
    return { events: this.#history.count, bytes: this.#history.bytes };
  }

  publish(source: EventSource, event: QmpEvent): void {
    const data = event.data === undefined ? '{}' : onOneLine(event.data);
    this.#append({
      source: this.#snapshot(source),
      name: publishedName(event.name),
      data,
      timestamp: onOneLine(event.timestamp),
      receivedAt: event.receivedAt,
    });
    const taps = this.#taps.get(source.id);
    if (taps !== undefined) for (const tap of taps) tap.event(event);
  }

  /** An event of this name that is too large to be kept or delivered: it has its number, and whoever wanted it is told of a gap. */
  publishLeftOut(source: EventSource, name: string): void {
    const now = this.#clock.wall();
    this.#append({
      ...{ source: this.#snapshot(source), name: publishedName(name), data: '{}', leftOut: true },
      ...{ timestamp: timestampOf(now), receivedAt: now },
    });
  }

  /**
   * An event of the gateway's own.
   * @param source null when it is about no VM: then only unfiltered streams have it, of every principal
   * @param data JSON text
   */
  publishOwn(
    source: EventSource | null,
    name: OwnEventName,
    data: string,
    options: {
      /** `data` for principals below level `configure`. */
      readonly reducedData?: string;
      /** Id of the one principal (beside level `host`) it is for. */
      readonly only?: string;
      /** The VM as it will be: who will see it then is not told. */
      readonly successor?: VmIdentity;
    } = {},
  ): void {
    const now = this.#clock.wall();
    this.#append({
      source: source === null ? gatewaySource : this.#snapshot(source),
      name,
      data: onOneLine(data),
      timestamp: timestampOf(now),
      receivedAt: now,
      reducedData: options.reducedData === undefined ? undefined : onOneLine(options.reducedData),
      only: options.only,
      successor: options.successor === undefined ? undefined : snapshotOf({ ...options.successor, epoch: null }),
    });
    if (name === 'vm-removed' && source !== null) this.#sources.delete(source.id);
  }

  /** Whether a stream is open that would get such an event. @param only see `publishOwn` */
  isWatched(source: EventSource, name: OwnEventName, only: string | undefined): boolean {
    // Whoever is told of every event may have readers of its own.
    if (this.#forward !== undefined) return true;
    return this.stats.subscribers > 0 && this.#subscribers.isWatched(this.#snapshot(source), name, only);
  }

  /**
   * Every QMP event of one VM at once and in order with the replies of its monitor, for those who speak QMP on.
   * @returns ends it
   */
  tap(vm: string, tap: EventTap): () => void {
    let taps = this.#taps.get(vm);
    if (taps === undefined) this.#taps.set(vm, (taps = new Set()));
    taps.add(tap);
    return () => {
      if (taps.delete(tap) && taps.size === 0 && this.#taps.get(vm) === taps) this.#taps.delete(vm);
    };
  }

  /** Is told of every event as it is numbered; one for a hub. */
  forwardTo(forward: (event: EventRecord) => void): void {
    this.#forward = forward;
  }

  /** An event that has its number already. @throws RangeError unless it is above all before */
  enter(n: number, parts: EventParts): void {
    if (n <= this.#n) throw new RangeError(`number ${n} after ${this.#n}`);
    this.#enter(eventRecord(n, parts));
  }

  /** Moves the position on without an event. */
  advance(n: number): void {
    this.#n = Math.max(n, this.#n);
    this.#head = undefined;
  }

  /** Something up to and including this number is missing, and it is not known of which VM: every stream is told. */
  miss(n: number): void {
    this.#history.loseUpTo(n);
    const now = this.#clock.wall();
    const gap = {
      source: anySource,
      name: 'gap',
      data: '{}',
      timestamp: timestampOf(now),
      receivedAt: now,
      missed: null,
    };
    this.#n = n;
    this.#head = undefined;
    this.#offer(eventRecord(n, gap));
  }

  /** Numbers are of another run from now on: what is kept is forgotten, and open streams go on after a gap. */
  restart({ run, n, lost, live }: RestartedRun): void {
    this.flush();
    this.#subscribers.release();
    const last = { run: this.#run, n: this.#n };
    this.#run = run;
    this.#n = n;
    this.#live = live;
    this.#head = undefined;
    this.#history.restart(run, lost);
    this.#batch = new EventBatch(run);
    this.#subscribers.restart(last, live);
  }

  /** Undefined for text that is not a cursor, or for a position that this run has not reached yet. */
  readCursor(text: string): Cursor | undefined {
    const cursor = parseCursor(text);
    return cursor?.run === this.run && cursor.n > this.#n ? undefined : cursor;
  }

  /**
   * Begins a stream; its first bytes come in a later turn of the event loop.
   * @throws Problem `too-many-requests`
   */
  subscribe(options: SubscribeOptions): Subscription {
    return this.#subscribers.begin(options, (audience) => this.#startOf(audience, options.after));
  }

  /** The position from which on all is read that was received within this time and is kept. */
  positionOf(sinceMs: number, audience: Audience): Cursor | 'oldest' {
    const n = this.#history.positionBefore(this.#clock.wall() - sinceMs) ?? this.headNumber;
    return n <= this.#history.oldestFor(audience) ? 'oldest' : { run: this.run, n };
  }

  /**
   * What is kept after a position (the oldest kept when undefined), `limit` events at most.
   * @returns `expired` when some of it is kept no longer
   */
  history(
    audience: Audience,
    after: Cursor | 'oldest' | undefined,
    limit: number,
  ): HistoryPage | { readonly expired: true; readonly oldest: string } {
    const oldestNumber = this.#history.oldestFor(audience);
    const oldest = formatCursor(this.run, oldestNumber);
    const fromOldest = after === undefined || after === 'oldest';
    if (!fromOldest && (after.run !== this.run || after.n < oldestNumber)) return { expired: true, oldest };
    const events: string[] = [];
    let bytes = 0;
    let last: number | undefined;
    const accepted = this.#history.acceptedLosses(audience);
    this.#history.read(audience, fromOldest ? 0 : after.n, accepted, (delivery) => {
      if (events.length >= limit || bytes >= pageBytes || delivery.kind === 'gap') return false;
      const json = renderFor(this.run, delivery.event, audience);
      events.push(json);
      bytes += json.length;
      last = delivery.n;
      return true;
    });
    return { events, cursor: last === undefined ? this.head() : formatCursor(this.run, last), oldest };
  }

  /**
   * Calls back once, at the next event of this audience.
   * @returns takes the wish back
   * @throws Problem `too-many-requests`
   */
  onceMatched(audience: Audience, callback: () => void): () => void {
    const { principal, filter, int64 } = audience;
    const match = new FirstMatch(callback);
    const subscription = this.subscribe({
      ...{ principal, filter, int64, encoding: signal, sink: match },
      after: { run: this.run, n: this.#n },
    });
    match.subscription = subscription;
    return () => subscription.close();
  }

  /** Offers everything published so far; done once a turn by itself. */
  flush(): void {
    this.#flushPlanned = false;
    const batch = this.#batch;
    if (batch.events.length === 0) return;
    this.#batch = new EventBatch(this.#run);
    const began = this.#clock.now();
    this.#subscribers.deliver(batch);
    const now = this.#clock.now();
    // A long delivery is followed by an equally long rest: commands get half of the time, and more events share a write.
    this.#restUntil = now + Math.min(now - began, longestRestMs);
  }

  /** Delivers what is left and ends every stream. */
  closeAll(reason: EndReason = 'shutdown'): void {
    this.flush();
    this.#subscribers.endAll(reason);
  }

  #append(parts: EventParts): void {
    this.#enter(eventRecord(this.#n + 1, parts));
  }

  #enter(event: EventRecord): void {
    this.#n = event.n;
    this.#head = undefined;
    this.stats.published++;
    this.#history.append(event);
    this.#offer(event);
    this.#forward?.(event);
  }

  #offer(event: EventRecord): void {
    if (!this.#subscribers.anyLive) return;
    this.#batch.add(event);
    if (this.#batch.events.length >= eventsAtOnce) this.flush();
    else this.#planFlush();
  }

  #planFlush(): void {
    if (this.#flushPlanned) return;
    this.#flushPlanned = true;
    const rest = this.#restUntil - this.#clock.now();
    if (rest >= 1) this.#clock.schedule(rest, () => this.flush());
    else this.#soon(() => this.flush());
  }

  #snapshot(source: EventSource): SourceSnapshot {
    const known = this.#sources.get(source.id);
    if (known !== undefined && known.labels === source.labels && known.epoch === source.epoch) return known;
    const snapshot = snapshotOf(source);
    this.#sources.set(source.id, snapshot);
    return snapshot;
  }

  #startOf(audience: Audience, after: Cursor | 'oldest' | undefined): StreamStart {
    if (after === undefined) return { n: Math.max(this.#n, this.#live) };
    if (after === 'oldest') return { n: 0, accepted: this.#history.acceptedLosses(audience) };
    return after.run === this.run ? { n: after.n } : { n: 0, foreign: formatCursor(after.run, after.n) };
  }
}
