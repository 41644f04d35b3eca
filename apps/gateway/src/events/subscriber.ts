import { ownBytes, type Clock } from '@qmp-gateway/qmp';
import type { Audience } from './audience.js';
import { formatCursor, type Cursor } from './cursor.js';
import type { Encoding } from './encodings.js';
import type { Delivery, EventHistory } from './event-history.js';
import { renderBookmark, renderGap, type Gap } from './event-record.js';
import { renderFor } from './event-batch.js';
import { FairBuffer, type Bounds, type Kept, type VmQueue } from './fair-buffer.js';
import { visitInOrder, type Sequence } from './in-order.js';

/** Why the gateway ends a stream: 60 s without taking anything, credentials no longer valid, or the gateway stops. */
export type EndReason = 'too-slow' | 'credentials' | 'shutdown';

/** Where a subscriber's bytes go. */
export interface Sink {
  /** @returns false when no more should come until {@link Subscriber.drained} is called */
  write(bytes: Buffer): boolean;
  end(reason: EndReason): void;
}

/** One event in the bytes of its stream; `events` is how many events it stands for. */
export interface Framed extends Kept {
  frame: Buffer;
  readonly events: number;
}

/**
 * For one that is kept, by however many subscribers: Node makes short frames in a pool, all of which would stay with one
 * of them.
 */
export function ownFrame(item: Framed): Framed {
  item.frame = ownBytes(item.frame);
  return item;
}

/** Consecutive frames as they go out in one write. */
export interface Slice {
  readonly bytes: Buffer;
  readonly items: readonly Framed[];
}

/** Most bytes handed to a sink at once: what a slow reader can have waiting beside its budget. */
export const sliceBytes = 64 * 1024;

export interface SubscriberLimits extends Bounds {
  /** Bytes of all backlogs together: past it each congested subscriber has its share of them. */
  readonly allBytes: number;
  readonly stuckMs: number;
  readonly bookmarkMs: number;
}

export interface HubStats {
  published: number;
  delivered: number;
  dropped: number;
  coalesced: number;
  subscribers: number;
  /** Subscribers whose sink takes no more for now. */
  congested: number;
}

/** What a subscriber uses of the hub. */
export interface SubscriberSurroundings {
  readonly clock: Clock;
  readonly history: EventHistory;
  readonly limits: SubscriberLimits;
  readonly stats: HubStats;
  readonly host: SubscriberHost;
  /** Runs a task in a later turn of the event loop. */
  soon(task: () => void): void;
}

/** Who delivers to subscribers. */
export interface SubscriberHost {
  /** The run that the numbers are of. */
  readonly run: string;
  /** Number of the newest event. */
  readonly headNumber: number;
  /** It has read what is kept: from now on every batch is offered to it. */
  joinLive(subscriber: Subscriber): void;
  /** It takes no more. */
  leave(subscriber: Subscriber): void;
}

/** A stream as its reader holds it. */
export interface Subscription {
  /** Where the stream begins: everything after this position will be in it. */
  readonly cursor: string;
  /** The sink takes bytes again. */
  drained(): void;
  /** The reader went away. */
  close(): void;
}

/** Who wants which events, in which form, and where their bytes go. */
export interface StreamParts {
  readonly audience: Audience;
  readonly encoding: Encoding;
  readonly sink: Sink;
}

/** The position a stream begins after. */
export interface StreamStart {
  readonly n: number;
  /** Losses up to this moment are accepted: "replay what is kept". */
  readonly accepted?: ReadonlyMap<string | null, number>;
  /** A cursor of another run: it is not known what was missed since. */
  readonly foreign?: string;
}

type State =
  /** Reads from the history at the pace of the sink, everything up to and with `after` is behind it. */
  | { readonly name: 'replaying'; after: number; readonly accepted?: ReadonlyMap<string | null, number> }
  | { readonly name: 'live' }
  | { readonly name: 'ended' };

/**
 * One stream of events: first what is kept after its start, then each batch as it comes. While the sink is congested a
 * backlog is kept in the subscriber's budget; what falls out of it is a gap in the stream, per VM and with its exact size.
 */
export class Subscriber implements Subscription {
  readonly audience: Audience;
  readonly encoding: Encoding;
  readonly cursor: string;
  /** Events up to here came from the history; a batch that still holds some of them must not repeat them. */
  joinedAt = 0;
  readonly #sink: Sink;
  readonly #surroundings: SubscriberSurroundings;
  #backlog: FairBuffer<Framed>;
  readonly #gaps = new Map<string, { from: number; n: number; missed: number }>();
  #foreign: string | undefined;
  /** Whether its start was told. */
  #begun = false;
  #state: State;
  #congestedSince: number | undefined;
  #bookmarkedAt: number;

  /** @param group the one it is to join; it may hold back something before the newest batch */
  constructor(
    { audience, encoding, sink }: StreamParts,
    start: StreamStart,
    surroundings: SubscriberSurroundings,
    private readonly group: { readonly holding: boolean },
  ) {
    this.audience = audience;
    this.encoding = encoding;
    this.#sink = sink;
    this.cursor = formatCursor(surroundings.host.run, start.n);
    this.#surroundings = surroundings;
    this.#backlog = this.#emptyBacklog();
    this.#foreign = start.foreign;
    this.#bookmarkedAt = surroundings.clock.now();
    this.#state = {
      name: 'replaying',
      after: start.n,
      ...(start.accepted === undefined ? {} : { accepted: start.accepted }),
    };
  }

  get ended(): boolean {
    return this.#state.name === 'ended';
  }

  /** Opens the stream: its position, the gap of another run, and what is kept. */
  begin(): void {
    if (this.#begun || this.#state.name !== 'replaying') return;
    this.#begun = true;
    const { after } = this.#state;
    if (this.#foreign === undefined) this.#bookmark(after);
    else this.#write(this.#gapFrame({ n: after, vm: null, from: this.#foreign, missed: null }));
    this.#replay();
  }

  /**
   * The numbers are of another run from now on: after a gap it goes on with what comes after `n`. What waited for the
   * reader is part of that gap.
   * @param last the last position of the run before
   */
  restart(last: Cursor, n: number): void {
    if (this.ended) return;
    // What was not delivered yet begins before that.
    if (this.#begun || this.#foreign === undefined) this.#foreign = formatCursor(last.run, this.#reachedOf(last.n));
    this.#backlog = this.#emptyBacklog();
    this.#gaps.clear();
    this.#begun = false;
    this.joinedAt = 0;
    this.#state = { name: 'replaying', after: n };
    this.#surroundings.soon(() => this.begin());
  }

  drained(): void {
    if (this.#congestedSince === undefined || this.ended) return;
    this.#relieve();
    if (this.#state.name === 'replaying') this.#replay();
    else this.#drainBacklog();
  }

  offer(slice: Slice): void {
    const first = slice.items[0];
    if (this.#state.name !== 'live' || first === undefined) return;
    if (this.#congestedSince === undefined && first.n > this.joinedAt && this.#behind === 0) {
      this.#surroundings.stats.delivered += slice.items.length;
      this.#write(slice.bytes);
      return;
    }
    for (const item of slice.items) if (item.n > this.joinedAt) this.#backlog.push(ownFrame(item));
    this.#drainBacklog();
  }

  /** Does what depends on time. All published events have been offered when this is called. */
  tick(): void {
    const now = this.#surroundings.clock.now();
    const { stuckMs, bookmarkMs } = this.#surroundings.limits;
    if (this.ended) return;
    if (!this.audience.principal.stillValid()) this.end('credentials');
    else if (this.#congestedSince !== undefined && now - this.#congestedSince >= stuckMs) this.end('too-slow');
    else if (this.#state.name === 'live' && now - this.#bookmarkedAt >= bookmarkMs && this.#isUpToDate())
      this.#bookmark(Math.max(this.#surroundings.host.headNumber, this.joinedAt));
  }

  end(reason: EndReason): void {
    if (this.ended) return;
    this.close();
    this.#sink.end(reason);
  }

  close(): void {
    if (this.ended) return;
    this.#state = { name: 'ended' };
    this.#relieve();
    this.#surroundings.host.leave(this);
  }

  get #behind(): number {
    return this.#backlog.count + this.#gaps.size;
  }

  #isUpToDate(): boolean {
    return this.#congestedSince === undefined && this.#behind === 0 && !this.group.holding;
  }

  /** One slice a turn, so that a long history does not hold up everybody else. */
  #replay(): void {
    if (!this.#begun || this.#state.name !== 'replaying' || this.#congestedSince !== undefined) return;
    const state = this.#state;
    const frames: Buffer[] = [];
    const slice = { bytes: 0, reached: state.after, whole: true };
    this.#surroundings.history.read(this.audience, state.after, state.accepted, (delivery) => {
      if (slice.bytes >= sliceBytes) {
        slice.whole = false;
        return false;
      }
      const frame = this.#frameOf(delivery);
      frames.push(frame);
      slice.bytes += frame.length;
      slice.reached = delivery.n;
      if (delivery.kind === 'event') this.#surroundings.stats.delivered++;
      return true;
    });
    if (slice.whole) {
      this.joinedAt = Math.max(this.#surroundings.host.headNumber, state.after);
      this.#state = { name: 'live' };
      this.#surroundings.host.joinLive(this);
    } else state.after = slice.reached;
    if (frames.length > 0) this.#write(Buffer.concat(frames, slice.bytes));
    if (!slice.whole && !this.#isCongested()) this.#surroundings.soon(() => this.#replay());
  }

  #frameOf(delivery: Delivery): Buffer {
    if (delivery.kind === 'gap') return this.#gapFrame(delivery.gap);
    const { run } = this.#surroundings.host;
    return this.encoding.frame(renderFor(run, delivery.event, this.audience), formatCursor(run, delivery.n));
  }

  #gapFrame(gap: Gap): Buffer {
    const { host, clock } = this.#surroundings;
    return this.encoding.frame(renderGap(host.run, gap, clock.wall()), formatCursor(host.run, gap.n));
  }

  #bookmark(n: number): void {
    this.#bookmarkedAt = this.#surroundings.clock.now();
    const cursor = formatCursor(this.#surroundings.host.run, n);
    const bytes = this.encoding.bookmark?.(renderBookmark(cursor, this.#surroundings.clock.wall()), cursor);
    if (bytes !== undefined) this.#write(bytes);
  }

  /** The last number that went to the sink with everything before it. */
  #reachedOf(head: number): number {
    if (this.#state.name === 'replaying') return Math.min(head, this.#state.after);
    let reached = head;
    for (const queue of this.#backlog.queues.values()) reached = Math.min(reached, (queue.at(0)?.n ?? Infinity) - 1);
    for (const { from } of this.#gaps.values()) reached = Math.min(reached, from);
    return reached;
  }

  #emptyBacklog(): FairBuffer<Framed> {
    return new FairBuffer<Framed>(budgetOf(this.#surroundings), (item) => this.#miss(item));
  }

  #miss(item: Framed): void {
    this.#surroundings.stats.dropped += item.events;
    const gap = this.#gaps.get(item.vm);
    if (gap === undefined) this.#gaps.set(item.vm, { from: item.n - 1, n: item.n, missed: item.events });
    else {
      gap.n = item.n;
      gap.missed += item.events;
    }
  }

  #drainBacklog(): void {
    while (this.#behind > 0 && !this.#isCongested() && !this.ended) {
      const frames: Buffer[] = [];
      let bytes = 0;
      visitInOrder(this.#sequences(), (item) => {
        if (bytes >= sliceBytes) return false;
        frames.push(item.frame);
        bytes += item.frame.length;
        return true;
      });
      this.#write(Buffer.concat(frames, bytes));
    }
  }

  #sequences(): Sequence<Framed>[] {
    const sequences: Sequence<Framed>[] = [];
    for (const queue of this.#backlog.queues.values()) sequences.push(this.#ofQueue(queue));
    for (const [vm, gap] of this.#gaps) sequences.push(this.#ofGap(vm, gap));
    return sequences;
  }

  #ofQueue(queue: VmQueue<Framed>): Sequence<Framed> {
    const backlog = this.#backlog;
    const { stats } = this.#surroundings;
    return {
      peek: () => queue.at(0),
      advance() {
        stats.delivered++;
        backlog.shift(queue);
      },
    };
  }

  #ofGap(vm: string, { from, n, missed }: { from: number; n: number; missed: number }): Sequence<Framed> {
    const gaps = this.#gaps;
    const gap: Gap = { n, vm: vm === '' ? null : vm, from: formatCursor(this.#surroundings.host.run, from), missed };
    const frame = this.#gapFrame(gap);
    const item: Framed = { n, vm, frame, bytes: frame.length, events: 0 };
    return {
      peek: () => (gaps.has(vm) ? item : undefined),
      advance() {
        gaps.delete(vm);
      },
    };
  }

  #isCongested(): boolean {
    return this.#congestedSince !== undefined;
  }

  #write(bytes: Buffer): void {
    if (this.#sink.write(bytes) || this.ended || this.#congestedSince !== undefined) return;
    this.#congestedSince = this.#surroundings.clock.now();
    this.#surroundings.stats.congested++;
  }

  #relieve(): void {
    if (this.#congestedSince === undefined) return;
    this.#congestedSince = undefined;
    this.#surroundings.stats.congested--;
  }
}

/** What a backlog may hold: read for each event, so that it shrinks while many others are congested too. */
function budgetOf({ limits, stats }: SubscriberSurroundings): Bounds {
  return {
    events: limits.events,
    get bytes() {
      return Math.min(limits.bytes, Math.floor(limits.allBytes / Math.max(1, stats.congested)));
    },
  };
}
