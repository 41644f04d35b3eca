import type { Timer } from '@qmp-gateway/qmp';
import type { Principal } from '../access/principal.js';
import { Audience, type EventFilter } from './audience.js';
import type { Cursor } from './cursor.js';
import type { Encoding } from './encodings.js';
import type { EventBatch } from './event-batch.js';
import type { SourceSnapshot } from './event-record.js';
import { CoalescingGroup, SharedGroup, type SubscriberGroup } from './subscriber-group.js';
import {
  Subscriber,
  type EndReason,
  type Sink,
  type StreamStart,
  type SubscriberHost,
  type SubscriberSurroundings,
} from './subscriber.js';
import { SubscriptionPlaces } from './subscription-places.js';

/** How often stuck streams, expired credentials and due bookmarks are looked for. */
const tickMs = 1000;

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

/** The one sequence that the streams are of. */
export interface EventSequence {
  /** The run that its numbers are of. */
  readonly run: string;
  /** Number of the newest event. */
  readonly headNumber: number;
  /** Offers everything published so far. */
  flush(): void;
}

/** All open streams: which of them get the same bytes, how many there may be, and when one must end. */
export class Subscribers implements SubscriberHost {
  readonly #open = new Map<Subscriber, { readonly group: SubscriberGroup; readonly key: string }>();
  readonly #groups = new Map<string, SubscriberGroup>();
  readonly #places: SubscriptionPlaces;
  readonly #surroundings: SubscriberSurroundings;
  #ticker: Timer | undefined;
  #unshared = 0;

  /** @param most streams in all */
  constructor(
    private readonly events: EventSequence,
    surroundings: Omit<SubscriberSurroundings, 'host'>,
    most: number,
  ) {
    this.#surroundings = { ...surroundings, host: this };
    this.#places = new SubscriptionPlaces(most);
  }

  get run(): string {
    return this.events.run;
  }

  get headNumber(): number {
    return this.events.headNumber;
  }

  /** Whether any stream is live: until then what is published is only kept. */
  get anyLive(): boolean {
    return this.#groups.size > 0;
  }

  /** Whether a stream is open that would get such an event. */
  isWatched(source: SourceSnapshot, name: string, only: string | undefined): boolean {
    for (const { audience } of this.#open.keys())
      if (audience.wantsSource(source) && audience.wantsOwn(name, only)) return true;
    return false;
  }

  /**
   * Begins a stream; its first bytes come in a later turn of the event loop.
   * @param startOf where it begins, for its audience
   * @throws Problem `too-many-requests`
   */
  begin(options: SubscribeOptions, startOf: (audience: Audience) => StreamStart): Subscriber {
    this.#places.take(options.principal.id);
    const audience = new Audience(options.principal, options.filter, options.int64);
    const { group, key } = this.#groupFor(audience, options);
    const { encoding, sink } = options;
    const subscriber = new Subscriber({ audience, encoding, sink }, startOf(audience), this.#surroundings, group);
    this.#open.set(subscriber, { group, key });
    this.#count();
    this.#ticker ??= this.#surroundings.clock.schedule(tickMs, () => this.#tick());
    this.#surroundings.soon(() => subscriber.begin());
    return subscriber;
  }

  deliver(batch: EventBatch): void {
    for (const group of this.#groups.values()) group.deliver(batch);
  }

  /** Sends what is held back and ends every stream. */
  endAll(reason: EndReason): void {
    for (const group of this.#groups.values()) group.release();
    for (const subscriber of [...this.#open.keys()]) subscriber.end(reason);
    this.#ticker?.cancel();
    this.#ticker = undefined;
  }

  /** The numbers are of another run from now on. @see Subscriber.restart */
  restart(last: Cursor, n: number): void {
    for (const subscriber of this.#open.keys()) subscriber.restart(last, n);
  }

  /** Sends what is held back, before the numbers change. */
  release(): void {
    for (const group of this.#groups.values()) group.release();
  }

  joinLive(subscriber: Subscriber): void {
    const place = this.#open.get(subscriber);
    if (place === undefined) return;
    // Between subscribing and joining another may have made, or emptied, the group of this key.
    const group = this.#groups.get(place.key) ?? place.group;
    this.#groups.set(place.key, group);
    group.subscribers.add(subscriber);
    this.#open.set(subscriber, { group, key: place.key });
  }

  leave(subscriber: Subscriber): void {
    const place = this.#open.get(subscriber);
    if (place === undefined) return;
    this.#open.delete(subscriber);
    this.#places.give(subscriber.audience.principal.id);
    this.#count();
    place.group.subscribers.delete(subscriber);
    if (place.group.subscribers.size > 0 || this.#groups.get(place.key) !== place.group) return;
    this.#groups.delete(place.key);
    if (place.group instanceof CoalescingGroup) place.group.release();
  }

  #groupFor(audience: Audience, { encoding, coalesceMs }: SubscribeOptions): { group: SubscriberGroup; key: string } {
    if (coalesceMs !== undefined && coalesceMs > 0) {
      const group = new CoalescingGroup(audience, encoding, coalesceMs, this.#surroundings);
      return { group, key: `unshared ${++this.#unshared}` };
    }
    const key = `${encoding.name} ${audience.key}`;
    return { group: this.#groups.get(key) ?? new SharedGroup(audience, encoding), key };
  }

  #count(): void {
    this.#surroundings.stats.subscribers = this.#open.size;
  }

  #tick(): void {
    this.events.flush();
    for (const subscriber of this.#open.keys()) subscriber.tick();
    const isOver = this.#open.size === 0;
    this.#ticker = isOver ? undefined : this.#surroundings.clock.schedule(tickMs, () => this.#tick());
  }
}
