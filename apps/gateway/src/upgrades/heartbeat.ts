import type { Clock, Timer } from '@qmp-gateway/qmp';
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Principal } from '../access/principal.js';
import type { CloseReason } from './close-codes.js';

const checkMs = 5000;
const checksPerPing = 4;
const missesAllowed = 2;
/** A client that neither reads nor sends a byte for this long is disconnected. */
const stuckMs = 60_000;

/** Who speaks on the WebSocket, and ends it when it hears that it must end. */
export interface HeartbeatOwner {
  heartStopped(reason: CloseReason): void;
}

export interface HeartbeatParts {
  readonly client: WebSocket;
  /** The socket below it. */
  readonly socket: Socket;
  readonly principal: Principal;
  readonly clock: Clock;
  readonly owner: HeartbeatOwner;
}

/**
 * Watches one WebSocket: pings every 20 s and ends it after two pings without an answer; ends it when its credentials
 * are no longer valid. A client that reads slowly gets its ping late, which does not count as a miss.
 *
 * The owner of the WebSocket ends it, because `ws` still passes on messages of a client that ignores the close.
 */
export class Heartbeat {
  readonly #client: WebSocket;
  readonly #socket: Socket;
  readonly #principal: Principal;
  readonly #clock: Clock;
  readonly #owner: HeartbeatOwner;
  #checks = 0;
  #unanswered = 0;
  #timer: Timer;

  constructor({ client, socket, principal, clock, owner }: HeartbeatParts) {
    this.#client = client;
    this.#socket = socket;
    this.#principal = principal;
    this.#clock = clock;
    this.#owner = owner;
    // Node.js checks the progress of a write here, so a long answer over a slow line does not count as a standstill.
    socket.setTimeout(stuckMs, () => this.#still());
    client.on('pong', () => (this.#unanswered = 0));
    client.on('close', () => this.#timer.cancel());
    this.#timer = this.#plan();
  }

  #plan(): Timer {
    return this.#clock.schedule(checkMs, () => {
      this.#timer = this.#plan();
      this.#check();
    });
  }

  /** Whoever is not read because the VM takes no more is not slow, as long as it has read everything itself. */
  #still(): void {
    if (this.#client.isPaused && this.#socket.writableLength === 0) this.#socket.setTimeout(stuckMs);
    else this.#owner.heartStopped('too-slow');
  }

  #check(): void {
    if (!this.#principal.stillValid()) {
      this.#owner.heartStopped('credentials-expired');
      this.#timer.cancel();
      return;
    }
    const isHeldUp = this.#client.isPaused || this.#socket.writableLength > 0;
    if (++this.#checks % checksPerPing !== 0 || isHeldUp) return;
    if (this.#unanswered >= missesAllowed) {
      this.#client.terminate();
      return;
    }
    this.#unanswered++;
    this.#client.ping();
  }
}
