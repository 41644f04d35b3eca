import type { WebSocket } from 'ws';

/** WebSocket close codes of the gateway, and why (RFC 6455 section 7.4; 4000 and up are ours). */
export const closeCodes = {
  'going-away': 1001,
  policy: 1008,
  'too-big': 1009,
  /** The VM's session ended; a new connection gets the next one. */
  'session-ended': 1012,
  /** The VM is not ready. */
  'try-again-later': 1013,
  'credentials-expired': 4401,
  'too-slow': 4408,
} as const;

export type CloseReason = keyof typeof closeCodes;

/** A client that does not take leave within this is cut off. Who is too slow must first read what lies before the reason. */
const farewellMs = (reason: CloseReason) => (reason === 'too-slow' ? 30_000 : 2000);

/** Bytes of a reason (RFC 6455 section 5.5); ours are ASCII. */
const longestReason = 123;

/** Closes a client's connection with a code that says why; the first reason counts. */
export function closeClient(client: WebSocket, reason: CloseReason, text: string): void {
  if (client.readyState !== client.OPEN) return;
  client.close(closeCodes[reason], text.slice(0, longestReason));
  const late = setTimeout(() => client.terminate(), farewellMs(reason));
  client.once('close', () => clearTimeout(late));
}
