import type { DialectName } from './dialects/dialects.js';
import type { Greeting } from './greeting.js';

/** One negotiated session; each connection creates a new object, so its identity can stand for an epoch. */
export interface SessionInfo {
  /** Random for each connection; in the id of its negotiation, and in all its ids where they are text. */
  readonly nonce: string;
  /** Null for the guest agent, which sends no greeting. */
  readonly greeting: Greeting | null;
  readonly dialect: DialectName;
  /** In-band commands that the server takes at once. */
  readonly window: number;
  /** Out-of-band execution was negotiated. */
  readonly oob: boolean;
  /** Wall-clock milliseconds. */
  readonly negotiatedAt: number;
}

/** One event, its parts cut out of the line and not interpreted. */
export interface QmpEvent {
  readonly name: string;
  /** JSON text exactly as the server wrote it; undefined if the event has no `data` member. */
  readonly data: string | undefined;
  /** JSON text exactly as the server wrote it; `null` if the event has none. */
  readonly timestamp: string;
  /** Wall-clock milliseconds of its arrival. */
  readonly receivedAt: number;
}
