import type { Clock, Timer } from '@qmp-gateway/qmp';
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Principal } from '../access/principal.js';
import type { CloseReason } from './close-codes.js';

const checkMs = 5000;
const checksPerPing = 4;
const missesAllowed = 2;
/** A client that neither takes nor sends a byte for so long is closed. */
const stuckMs = 60_000;

/**
 * Looks after one WebSocket: pings every 20 s and ends it after two pings without an answer; ends it when its
 * credentials are no longer valid. A client that reads slowly gets its ping late, which is no miss.
 *
 * Whoever speaks on it ends it: `ws` hands on messages of a client that ignores its farewell.
 */
export class Heartbeat {
  #checks = 0;
  #unanswered = 0;
  #timer: Timer;

  constructor(
    private readonly client: WebSocket,
    private readonly socket: Socket,
    private readonly principal: Principal,
    private readonly clock: Clock,
    private readonly end: (reason: CloseReason) => void,
  ) {
    // Node looks at the progress of a write here, so a long answer over a slow line is no standstill.
    socket.setTimeout(stuckMs, () => end('too-slow'));
    client.on('pong', () => (this.#unanswered = 0));
    client.on('close', () => this.#timer.cancel());
    this.#timer = this.#plan();
  }

  #plan(): Timer {
    return this.clock.schedule(checkMs, () => {
      this.#timer = this.#plan();
      this.#check();
    });
  }

  #check(): void {
    if (!this.principal.stillValid()) {
      this.end('credentials-expired');
      this.#timer.cancel();
      return;
    }
    const isHeldUp = this.client.isPaused || this.socket.writableLength > 0;
    if (++this.#checks % checksPerPing !== 0 || isHeldUp) return;
    if (this.#unanswered >= missesAllowed) {
      this.client.terminate();
      return;
    }
    this.#unanswered++;
    this.client.ping();
  }
}
