import { serverBounds } from './server-bounds.js';
import type { QmpEvent } from './session-info.js';

/**
 * Number of events kept, besides the bound of their bytes: in the worst flood measured QEMU sent about 1,200 of them.
 */
const mostEvents = 10_000;

/** Keeps events that arrive before the session is negotiated, until the owner can get them. */
export class EarlyEvents {
  #events: QmpEvent[] = [];
  #bytes = 0;
  #dropped = 0;

  /** Beyond either bound an event is only counted. @param bytes of its data */
  hold(event: QmpEvent, bytes: number): void {
    this.#bytes += bytes;
    if (this.#events.length < mostEvents && this.#bytes <= serverBounds.earlyEvents.most) this.#events.push(event);
    else this.#dropped++;
  }

  /** An event over its bound. */
  drop(): void {
    this.#dropped++;
  }

  /** Returns the kept events in order of arrival and the number of dropped ones; empties the store. */
  take(): { readonly events: readonly QmpEvent[]; readonly dropped: number } {
    const events = this.#events;
    this.#events = [];
    return { events, dropped: this.#dropped };
  }
}
