import type { WebSocket } from 'ws';
import { closeClient } from './close-codes.js';

/**
 * Begins to serve a client whose handshake is over. A fault of ours ends its connection alone: thrown on, Nest would end
 * the process with it.
 *
 * @param fault gets what was thrown
 */
export function serveClient(client: WebSocket, begin: () => unknown, fault: (error: unknown) => void): void {
  try {
    begin();
  } catch (error) {
    fault(error);
    closeClient(client, 'failed', 'the gateway failed; its log has the details');
  }
}
