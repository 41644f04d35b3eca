import type { Clock, Timer } from '@qmp-gateway/qmp';
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { CloseReason } from '../upgrades/close-codes.js';
import type { StreamCount } from '../upgrades/stream-counts.js';
import type { ReadBuffers } from './read-buffers.js';
import { RfbClientFilter } from './rfb-client-filter.js';
import { RfbFault } from '../vnc/rfb-fault.js';
import { newHandshake } from '../vnc/rfb-handshake.js';
import { RfbServerHandshake } from './rfb-server-handshake.js';

/** Bytes that wait for a client. Past it nothing is read of the VM, which then sends fewer updates of its screen. */
const unsentBound = 64 * 1024;
/** A server of RFB greets at once. */
const greetingMs = 10_000;

export interface RfbEnds {
  readonly client: WebSocket;
  /** The display, connected and paused. */
  readonly display: Socket;
  /** Where its bytes arrive. */
  readonly buffers: ReadBuffers;
  readonly looksOnly: boolean;
  readonly count: StreamCount;
  readonly clock: Clock;
  /** Nothing passes any more; called once, not by `close`. */
  ended(reason: CloseReason, text: string): void;
}

/**
 * Passes RFB between a WebSocket and a display, each at the pace of the other: whoever does not read is not read. What
 * waits is bounded both ways. The client is paused until the display has greeted.
 */
export class RfbBridge {
  /** Bytes from the client, and to it. */
  received = 0;
  sent = 0;
  #unsent = 0;
  readonly #ends: RfbEnds;
  readonly #filter: RfbClientFilter;
  readonly #handshake: RfbServerHandshake;
  readonly #shared = newHandshake();
  readonly #late: Timer;
  #over = false;

  constructor(ends: RfbEnds) {
    this.#ends = ends;
    this.#filter = new RfbClientFilter(this.#shared, ends.looksOnly);
    this.#handshake = new RfbServerHandshake(this.#shared);
    const { client, display, buffers, clock } = ends;
    this.#late = clock.schedule(greetingMs, () => this.#end('bad-gateway', 'the VM did not speak RFB within 10 s'));
    client.on('message', this.#fromClient);
    buffers.readBy(this.#fromDisplay);
    display.on('drain', () => client.resume());
    display.once('close', () => this.#displayGone());
    display.resume();
  }

  /** Messages that change the guest, so far. */
  get typed(): number {
    return this.#filter.typed;
  }

  /** Lets go of both ends. */
  close(): void {
    this.#over = true;
    this.#late.cancel();
    const { client, display } = this.#ends;
    client.off('message', this.#fromClient);
    display.destroy();
  }

  readonly #fromClient = (data: Buffer, isBinary: boolean): void => {
    const { client, display, count } = this.#ends;
    if (client.readyState !== client.OPEN) return;
    if (!isBinary) {
      this.#end('policy', 'binary frames only');
      return;
    }
    this.received += data.length;
    count.received += data.length;
    const passed = this.#read(() => this.#filter.push(data), 'policy');
    for (const part of passed) if (!display.write(part)) client.pause();
  };

  readonly #fromDisplay = (chunk: Buffer, release: () => void): void => {
    const { client, display, count } = this.#ends;
    if (client.readyState !== client.OPEN) return;
    const { greeted } = this.#shared;
    const parts = this.#read(() => this.#pass(chunk, release), 'bad-gateway');
    if (!greeted && this.#shared.greeted) this.#hearClient();
    for (const { bytes, sent } of parts) {
      this.#unsent += bytes.length;
      client.send(bytes, () => {
        sent();
        this.#gone(bytes.length);
      });
      this.sent += bytes.length;
      count.sent += bytes.length;
    }
    if (this.#unsent > unsentBound) display.pause();
  };

  /** What the client gets of a piece, and what to do when it has been sent. The handshake keeps what it reads. */
  #pass(chunk: Buffer, release: () => void): readonly { readonly bytes: Buffer; readonly sent: () => void }[] {
    if (this.#handshake.end === 'screen') return [{ bytes: chunk, sent: release }];
    return this.#handshake.push(Buffer.from(chunk)).map((bytes) => ({ bytes, sent: () => undefined }));
  }

  /** Read on before nothing is left to send: otherwise the client waits for the display each time. */
  #gone(bytes: number): void {
    this.#unsent -= bytes;
    if (this.#unsent < unsentBound / 2) this.#ends.display.resume();
  }

  /** What is no server of RFB hears nothing of the client. */
  #hearClient(): void {
    this.#late.cancel();
    this.#ends.client.resume();
  }

  #read<T>(reading: () => readonly T[], reason: CloseReason): readonly T[] {
    try {
      return reading();
    } catch (error) {
      if (!(error instanceof RfbFault)) throw error;
      this.#end(reason, error.message);
      return [];
    }
  }

  #displayGone(): void {
    if (this.#handshake.end === 'refused')
      this.#end('policy', 'the VM refused the client: a wrong password, or too many');
    else if (this.#handshake.end === undefined && this.#shared.chosen !== undefined)
      // QEMU says nothing of it.
      this.#end('try-again-later', 'the display takes no more clients: 32, or what -vnc …,connections=N says');
    else this.#end('session-ended', 'the VM closed its display');
  }

  #end(reason: CloseReason, text: string): void {
    if (this.#over) return;
    this.close();
    this.#ends.ended(reason, text);
  }
}
