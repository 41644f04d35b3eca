import { systemClock, type Clock } from '@qmp-gateway/qmp';
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { closeClient, type CloseReason } from '../upgrades/close-codes.js';
import type { HeartbeatOwner } from '../upgrades/heartbeat.js';
import type { Leaver } from '../upgrades/socket-connection.js';
import type { StreamCount } from '../upgrades/stream-counts.js';
import { readControl } from './serial-control.js';
import type { SerialLine, SerialReader } from './serial-line.js';
import { beginningOf, positionText } from './serial-position.js';

/** Output that waits for a client; what comes beyond it is in the line's memory, as long as that keeps it. */
const unsentBound = 512 * 1024;
const pieceBytes = 64 * 1024;
/** All that waits for a client. More is the answers to what it sends and does not read. */
const mostUnsent = 1024 * 1024;

/** What a client's connection is made of, beside its line. */
export interface SerialClientParts {
  readonly client: WebSocket;
  /** The socket below it. */
  readonly socket: Pick<Socket, 'on'>;
  readonly name: string;
  readonly mayType: boolean;
  /** Position up to which the client has the output. */
  readonly after: string | undefined;
  readonly leavers: Set<Leaver>;
  readonly count: StreamCount;
  readonly clock?: Clock;
  /** Sends a break, as a command of the client's. @returns why it did not, in a line */
  sendBreak(): Promise<string | undefined>;
  takenOver(from: string): void;
  /** Called once. */
  closed(end: { readonly reason: string; readonly received: number; readonly sent: number }): void;
}

/** One client of a serial line, over WebSocket. It takes output from the line's memory as fast as it reads, and no faster. */
export class SerialClient implements SerialReader, Leaver, HeartbeatOwner {
  readonly name: string;
  #at: number;
  #ended = false;
  #closed = false;
  #reason = 'client left';
  #received = 0;
  #sent = 0;
  #isTypist = false;
  /** Told once while it types in vain. */
  #toldOfTypist = false;

  constructor(
    private readonly line: SerialLine,
    private readonly parts: SerialClientParts,
  ) {
    this.name = parts.name;
    const { at, lost } = beginningOf(line, parts.after);
    this.#at = at;
    this.#tell({ position: positionText(line, at), types: parts.mayType, ...this.#typist() });
    if (lost) this.lost();
    parts.leavers.add(this);
    parts.count.looking++;
    parts.socket.on('drain', () => this.#sendKept());
    parts.client.on('message', (data: Buffer, isBinary: boolean) => this.#message(data, isBinary));
    parts.client.once('close', () => this.#close());
    this.#sendKept();
  }

  /** Closes the connection; the first reason counts. */
  end(reason: CloseReason, text: string = reason): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#reason = reason;
    closeClient(this.parts.client, reason, text, this.parts.clock ?? systemClock);
  }

  output(chunk: Buffer, at: number): void {
    if (this.#ended) return;
    if (this.#at === at && this.#hasRoom()) this.#send(chunk);
    else this.#sendKept();
  }

  lost(): void {
    this.#tell({ gap: null });
  }

  typistChanged(): void {
    const isTypist = this.line.typist === this;
    this.#toldOfTypist = false;
    if (isTypist !== this.#isTypist) {
      const { count } = this.parts;
      count.typing += isTypist ? 1 : -1;
      count.looking += isTypist ? -1 : 1;
    }
    this.#isTypist = isTypist;
    this.#tell(this.#typist());
  }

  drained(): void {
    if (this.parts.client.isPaused) this.parts.client.resume();
  }

  ended(): void {
    this.end('session-ended', 'the serial line ended: come back');
  }

  heartStopped(reason: CloseReason): void {
    this.end(reason);
  }

  leave(): void {
    this.end('going-away');
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#ended = true;
    this.line.leave(this);
    this.parts.leavers.delete(this);
    this.parts.count[this.#isTypist ? 'typing' : 'looking']--;
    this.parts.closed({ reason: this.#reason, received: this.#received, sent: this.#sent });
  }

  #message(data: Buffer, isBinary: boolean): void {
    if (this.#ended) return;
    if (isBinary) this.#type(data);
    else this.#control(data);
  }

  #type(bytes: Buffer): void {
    if (!this.parts.mayType) {
      this.#tell({ refused: 'This connection only looks.' });
      return;
    }
    const typed = this.line.type(this, bytes);
    if (typed === 'not typist') {
      if (!this.#toldOfTypist) this.#tell(this.#typist());
      this.#toldOfTypist = true;
      return;
    }
    // Until the guest has read: what it does not read must not gather here.
    if (typed !== 'taken') this.parts.client.pause();
    if (typed === 'dropped') {
      this.#tell({ refused: 'The guest does not read what was typed before; this was dropped.' });
      return;
    }
    this.#received += bytes.length;
    this.parts.count.received += bytes.length;
  }

  #control(data: Buffer): void {
    const control = readControl(data);
    if (control === undefined) {
      this.end('policy', 'a text frame must be {"take":true} or {"break":true}; what is typed goes in binary frames');
      return;
    }
    if (!this.parts.mayType) this.#tell({ refused: 'This connection only looks.' });
    else if (control === 'take') this.#take();
    else if (this.line.typist !== null && this.line.typist !== this) this.#tell(this.#typist());
    else void this.parts.sendBreak().then((refused) => refused !== undefined && this.#tell({ refused }));
  }

  #take(): void {
    const before = this.line.typist;
    this.line.take(this);
    if (before !== null && before !== this) this.parts.takenOver(before.name);
  }

  #typist(): object {
    const { typist } = this.line;
    return { typist: typist?.name ?? null, you: typist === this };
  }

  #hasRoom(): boolean {
    return this.parts.client.bufferedAmount < unsentBound;
  }

  #sendKept(): void {
    const { output } = this.line;
    while (!this.#ended && this.#at < output.end && this.#hasRoom()) {
      const missed = output.start - this.#at;
      if (missed > 0) {
        this.#tell({ gap: missed });
        this.#at = output.start;
      }
      this.#send(output.read(this.#at, pieceBytes));
    }
  }

  #send(chunk: Buffer): void {
    this.#at += chunk.length;
    this.#sent += chunk.length;
    this.parts.count.sent += chunk.length;
    this.parts.client.send(chunk, { binary: true });
  }

  #tell(message: object): void {
    if (this.#ended) return;
    if (this.parts.client.bufferedAmount > mostUnsent) this.end('too-slow');
    else this.parts.client.send(JSON.stringify(message));
  }
}
