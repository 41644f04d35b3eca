import { endOf, placeOf, placesOfMessage, type BatchFault } from '@qmp-gateway/fleet-protocol';
import type { Logger } from 'pino';
import type { EventParts } from '../../events/event-record.js';
import type { EventHub } from '../../events/event-hub.js';
import type { ShownEvents } from '../../events/shown-events.js';
import type { ReceivedBatch } from '../fleet-view.js';
import { EventLineReader } from './event-line.js';
import type { ReaderListener, ReaderStart } from './stream-reader.js';

/** Between two complaints about what is no event. */
const complaintMs = 10_000;
/** What an entry tells by itself with one message, at most: some 10 ms. */
const mostTellings = 1000;
/** In each message: that events before it are lost stands before its lines. */
const placeOfLost = 0;
const firstLine = 1;

/** Gives events that have no place yet. @param most so many at most */
export type TellingSource = (most: number) => readonly EventParts[];

/** Puts what is read from the stream into the hub of the fleet: the same places at every entry. */
export class FleetFeed implements ReaderListener {
  readonly #lines = new EventLineReader();
  readonly #listeners: ((batch: ReceivedBatch) => void)[] = [];
  #tellings: TellingSource = () => [];
  #complainedAt = -Infinity;
  #refused = 0;

  constructor(
    private readonly hub: EventHub,
    private readonly shown: Pick<ShownEvents, 'moved'>,
    private readonly log: Pick<Logger, 'info' | 'warn'>,
  ) {}

  /** Called with each batch, before its events are shown. */
  onBatch(listener: (batch: ReceivedBatch) => void): void {
    this.#listeners.push(listener);
  }

  /**
   * What this entry tells by itself of VMs of other nodes. It has places that no other entry gives to anything: those
   * behind the lines of a message, in the room that every message has.
   */
  tellFrom(source: TellingSource): void {
    this.#tellings = source;
  }

  started({ incarnation, next, whole, last }: ReaderStart): void {
    const n = endOf(next - 1);
    this.log.info({ incarnation, next, last }, 'reading the events of the fleet');
    this.hub.restart({ run: incarnation, n, lost: whole ? 0 : n, live: Math.max(n, endOf(last)) });
    this.shown.moved();
  }

  batch(batch: ReceivedBatch): void {
    for (const listener of this.#listeners) listener(batch);
    const { sequence, lines, node } = batch;
    lines.forEach((line, index) => {
      const parts = this.#lines.read(line);
      if (typeof parts === 'string') this.#complain(sequence, parts, node);
      else this.hub.enter(placeOf(sequence, firstLine + index), parts);
    });
    const behind = firstLine + lines.length;
    const room = Math.min(mostTellings, placesOfMessage - behind);
    this.#tellings(room).forEach((parts, index) => this.hub.enter(placeOf(sequence, behind + index), parts));
    this.#passed(sequence);
  }

  lost(sequence: number, node: string, events: number): void {
    this.log.warn({ sequence, node, events }, 'events of a node are missing in the stream');
    this.hub.miss(placeOf(sequence, placeOfLost));
  }

  missing(from: number, to: number): void {
    this.log.warn({ from, to }, 'the stream has these no more');
    this.hub.miss(endOf(to));
    this.#passed(to);
  }

  refused(sequence: number, fault: BatchFault | 'wrong-sender'): void {
    this.#complain(sequence, fault);
    this.#passed(sequence);
  }

  #passed(sequence: number): void {
    this.hub.advance(endOf(sequence));
    this.shown.moved();
  }

  #complain(sequence: number, fault: string, node?: string): void {
    this.#refused++;
    const now = performance.now();
    if (now - this.#complainedAt < complaintMs) return;
    this.#complainedAt = now;
    this.log.warn({ sequence, fault, node, refused: this.#refused }, 'something in the stream is no event');
  }
}
