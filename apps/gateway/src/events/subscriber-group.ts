import type { Audience } from './audience.js';
import { coalescingKey } from './coalescing-key.js';
import { formatCursor } from './cursor.js';
import type { Encoding } from './encodings.js';
import type { EventRecord } from './event-record.js';
import { renderFor, type EventBatch } from './event-batch.js';
import { sliceBytes, type Framed, type Slice, type Subscriber, type SubscriberSurroundings } from './subscriber.js';

/** Subscribers that get the same bytes. */
export interface SubscriberGroup {
  readonly subscribers: Set<Subscriber>;
  /** True while something that was published is held back here. */
  readonly holding: boolean;
  deliver(batch: EventBatch): void;
  /** Sends what is held back, for the end. */
  release(): void;
}

/** All who want the same events in the same form: selected and put together once, one write for each. */
export class SharedGroup implements SubscriberGroup {
  readonly subscribers = new Set<Subscriber>();
  readonly holding = false;

  constructor(
    private readonly audience: Audience,
    private readonly encoding: Encoding,
  ) {}

  deliver(batch: EventBatch): void {
    const selected = batch.select(this.audience);
    if (selected.length === 0) return;
    const items = selected.map((index) => framed(batch.at(index), batch.frame(index, this.encoding, this.audience), 1));
    for (const slice of sliced(items)) for (const subscriber of this.subscribers) subscriber.offer(slice);
  }

  release(): void {
    // Nothing is held back here.
  }
}

/** Keys of one window told apart; past it the window ends early. */
const windowBound = 10_000;

/**
 * One subscriber that gets only the newest event of a window for each VM, event name and key. The window begins with
 * the first event after a pause. Not shared: a window belongs to whom it counts for.
 */
export class CoalescingGroup implements SubscriberGroup {
  readonly subscribers = new Set<Subscriber>();
  /** Ordered by the newest event of each key. */
  readonly #held = new Map<string, { event: EventRecord; events: number }>();
  #window: { cancel(): void } | undefined;

  constructor(
    private readonly audience: Audience,
    private readonly encoding: Encoding,
    private readonly windowMs: number,
    private readonly surroundings: Pick<SubscriberSurroundings, 'host' | 'clock' | 'stats'>,
  ) {}

  get holding(): boolean {
    return this.#held.size > 0;
  }

  deliver(batch: EventBatch): void {
    const [subscriber] = this.subscribers;
    for (const index of batch.select(this.audience)) {
      const event = batch.at(index);
      if (subscriber === undefined || event.n <= subscriber.joinedAt) continue;
      const key = coalescingKey(event);
      const events = (this.#held.get(key)?.events ?? 0) + 1;
      this.#held.delete(key);
      this.#held.set(key, { event, events });
      if (this.#held.size >= windowBound) this.release();
    }
    if (this.holding) this.#window ??= this.surroundings.clock.schedule(this.windowMs, () => this.release());
  }

  release(): void {
    this.#window?.cancel();
    this.#window = undefined;
    const { host, stats } = this.surroundings;
    const { run } = host;
    const items: Framed[] = [];
    for (const { event, events } of this.#held.values()) {
      stats.coalesced += events - 1;
      const json = renderFor(run, event, this.audience, events);
      items.push(framed(event, this.encoding.frame(json, formatCursor(run, event.n)), events));
    }
    this.#held.clear();
    for (const slice of sliced(items)) for (const subscriber of this.subscribers) subscriber.offer(slice);
  }
}

function framed({ n, vm }: EventRecord, frame: Buffer, events: number): Framed {
  return { n, vm, frame, bytes: frame.length, events };
}

/** Frames put together to what goes out in one write. */
function sliced(items: readonly Framed[]): Slice[] {
  const slices: Slice[] = [];
  let start = 0;
  let bytes = 0;
  const cut = (end: number): void => {
    const part = items.slice(start, end);
    const [only] = part;
    const joined =
      part.length === 1 && only !== undefined
        ? only.frame
        : Buffer.concat(
            part.map((item) => item.frame),
            bytes,
          );
    slices.push({ bytes: joined, items: part });
    start = end;
    bytes = 0;
  };
  items.forEach((item, index) => {
    bytes += item.bytes;
    if (bytes >= sliceBytes) cut(index + 1);
  });
  if (start < items.length) cut(items.length);
  return slices;
}
