import { systemClock, type Clock, type QmpEvent, type Timer } from '@qmp-gateway/qmp';
import type { Principal, VmIdentity } from '../access/principal.js';
import { Audience, type EventFilter } from './audience.js';
import { formatCursor, parseCursor, type Cursor } from './cursor.js';
import type { Encoding } from './encodings.js';
import { EventHistory } from './event-history.js';
import {
  gatewaySource,
  onOneLine,
  publishedName,
  recordOverhead,
  snapshotOf,
  timestampOf,
  type EventRecord,
  type SourceSnapshot,
} from './event-record.js';
import { EventTurn, renderFor } from './event-turn.js';
import type { Bounds } from './fair-buffer.js';
import { CoalescingGroup, SharedGroup, type SubscriberGroup } from './subscriber-group.js';
import {
  Subscriber,
  type EndReason,
  type HubStats,
  type Sink,
  type StreamStart,
  type SubscriberLimits,
  type SubscriberSurroundings,
} from './subscriber.js';
import { SubscriptionPlaces } from './subscription-places.js';

/** A VM as events are published of it; read at once, so it may change afterwards. */
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

/** How often stuck streams, expired credentials and due bookmarks are looked for. */
const tickMs = 1000;

/** Events of one delivery: some 64 KiB in each stream, a few milliseconds in which nobody else has a turn. */
const eventsAtOnce = 256;

/** Delay that a busy hub adds at most to gather more for one write. */
const longestRestMs = 20;

/** Names of the gateway's own events; those of VMs are upper-case, or are published under another name. */
export type OwnEventName = 'vm-changed' | 'vm-removed' | 'operation';

export interface SubscribeOptions {
  readonly principal: Principal;
  readonly filter: EventFilter;
  readonly int64?: 'string' | 'number';
  /** Now when undefined. */
  readonly after?: Cursor | 'oldest' | undefined;
  readonly coalesceMs?: number | undefined;
  readonly encoding: Encoding;
  readonly sink: Sink;
}

export interface Subscription {
  /** Where the stream begins: everything after this position will be in it. */
  readonly cursor: string;
  /** The sink takes bytes again. */
  drained(): void;
  close(): void;
}

export interface HistoryPage {
  readonly events: readonly string[];
  /** Of the last event in the page, or the newest position when nothing was left to find. */
  readonly cursor: string;
  /** The earliest cursor after which nothing of this selection is lost. */
  readonly oldest: string;
}

/** Bytes after which a page of history ends, whatever its limit. */
const pageBytes = 16 * 1024 * 1024;

/**
 * All events of all VMs in one sequence: numbered, kept, filtered, delivered. Publishing never waits for a consumer:
 * events are gathered for the turn of the event loop and then offered to each group of subscribers at once.
 */
export class EventHub {
  readonly run: string;
  readonly stats: HubStats = { published: 0, delivered: 0, dropped: 0, coalesced: 0, subscribers: 0, congested: 0 };
  readonly #clock: Clock;
  readonly #soon: (task: () => void) => void;
  readonly #history: EventHistory;
  readonly #surroundings: SubscriberSurroundings;
  readonly #sources = new Map<string, SourceSnapshot>();
  readonly #taps = new Map<string, Set<(event: QmpEvent) => void>>();
  readonly #subscribers = new Map<Subscriber, { readonly group: SubscriberGroup; readonly key: string }>();
  readonly #groups = new Map<string, SubscriberGroup>();
  readonly #places: SubscriptionPlaces;
  #n = 0;
  #head: string | undefined;
  #turn: EventTurn;
  #flushPlanned = false;
  #restUntil = 0;
  #ticker: Timer | undefined;
  #unshared = 0;

  constructor(options: HubOptions) {
    this.run = options.run;
    this.#clock = options.clock ?? systemClock;
    this.#soon = options.soon ?? ((task) => void setImmediate(task));
    this.#history = new EventHistory(options.run, options.history ?? defaultHistory);
    this.#turn = new EventTurn(this.run);
    this.#places = new SubscriptionPlaces(options.subscriptions ?? Infinity);
    this.#surroundings = {
      run: this.run,
      clock: this.#clock,
      history: this.#history,
      limits: options.subscriber ?? defaultSubscriber,
      stats: this.stats,
      headNumber: () => this.#n,
      soon: this.#soon,
      joinLive: (subscriber) => this.#join(subscriber),
      leave: (subscriber) => this.#leave(subscriber),
    };
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
    if (taps !== undefined) for (const tap of taps) tap(event);
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

  /** Whether a stream is open that would get such an event. @param only as of `publishOwn` */
  isWatched(source: EventSource, name: OwnEventName, only: string | undefined): boolean {
    if (this.#subscribers.size === 0) return false;
    const snapshot = this.#snapshot(source);
    for (const { audience } of this.#subscribers.keys())
      if (audience.wantsSource(snapshot) && audience.wantsOwn(name, only)) return true;
    return false;
  }

  /**
   * Every QMP event of one VM at once and in order with the replies of its monitor, for those who speak QMP on.
   * @returns ends it
   */
  tap(vm: string, listener: (event: QmpEvent) => void): () => void {
    let taps = this.#taps.get(vm);
    if (taps === undefined) this.#taps.set(vm, (taps = new Set()));
    taps.add(listener);
    return () => {
      if (taps.delete(listener) && taps.size === 0 && this.#taps.get(vm) === taps) this.#taps.delete(vm);
    };
  }

  /** Undefined for what is no cursor, or one this run has not reached yet. */
  readCursor(text: string): Cursor | undefined {
    const cursor = parseCursor(text);
    return cursor?.run === this.run && cursor.n > this.#n ? undefined : cursor;
  }

  /**
   * Begins a stream; its first bytes come in a later turn of the event loop.
   * @throws Problem `too-many-requests`
   */
  subscribe(options: SubscribeOptions): Subscription {
    this.#places.take(options.principal.id);
    const audience = new Audience(options.principal, options.filter, options.int64);
    const start = this.#startOf(audience, options.after);
    const { group, key } = this.#groupFor(audience, options);
    const holdsBack = group instanceof CoalescingGroup ? () => group.holding : undefined;
    const subscriber = new Subscriber(audience, options.encoding, options.sink, start, this.#surroundings, holdsBack);
    this.#subscribers.set(subscriber, { group, key });
    this.stats.subscribers = this.#subscribers.size;
    this.#ticker ??= this.#clock.schedule(tickMs, () => this.#tick());
    this.#soon(() => subscriber.begin());
    return {
      cursor: formatCursor(this.run, start.n),
      drained: () => subscriber.drained(),
      close: () => subscriber.close(),
    };
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
    const finish = (): void => {
      subscription.close();
      callback();
    };
    const sink: Sink = {
      write: () => {
        finish();
        return true;
      },
      end: finish,
    };
    const { principal, filter, int64 } = audience;
    const subscription = this.subscribe({ principal, filter, int64, after: this.#position(), encoding: signal, sink });
    return () => subscription.close();
  }

  /** Offers everything published so far; done once a turn by itself. */
  flush(): void {
    this.#flushPlanned = false;
    const turn = this.#turn;
    if (turn.events.length === 0) return;
    this.#turn = new EventTurn(this.run);
    const began = this.#clock.now();
    for (const group of this.#groups.values()) group.deliver(turn);
    const now = this.#clock.now();
    // A long delivery is followed by as long a rest: commands have half of the time, and more gathers for one write.
    this.#restUntil = now + Math.min(now - began, longestRestMs);
  }

  /** Delivers what there is and ends every stream. */
  closeAll(reason: EndReason = 'shutdown'): void {
    this.flush();
    for (const group of this.#groups.values()) group.release();
    for (const subscriber of [...this.#subscribers.keys()]) subscriber.end(reason);
    this.#ticker?.cancel();
    this.#ticker = undefined;
  }

  #append(
    parts: Omit<EventRecord, 'n' | 'vm' | 'bytes' | 'reducedData' | 'only'> & {
      reducedData?: string | undefined;
      only?: string | undefined;
    },
  ): void {
    const { source, name, data, timestamp, receivedAt, reducedData, only, successor, leftOut } = parts;
    const text = name.length + data.length + timestamp.length + (reducedData?.length ?? 0);
    const bytes = recordOverhead + text;
    const n = ++this.#n;
    this.#head = undefined;
    this.stats.published++;
    const event: EventRecord = {
      n,
      vm: source.id,
      source,
      name,
      data,
      reducedData,
      only,
      successor,
      timestamp,
      receivedAt,
      bytes,
      leftOut,
    };
    this.#history.append(event);
    if (this.#groups.size === 0) return;
    this.#turn.add(event);
    if (this.#turn.events.length >= eventsAtOnce) this.flush();
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

  #position(): Cursor {
    return { run: this.run, n: this.#n };
  }

  #startOf(audience: Audience, after: Cursor | 'oldest' | undefined): StreamStart {
    if (after === undefined) return { n: this.#n };
    if (after === 'oldest') return { n: 0, accepted: this.#history.acceptedLosses(audience) };
    return after.run === this.run ? { n: after.n } : { n: 0, foreign: formatCursor(after.run, after.n) };
  }

  #groupFor(audience: Audience, { encoding, coalesceMs }: SubscribeOptions): { group: SubscriberGroup; key: string } {
    if (coalesceMs !== undefined && coalesceMs > 0) {
      const group = new CoalescingGroup(audience, encoding, coalesceMs, this.#surroundings);
      return { group, key: `unshared ${++this.#unshared}` };
    }
    const key = `${encoding.name} ${audience.key}`;
    return { group: this.#groups.get(key) ?? new SharedGroup(audience, encoding), key };
  }

  #join(subscriber: Subscriber): void {
    const place = this.#subscribers.get(subscriber);
    if (place === undefined) return;
    // Between subscribing and joining another may have made, or emptied, the group of this key.
    const group = this.#groups.get(place.key) ?? place.group;
    this.#groups.set(place.key, group);
    group.subscribers.add(subscriber);
    this.#subscribers.set(subscriber, { group, key: place.key });
  }

  #leave(subscriber: Subscriber): void {
    const place = this.#subscribers.get(subscriber);
    if (place === undefined) return;
    this.#subscribers.delete(subscriber);
    this.#places.give(subscriber.audience.principal.id);
    this.stats.subscribers = this.#subscribers.size;
    place.group.subscribers.delete(subscriber);
    if (place.group.subscribers.size > 0 || this.#groups.get(place.key) !== place.group) return;
    this.#groups.delete(place.key);
    if (place.group instanceof CoalescingGroup) place.group.release();
  }

  #tick(): void {
    this.flush();
    for (const subscriber of this.#subscribers.keys()) subscriber.tick();
    this.#ticker = this.#subscribers.size === 0 ? undefined : this.#clock.schedule(tickMs, () => this.#tick());
  }
}

/** For who only wants to know that something came. */
const signal: Encoding = { name: 'signal', frame: () => Buffer.of(0) };
