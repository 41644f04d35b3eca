import { batchId, encodeBatch, heartbeatId, mostBatchLines, usualBatchBytes } from '@qmp-gateway/fleet-protocol';
import { systemClock, type Clock, type Timer } from '@qmp-gateway/qmp';
import type { EventRecord } from '../../events/event-record.js';
import type { PublishBuffer } from './publish-buffer.js';

/** An event waits so long at most for others to go with it; the first after a pause does not wait. */
const gatherMs = 20;
const firstRetryMs = 50;
const longestRetryMs = 2000;

/** One message for the stream. */
export interface Outgoing {
  /** The same for each try, as long as it is not known to be of no use: the stream stores it once. */
  readonly id: string;
  readonly header: string;
  readonly payload: Uint8Array;
}

/** The stream takes the id of a batch for one that it has, and does not have the batch: it will never store it under this id. */
export class IdTaken extends Error {}

/** The way to the stream. */
export interface Outlet {
  /** Bytes of one line at most. */
  readonly longestLine: number;
  /**
   * One try, with a deadline.
   * @returns the sequence in the stream
   * @throws IdTaken when another id is needed; any other error when it is not known to be stored
   */
  publish(message: Outgoing): Promise<number>;
}

export interface PublisherParts {
  readonly node: string;
  readonly run: string;
  readonly heartbeatMs: number;
  readonly buffer: PublishBuffer;
  readonly outlet: Outlet;
  /** Further members of the header of a heartbeat, as it is made. */
  readonly heartbeatFields: () => Readonly<Record<string, unknown>>;
  readonly clock?: Clock;
  /** From 0 to 1. */
  readonly random?: () => number;
  /** Told of each batch that is stored, and how long it took. */
  readonly published?: (seconds: number) => void;
}

/**
 * Sends this node's events to the stream: gathered to batches, one of them under way at a time, each repeated under its own
 * id until the stream has it. A heartbeat is a batch without events.
 */
export class EventPublisher {
  readonly #parts: PublisherParts;
  readonly #clock: Clock;
  readonly #random: () => number;
  #nextNumber = 1;
  #beats = 0;
  #heartbeatDue = true;
  #heartbeat: Timer | undefined;
  #planned: Timer | undefined;
  #soon = false;
  #underWay = false;
  #state: 'idle' | 'running' | 'ended' = 'idle';
  #sentAt = -Infinity;
  #acknowledged = 0;
  #wake: (() => void) | undefined;
  #idle: (() => void) | undefined;

  constructor(parts: PublisherParts) {
    this.#parts = parts;
    this.#clock = parts.clock ?? systemClock;
    this.#random = parts.random ?? Math.random;
  }

  /** The sequence of the last batch that is known to be stored; 0 before the first. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** The number of the newest event that went into a batch; those that wait come after it. */
  get lastNumber(): number {
    return this.#nextNumber - 1;
  }

  /** Whether nothing waits and nothing is under way. */
  get isSettled(): boolean {
    return !this.#underWay && this.#parts.buffer.isEmpty;
  }

  /** Events are kept from the beginning, and go out from now on. */
  start(): void {
    if (this.#state !== 'idle') return;
    this.#state = 'running';
    this.#beat();
  }

  add(event: EventRecord): void {
    if (this.#state === 'ended') return;
    this.#parts.buffer.add(event);
    if (this.#state !== 'running' || this.#underWay || this.#soon || this.#planned !== undefined) return;
    // Later in this turn there may come more.
    this.#soon = true;
    setImmediate(() => {
      this.#soon = false;
      this.#pump();
    });
  }

  /** The way is open again: what waits for its next try has it now. */
  retryNow(): void {
    this.#wake?.();
  }

  /** A heartbeat now, for news in its header. */
  beatNow(): void {
    this.#heartbeatDue = true;
    this.#pump();
  }

  /** Sends what there is, and ends. @param withinMs what is not stored by then is lost */
  async finish(withinMs: number): Promise<void> {
    if (this.#state === 'running' && !this.isSettled) {
      const emptied = new Promise<void>((resolve) => (this.#idle = resolve));
      this.#sentAt = -Infinity;
      this.#pump();
      const late = this.#clock.schedule(withinMs, () => this.#idle?.());
      await emptied;
      late.cancel();
    }
    this.#state = 'ended';
    this.#heartbeat?.cancel();
    this.#planned?.cancel();
    this.#wake?.();
  }

  #beat(): void {
    this.#heartbeatDue = true;
    this.#heartbeat = this.#clock.schedule(this.#parts.heartbeatMs, () => this.#beat());
    this.#pump();
  }

  #pump(): void {
    if (this.#state !== 'running' || this.#underWay) return;
    const { buffer } = this.#parts;
    this.#planned?.cancel();
    this.#planned = undefined;
    if (this.#heartbeatDue) {
      this.#heartbeatDue = false;
      void this.#send(this.#makeHeartbeat());
    } else if (buffer.isEmpty) this.#idle?.();
    else {
      const rest = buffer.bytes >= usualBatchBytes ? 0 : this.#sentAt + gatherMs - this.#clock.now();
      if (rest <= 0) void this.#send(this.#makeBatch());
      else
        this.#planned = this.#clock.schedule(rest, () => {
          this.#planned = undefined;
          this.#pump();
        });
    }
  }

  #makeHeartbeat(): Outgoing {
    const head = { ...this.#head(), last: this.#nextNumber - 1, fields: this.#parts.heartbeatFields() };
    return { id: heartbeatId(head, ++this.#beats), ...encodeBatch({ ...head, lines: [] }) };
  }

  #makeBatch(): Outgoing {
    const { buffer, outlet } = this.#parts;
    const { lines } = buffer.take({ bytes: usualBatchBytes, lines: mostBatchLines, longest: outlet.longestLine });
    const head = { ...this.#head(), last: this.#nextNumber + lines.length - 1, fields: {} };
    this.#nextNumber += lines.length;
    return { id: batchId(head), ...encodeBatch({ ...head, lines }) };
  }

  #head() {
    const { node, run } = this.#parts;
    return { node, run, first: this.#nextNumber, at: this.#clock.now() };
  }

  async #send(message: Outgoing): Promise<void> {
    this.#underWay = true;
    const began = this.#clock.now();
    this.#sentAt = began;
    let copy = message;
    for (let failures = 0; !this.#hasEnded; failures++) {
      try {
        this.#acknowledged = await this.#parts.outlet.publish(copy);
        this.#parts.published?.((this.#clock.now() - began) / 1000);
        break;
      } catch (error) {
        // Readers take a batch once, also where the stream has both copies in the end.
        if (error instanceof IdTaken) copy = { ...message, id: `${message.id}-${failures + 1}` };
        await this.#retryPause(failures);
      }
    }
    this.#underWay = false;
    this.#pump();
  }

  get #hasEnded(): boolean {
    return this.#state === 'ended';
  }

  #retryPause(failures: number): Promise<void> {
    const pause = Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(failures, 10));
    return new Promise((resolve) => {
      const timer = this.#clock.schedule(pause * (0.5 + this.#random() / 2), () => this.#wake?.());
      this.#wake = () => {
        timer.cancel();
        this.#wake = undefined;
        resolve();
      };
    });
  }
}
