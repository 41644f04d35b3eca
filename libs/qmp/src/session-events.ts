import { boundedName, boundedTimestamp, lengthOf } from './bounded-parts.js';
import type { Clock } from './clock.js';
import { EarlyEvents } from './early-events.js';
import type { MessageScanner } from './message.js';
import { serverBounds } from './server-bounds.js';
import type { SessionHost } from './session-host.js';
import type { QmpEvent, SessionInfo } from './session-info.js';

/** The events of one session: each within its bounds, and those before negotiation held until the session is open. */
export class SessionEvents {
  readonly #early = new EarlyEvents();
  #info: SessionInfo | null = null;
  #shutdownSeen = false;
  #ended = false;

  constructor(
    private readonly host: SessionHost,
    private readonly clock: Clock,
  ) {}

  /** Whether the VM ended, or is about to: the end of the connection is no loss then. */
  get shutdownSeen(): boolean {
    return this.#shutdownSeen;
  }

  /** The storage daemon sends no SHUTDOWN event. */
  quitAnswered(): void {
    this.#shutdownSeen = true;
  }

  /** Announces the open session, then the events that came before. */
  opened(info: SessionInfo): void {
    this.#info = info;
    const { events, dropped } = this.#early.take();
    if (dropped > 0) this.host.anomaly('early-events-dropped', `${dropped} events before negotiation`);
    this.host.opened(info);
    for (const event of events) if (!this.#hasEnded()) this.host.event(event, info);
  }

  end(): void {
    this.#ended = true;
  }

  /** @returns false if the message at which the scanner stands has no name, and so is no event */
  take(line: Buffer, { event, data, timestamp }: MessageScanner): boolean {
    if (line[event.start] !== 0x22) return false;
    const name = boundedName(line, event);
    if (name === null) {
      this.host.anomaly('overlong-event', `an event name of ${event.end - event.start} bytes`);
      return true;
    }
    if (lengthOf(data) > serverBounds.eventData.most) {
      this.host.anomaly('overlong-event', `${name} with ${lengthOf(data)} bytes of data`);
      if (this.#info === null) this.#early.drop();
      else this.host.eventLeftOut(name, this.#info);
      return true;
    }
    // With -no-shutdown the VM goes on, and a crash may end it later.
    if (name === 'SHUTDOWN') this.#shutdownSeen = true;
    else if (name === 'RESUME') this.#shutdownSeen = false;
    const whole = boundedTimestamp(line, timestamp);
    if (whole === null)
      this.host.anomaly('overlong-timestamp', `an event's timestamp of ${lengthOf(timestamp)} bytes, left out`);
    const qmpEvent: QmpEvent = {
      name,
      data: data.start < 0 ? undefined : line.toString('utf8', data.start, data.end),
      timestamp: whole ?? 'null',
      receivedAt: this.clock.wall(),
    };
    if (this.#info !== null) this.host.event(qmpEvent, this.#info);
    else this.#early.hold(qmpEvent, lengthOf(data));
    return true;
  }

  /** A method, because the field may change in a callback, which narrowing does not see. */
  #hasEnded(): boolean {
    return this.#ended;
  }
}
