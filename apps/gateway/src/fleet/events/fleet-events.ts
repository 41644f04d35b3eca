import type { StoredMsg } from '@nats-io/jetstream';
import { batchHeaderName, endOf, readBatch } from '@qmp-gateway/fleet-protocol';
import { systemClock, type Clock, type Timer } from '@qmp-gateway/qmp';
import type { Logger } from 'pino';
import { Histogram } from '../../commands/command-metrics.js';
import { formatCursor } from '../../events/cursor.js';
import { defaultHistory } from '../../events/event-hub.js';
import type { Bounds } from '../../events/fair-buffer.js';
import type { FleetSequence, ShownEvents } from '../../events/shown-events.js';
import type { FleetLink } from '../fleet-link.js';
import { mayChangeVm, vmChangeOf, type FleetEventSide } from '../directory/feed.js';
import { StreamArchive } from '../directory/stream-archive.js';
import type { ReceivedBatch } from '../fleet-view.js';
import { EventLineReader } from './event-line.js';
import { EventPublisher, type Outgoing, type Outlet } from './event-publisher.js';
import { EventStream, FleetMisconfigured, type StreamSight } from './event-stream.js';
import { FleetFeed } from './fleet-feed.js';
import { PublishBuffer } from './publish-buffer.js';
import { PublishFaults } from './publish-faults.js';
import { StreamReader, type ReaderCounts } from './stream-reader.js';

/** Messages that an entry reads at its start at most. */
const startBound = 10_000;
const openAgainMs = 2000;
/** What is not in the stream this long after SIGTERM is lost. */
const lastEventsMs = 2000;

export interface FleetEventsParts {
  readonly link: FleetLink;
  readonly shown: ShownEvents;
  readonly history?: Bounds;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly clock?: Clock;
}

/** Told what keeps this node's events out of the fleet. @param fault undefined: nothing any more */
export type FaultListener = (subject: 'stream' | 'publishing', fault: string | undefined) => void;

/** Numbers for the metrics. */
export interface FleetEventCounts extends Partial<ReaderCounts> {
  readonly bufferEvents: number;
  readonly droppedEvents: number;
  readonly publishSeconds: Histogram;
}

/** Events between this node and its fleet: its own go into the stream, and an entry reads those of all. */
export class FleetEvents implements FleetSequence, Outlet {
  readonly #parts: FleetEventsParts;
  readonly #clock: Clock;
  readonly #stream: EventStream;
  readonly #buffer: PublishBuffer;
  readonly #publisher: EventPublisher;
  readonly #feed: FleetFeed | undefined;
  readonly #reader: StreamReader | undefined;
  readonly #publishSeconds = new Histogram();
  readonly #publishFaults: PublishFaults;
  #onFault: FaultListener = () => undefined;
  #fields: (() => Readonly<Record<string, unknown>>)[] = [];
  #permitted = false;
  #opening = false;
  #openedAt = -Infinity;
  #again: Timer | undefined;
  #ended = false;

  constructor(parts: FleetEventsParts) {
    this.#parts = parts;
    this.#clock = parts.clock ?? systemClock;
    const { link, shown, log } = parts;
    const { heartbeat: heartbeatMs, events } = link.settings;
    this.#stream = new EventStream(link, log);
    this.#publishFaults = new PublishFaults(this.#clock, (fault) => {
      if (fault === undefined) log.info({}, 'the stream takes events of this node again');
      else log.warn({ fault }, 'the stream takes no events of this node');
      this.#onFault('publishing', fault);
    });
    this.#buffer = new PublishBuffer({ bytes: events.buffer, perVmRate: events.perVmRate }, this.#clock);
    this.#publisher = new EventPublisher({
      ...{ node: link.node, run: link.run, heartbeatMs, buffer: this.#buffer, outlet: this, clock: this.#clock },
      heartbeatFields: () => Object.assign({}, ...this.#fields.map((fields) => fields())) as Record<string, unknown>,
      published: (seconds) => this.#publishSeconds.observe(seconds),
    });
    if (shown.fleet !== undefined) {
      const listener = new FleetFeed(shown.fleet, shown, log);
      const startBack = (sight: StreamSight) => messagesBack(sight, parts.history ?? defaultHistory);
      this.#feed = listener;
      this.#reader = new StreamReader({
        link,
        stream: this.#stream,
        heartbeatMs,
        startBack,
        listener,
        clock: this.#clock,
      });
    }
    this.side = this.#makeSide();
    shown.node.forwardTo((event) => this.#publisher.add(event));
    shown.readFrom(this);
  }

  /** What nodes and the directory need of the events. Ask for it before the start. */
  readonly side: FleetEventSide;

  /** Whether this node has its name, and may send under it. */
  #permit(isPermitted: boolean): void {
    this.#permitted = isPermitted;
    if (isPermitted) this.#publisher.retryNow();
  }

  #makeSide(): FleetEventSide {
    const lines = new EventLineReader();
    const publisher = this.#publisher;
    const buffer = this.#buffer;
    return {
      feed: { onBatch: (listener) => this.#feed?.onBatch(listener) },
      archive: new StreamArchive(this.#parts.link, storedBatch),
      own: {
        get last() {
          return publisher.lastNumber;
        },
        get acknowledged() {
          return publisher.acknowledged;
        },
        get dropped() {
          return buffer.droppedTellings;
        },
      },
      readChange: (line) => {
        if (!mayChangeVm(line)) return undefined;
        const event = lines.read(line);
        return typeof event === 'string' ? undefined : vmChangeOf(event);
      },
      addToHeartbeats: (fields) => this.#fields.push(fields),
      beatNow: () => this.#publisher.beatNow(),
      permit: (isPermitted) => this.#permit(isPermitted),
      tellFrom: (source) => this.#feed?.tellFrom(source),
    };
  }

  /** A cursor of the fleet; at every node, also one that is no entry. */
  ownPosition(): string | undefined {
    const { incarnation } = this.#stream;
    const { acknowledged } = this.#publisher;
    return incarnation === undefined || acknowledged === 0 ? undefined : formatCursor(incarnation, endOf(acknowledged));
  }

  /** Called when something keeps this node's events out of the fleet that somebody has to see to, and when it is over. */
  onFault(listener: FaultListener): void {
    this.#onFault = listener;
  }

  async verify(): Promise<void> {
    await this.#reader?.verify();
  }

  /** Whether the stream has everything that this node has published. */
  get isSettled(): boolean {
    return this.#publisher.isSettled;
  }

  get counts(): FleetEventCounts {
    return {
      ...this.#reader?.counts,
      bufferEvents: this.#buffer.count,
      droppedEvents: this.#buffer.dropped,
      publishSeconds: this.#publishSeconds,
    };
  }

  /** From now on, whenever NATS is there. */
  start(): void {
    this.#parts.link.observe({ connected: () => this.#open() });
  }

  /** Waits until an entry shows the fleet's events, so long at most. */
  async joined(withinMs: number): Promise<void> {
    const { shown } = this.#parts;
    if (shown.fleet === undefined) return;
    let late: Timer | undefined;
    const timeUp = new Promise<void>((resolve) => (late = this.#clock.schedule(withinMs, resolve)));
    await Promise.race([shown.reached(shown.fleet, undefined), timeUp]);
    late?.cancel();
  }

  /** Sends what there is, for 2 s at most. The connection is still the caller's. */
  async finish(): Promise<void> {
    await this.#publisher.finish(lastEventsMs);
    this.#ended = true;
    this.#again?.cancel();
    this.#reader?.end();
  }

  get longestLine(): number {
    return this.#stream.longestLine;
  }

  /** One try. Where the stream is gone, it is made anew or asked after. */
  async publish(message: Outgoing): Promise<number> {
    if (!this.#permitted) throw new Error('this node has not joined its fleet');
    try {
      const sequence = await this.#stream.publish(message);
      // Sequences that begin anew are of another stream: its cursors have another first part.
      if (sequence < this.#publisher.acknowledged) await this.#stream.look();
      this.#reader?.expect(sequence);
      this.#publishFaults.succeeded();
      return sequence;
    } catch (error) {
      this.#publishFaults.failed(error);
      if (this.#parts.link.connected && this.#clock.now() - this.#openedAt >= openAgainMs) this.#open();
      throw error;
    }
  }

  #open(): void {
    if (this.#opening || this.#ended) return;
    this.#opening = true;
    this.#again?.cancel();
    void this.#openNow().then((isOpen) => {
      this.#opening = false;
      this.#openedAt = this.#clock.now();
      if (!isOpen && !this.#ended) this.#again = this.#clock.schedule(openAgainMs, () => this.#open());
    });
  }

  async #openNow(): Promise<boolean> {
    if (!this.#parts.link.connected) return true;
    try {
      await this.#stream.open();
      this.#onFault('stream', undefined);
      this.#publisher.start();
      this.#publisher.retryNow();
      this.#reader?.connected();
      return true;
    } catch (error) {
      // Else NATS is not ready yet.
      if (error instanceof FleetMisconfigured) this.#onFault('stream', `the stream of events: ${error.message}`);
      return false;
    }
  }
}

function storedBatch({ header, data, seq }: StoredMsg): ReceivedBatch | undefined {
  const batch = readBatch(header.get(batchHeaderName) || undefined, data);
  if (typeof batch === 'string') return undefined;
  const { at: _, ...received } = batch;
  return { ...received, sequence: seq, sentAt: undefined };
}

/** As many messages as hold what the history keeps. */
function messagesBack({ meanBytes }: StreamSight, { bytes }: Bounds): number {
  return meanBytes === 0 ? 0 : Math.min(startBound, Math.ceil(bytes / meanBytes));
}
