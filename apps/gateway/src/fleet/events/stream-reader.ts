import { batchHeaderName, nodeOfToken, readBatch, type Batch, type BatchFault } from '@qmp-gateway/fleet-protocol';
import { systemClock, type Clock, type Timer } from '@qmp-gateway/qmp';
import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import type { FleetLink } from '../fleet-link.js';
import type { ReceivedBatch } from '../fleet-view.js';
import type { EventStream, StoredBatch, StreamSight } from './event-stream.js';
import { NodeNumbers } from './node-numbers.js';

/** Messages that are asked for at once. */
const window = 16;
/** What is heard ahead of a hole waits in these bounds; what does not fit is asked for later. */
const aheadBound = 4096;
const aheadBytesBound = 64 * 1024 * 1024;
const firstRetryMs = 250;
const longestRetryMs = 2000;
/** Between two looks that something heard gives reason for. */
const lookPauseMs = 1000;
/** A leader that froze and thaws believes for a while that the stream ends where it froze. */
const regressMs = 10_000;

/** Where a reader begins, or begins anew. */
export interface ReaderStart {
  readonly incarnation: string;
  /** The sequence that comes next. */
  readonly next: number;
  /** Whether the stream has nothing before that. */
  readonly whole: boolean;
  /** What the stream has now: up to here it is the past. */
  readonly last: number;
}

/** Who hears what the reader reads. */
export interface ReaderListener {
  /** Sequences are of this stream from now on. */
  started(start: ReaderStart): void;
  /** In the order of the stream, each once. */
  batch(batch: ReceivedBatch): void;
  /** So many events of a node should have come before the batch of this sequence, which is next, and did not. */
  lost(sequence: number, node: string, events: number): void;
  /** These are gone: the stream has them no more, or somebody put in what is no batch. */
  missing(from: number, to: number): void;
  /** A message that is no batch, and why. */
  refused(sequence: number, fault: BatchFault | 'wrong-sender'): void;
}

export interface ReaderParts {
  readonly link: FleetLink;
  readonly stream: EventStream;
  readonly heartbeatMs: number;
  /** How far back to begin, in messages. */
  readonly startBack: (sight: StreamSight) => number;
  readonly listener: ReaderListener;
  readonly clock?: Clock;
}

export interface ReaderCounts {
  /** Holes, and starts, that were read from the stream. */
  gapFills: number;
  resubscribes: number;
  /** Messages that the stream had more when it was last looked at. */
  lag: number;
  /** Events that nodes had numbered, and that never came. */
  lostEvents: number;
}

/**
 * Reads the stream: what it tells on as it comes, by one subscription, and the start and every hole by asking for them.
 * Whether something is missing shows in the sequences, or by silence: nodes are heard at each heartbeat.
 */
export class StreamReader {
  readonly counts: ReaderCounts = { gapFills: 0, resubscribes: 0, lag: 0, lostEvents: 0 };
  readonly #parts: ReaderParts;
  readonly #clock: Clock;
  readonly #ahead = new Map<number, { readonly message: StoredBatch; readonly live: boolean }>();
  readonly #numbers = new NodeNumbers();
  #aheadBytes = 0;
  #incarnation: string | undefined;
  #next = 0;
  #subscribed: { readonly connection: NatsConnection; readonly subscription: Subscription } | undefined;
  #catchingUp = false;
  #again = false;
  #failures = 0;
  #retry: Timer | undefined;
  #expected = 0;
  #asked: (() => void)[] = [];
  #patience: Timer | undefined;
  #ticker: Timer | undefined;
  #heardAt = -Infinity;
  #lookedAt = -Infinity;
  #regressedAt: number | undefined;
  #ended = false;

  constructor(parts: ReaderParts) {
    this.#parts = parts;
    this.#clock = parts.clock ?? systemClock;
  }

  /** Call whenever NATS is there again: what came meanwhile was not heard. */
  connected(): void {
    if (this.#ended) return;
    this.#ticker ??= this.#clock.schedule(this.#parts.heartbeatMs, () => this.#tick());
    this.#subscribe();
    this.#catchUp();
  }

  /** The stream has this: what is not heard within a second is asked for. */
  expect(sequence: number): void {
    this.#expected = Math.max(this.#expected, sequence);
    this.#patience ??= this.#clock.schedule(lookPauseMs, () => {
      this.#patience = undefined;
      if (this.#incarnation !== undefined && this.#expected >= this.#next) this.#catchUp();
    });
  }

  /** Looks at the stream, as when somebody names an incarnation that is not known. @returns when it was looked at, or could not be */
  verify(): Promise<void> {
    return new Promise((resolve) => {
      this.#asked.push(resolve);
      this.#lookSoon();
    });
  }

  end(): void {
    this.#ended = true;
    this.#ticker?.cancel();
    this.#retry?.cancel();
    this.#patience?.cancel();
    this.#subscribed?.subscription.unsubscribe();
    this.#subscribed = undefined;
    this.#forgetAhead();
    for (const looked of this.#asked.splice(0)) looked();
  }

  #subscribe(): void {
    const { connection, subjects } = this.#parts.link;
    if (this.#subscribed?.connection === connection) return;
    const subscription = connection.subscribe(subjects.liveEvents, {
      callback: (error, message) => {
        if (error === null) this.#heard(message);
      },
    });
    this.#subscribed = { connection, subscription };
  }

  #resubscribe(): void {
    this.counts.resubscribes++;
    try {
      this.#subscribed?.subscription.unsubscribe();
    } catch {
      // Of a connection that is gone.
    }
    this.#subscribed = undefined;
    this.#subscribe();
  }

  #heard({ headers, data }: Msg): void {
    const sequence = Number(headers?.get('Nats-Sequence'));
    const subject = headers?.get('Nats-Subject') ?? '';
    if (!Number.isSafeInteger(sequence) || sequence < 1 || this.#incarnation === undefined) return;
    const header = headers?.get(batchHeaderName);
    const message = { sequence, subject, header: header === '' ? undefined : header, payload: data };
    if (sequence < this.#next) this.#lookSoon();
    else if (sequence === this.#next) this.#take(message, true);
    else {
      this.#hold(message);
      this.#catchUp();
    }
  }

  #hold(message: StoredBatch): void {
    const { size } = this.#ahead;
    const bytes = this.#aheadBytes + message.payload.length;
    if (size >= aheadBound || bytes > aheadBytesBound || this.#ahead.has(message.sequence)) return;
    this.#ahead.set(message.sequence, { message, live: true });
    this.#aheadBytes = bytes;
  }

  /** In order: what is next, and what waited for it. */
  #take(message: StoredBatch, live: boolean): void {
    if (message.sequence !== this.#next) return;
    this.#deliver(message, live);
    this.#takeHeld();
  }

  #takeHeld(): void {
    for (let held = this.#ahead.get(this.#next); held !== undefined; held = this.#ahead.get(this.#next))
      this.#deliver(held.message, held.live);
  }

  #deliver(message: StoredBatch, live: boolean): void {
    const { sequence } = message;
    this.#next = sequence + 1;
    this.#heardAt = this.#clock.now();
    if (this.#ahead.delete(sequence)) this.#aheadBytes -= message.payload.length;
    const { listener } = this.#parts;
    const batch = readBatch(message.header, message.payload);
    if (typeof batch === 'string') listener.refused(sequence, batch);
    else if (nodeOfToken(message.subject.slice(message.subject.lastIndexOf('.') + 1)) !== batch.node)
      listener.refused(sequence, 'wrong-sender');
    else this.#number(sequence, batch, live);
  }

  /** Whatever servers do with their copies of the stream: what a node has numbered is told once, or it is told that it is lost. */
  #number(sequence: number, received: Batch, live: boolean): void {
    const { listener } = this.#parts;
    const { batch, missed } = this.#numbers.take(sequence, received);
    if (missed > 0) {
      this.counts.lostEvents += missed;
      listener.lost(sequence, batch.node, missed);
    }
    const { at, ...rest } = batch;
    const isRepeated = batch.lines.length < received.lines.length;
    listener.batch({ ...rest, sequence, sentAt: live && !isRepeated ? at : undefined });
  }

  #miss(to: number): void {
    this.#parts.listener.missing(this.#next, to);
    this.#numbers.told(to);
    this.#next = to + 1;
    for (const [sequence, { message }] of this.#ahead)
      if (sequence <= to) {
        this.#ahead.delete(sequence);
        this.#aheadBytes -= message.payload.length;
      }
    this.#takeHeld();
  }

  #lookSoon(): void {
    if (this.#clock.now() - this.#lookedAt >= lookPauseMs) this.#catchUp();
    else this.#planCatchUp(lookPauseMs);
  }

  /** Silence for two heartbeats is no silence of the fleet: this node's own are in the stream too. */
  #tick(): void {
    const { heartbeatMs } = this.#parts;
    this.#ticker = this.#clock.schedule(heartbeatMs, () => this.#tick());
    if (this.#clock.now() - this.#heardAt >= 2 * heartbeatMs) this.#catchUp();
  }

  #planCatchUp(milliseconds: number): void {
    this.#retry ??= this.#clock.schedule(milliseconds, () => {
      this.#retry = undefined;
      this.#catchUp();
    });
  }

  #catchUp(): void {
    if (this.#ended || !this.#parts.link.connected) return;
    if (this.#catchingUp) {
      this.#again = true;
      return;
    }
    this.#catchingUp = true;
    const asked = this.#asked.splice(0);
    void this.#catchUpNow().then((failure) => {
      this.#catchingUp = false;
      for (const looked of asked) looked();
      if (failure) this.#planCatchUp(Math.min(longestRetryMs, firstRetryMs * 2 ** this.#failures++));
      else {
        this.#failures = 0;
        if (this.#again) this.#planCatchUp(0);
      }
      this.#again = false;
    });
  }

  /** @returns whether it failed */
  async #catchUpNow(): Promise<boolean> {
    try {
      const silent = this.#clock.now() - this.#heardAt >= 2 * this.#parts.heartbeatMs;
      const sight = await (this.#incarnation === undefined ? this.#parts.stream.open() : this.#parts.stream.look());
      this.#lookedAt = this.#clock.now();
      const known = this.#compare(sight);
      this.counts.lag = Math.max(0, sight.last + 1 - this.#next);
      if (this.counts.lag === 0) return false;
      if (known && silent) this.#resubscribe();
      this.counts.gapFills++;
      await this.#fill(sight.last);
      this.counts.lag = 0;
      return false;
    } catch {
      return true;
    }
  }

  /** @returns whether it is the stream that is being read already */
  #compare(sight: StreamSight): boolean {
    const { incarnation, first, last } = sight;
    if (incarnation !== this.#incarnation) {
      const isFirst = this.#incarnation === undefined;
      const back = isFirst ? Math.max(0, Math.floor(this.#parts.startBack(sight))) : Infinity;
      this.#restart(sight, Math.max(first, last + 1 - back), isFirst ? last : 0);
      return false;
    }
    if (last + 1 >= this.#next) {
      this.#regressedAt = undefined;
      return true;
    }
    // A stream that lost its end, as by a power cut: what comes now has numbers that others had before.
    this.#regressedAt ??= this.#clock.now();
    if (this.#clock.now() - this.#regressedAt < regressMs) this.#planCatchUp(lookPauseMs);
    else this.#restart(sight, last + 1, last);
    return false;
  }

  #restart({ incarnation, first }: StreamSight, next: number, last: number): void {
    this.#incarnation = incarnation;
    this.#next = next;
    this.#expected = 0;
    this.#regressedAt = undefined;
    this.#forgetAhead();
    this.#numbers.forget();
    this.#parts.listener.started({ incarnation, next, whole: first === 1 && next === 1, last });
  }

  #forgetAhead(): void {
    this.#ahead.clear();
    this.#aheadBytes = 0;
  }

  async #fill(last: number): Promise<void> {
    while (this.#next <= last && !this.#ended) {
      const from = this.#next;
      const asked: Promise<StoredBatch | undefined>[] = [];
      for (let at = from; at <= last && asked.length < window; at++)
        asked.push(this.#ahead.has(at) ? Promise.resolve(undefined) : this.#parts.stream.get(at));
      const found = await Promise.all(asked);
      for (const message of found) if (message !== undefined) this.#take(message, false);
      if (this.#next === from) await this.#step(last);
    }
  }

  /** The next is not where it was asked for. */
  async #step(last: number): Promise<void> {
    const from = this.#next;
    const found = await this.#parts.stream.firstFrom(from);
    if (this.#next !== from || this.#ended) return;
    if (found === undefined) this.#miss(last);
    else {
      if (found.sequence > from) this.#miss(found.sequence - 1);
      this.#take(found, false);
    }
  }
}
