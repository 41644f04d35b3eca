import { serverBounds } from './server-bounds.js';
import type { QmpEvent } from './session-info.js';

/** Events held beside their bytes: QEMU sent about 1,200 there under the worst flood measured. */
const mostEvents = 10_000;

/** Events that come before the session is negotiated, held until somebody may be told of them. */
export class EarlyEvents {
  #events: QmpEvent[] = [];
  #bytes = 0;
  #dropped = 0;

  /** Past either bound it is counted and no more. @param bytes of its data */
  hold(event: QmpEvent, bytes: number): void {
    this.#bytes += bytes;
    if (this.#events.length < mostEvents && this.#bytes <= serverBounds.earlyEvents.most) this.#events.push(event);
    else this.#dropped++;
  }

  /** One that is too large to be told. */
  drop(): void {
    this.#dropped++;
  }

  /** What is held, in the order it came, and how many were not; nothing is held afterwards. */
  take(): { readonly events: readonly QmpEvent[]; readonly dropped: number } {
    const events = this.#events;
    this.#events = [];
    return { events, dropped: this.#dropped };
  }
}
