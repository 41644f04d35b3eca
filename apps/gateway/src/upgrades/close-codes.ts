import { systemClock, type Clock } from '@qmp-gateway/qmp';
import type { WebSocket } from 'ws';

/** WebSocket close codes of the gateway, and why (RFC 6455 section 7.4; 4000 and up are ours). */
export const closeCodes = {
  'going-away': 1001,
  policy: 1008,
  'too-big': 1009,
  /** A fault of the gateway itself. */
  failed: 1011,
  /** What the VM sent is not what was asked for. */
  'bad-gateway': 1014,
  /** The VM's session ended; a new connection gets the next one. */
  'session-ended': 1012,
  /** The VM is not ready. */
  'try-again-later': 1013,
  'credentials-expired': 4401,
  /** The VM has nothing of the kind that was asked for. */
  absent: 4404,
  'too-slow': 4408,
  /** Somebody else writes. */
  'taken-over': 4409,
  /** Nothing was written for longer than the settings allow. */
  idle: 4410,
} as const;

export type CloseReason = keyof typeof closeCodes;

/**
 * A client that does not answer the close within this time is disconnected. A slow client must first read what precedes
 * the reason.
 */
const farewellMs = (reason: CloseReason) => (reason === 'too-slow' ? 30_000 : 2000);

/** Room for a reason: bytes (RFC 6455 section 5.5). */
const reasonBytes = new Uint8Array(123);
const encoder = new TextEncoder();

/** Closes a client's connection with a code that says why; the first reason counts. */
export function closeClient(client: WebSocket, reason: CloseReason, text: string, clock: Clock = systemClock): void {
  if (client.readyState !== client.OPEN) return;
  client.close(closeCodes[reason], text.slice(0, encoder.encodeInto(text, reasonBytes).read));
  const late = clock.schedule(farewellMs(reason), () => client.terminate());
  client.once('close', () => late.cancel());
}
