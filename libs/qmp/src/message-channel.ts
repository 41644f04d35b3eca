import type { Socket } from 'node:net';
import { LineSplitter, type LineSink, type WantedLines } from './line-splitter.js';

/** One message to the peer; never split over two writes by us. */
export interface OutgoingMessage {
  readonly text: string;
  /** Called just before the text is handed to the kernel. */
  handingOver(): void;
}

export interface ChannelHost extends LineSink {
  /** The connection is over, by its peer or by a fault; called once, not after `destroy()`. */
  disconnected(error: NodeJS.ErrnoException | null): void;
}

export interface ChannelOptions {
  /** Longest line taken. */
  readonly lineBytes: number;
  /** Absent: all lines inside that. */
  readonly wanted?: WantedLines;
  /** Whether several messages may go out in one write; asked at each. */
  readonly gathers: () => boolean;
  /**
   * The last byte of each write gets a TLS record of its own. QEMU (seen in 7.2) reads its monitor byte by byte and
   * waits for the socket to be readable each time: of the last record received it sees only the first byte.
   */
  readonly lastByteApart: boolean;
}

const nothing = Buffer.alloc(0);

/** Messages gathered into one write, in characters: far below a socket's send buffer, so a write is seldom left over. */
const gatheredLength = 16 * 1024;

/** Messages taken before other sockets have their turn: of a server that floods, libuv would read up to 2 MiB at once. */
const turnLines = 100;

/**
 * Messages over one connected socket: lines in, whole messages out. It knows nothing of QMP.
 *
 * Reading never stops for longer than a turn: a server's memory grows while its monitor is not drained. Writing stops while the kernel takes
 * no more; messages then wait here, so that it is known which of them were handed over.
 */
export class MessageChannel {
  readonly #socket: Socket;
  readonly #splitter: LineSplitter;
  readonly #options: ChannelOptions;
  #queue: OutgoingMessage[] = [];
  /** What is left of a chunk for the next turn. */
  #unread: Buffer = nothing;
  #flushScheduled = false;
  /** The peer says nothing more, while some of what it said is still unread. */
  #peerEnded = false;
  #closed = false;

  constructor(socket: Socket, host: ChannelHost, options: ChannelOptions) {
    this.#socket = socket;
    this.#splitter = new LineSplitter(host, options.lineBytes, options.wanted);
    this.#options = options;
    let failure: NodeJS.ErrnoException | null = null;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', (error) => (failure = error));
    // Never half-close: some servers crash on it. The peer is gone, so nothing is left to say.
    socket.on('end', () => {
      this.#peerEnded = true;
      // Newer releases of Node tell the end in the turn of the last bytes; those are taken in slices like all others.
      if (this.#unread === nothing) socket.destroy();
    });
    socket.on('close', () => {
      if (this.#closed) return;
      this.#readLast();
      this.#close();
      host.disconnected(failure);
    });
  }

  /** Bytes of an unfinished line; a peer that never ends one is known by it. */
  get unfinished(): number {
    return this.#splitter.pending;
  }

  /** Queues a message. The queue is bounded by its callers: at most a window of commands. */
  send(message: OutgoingMessage): void {
    this.#queue.push(message);
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    // After this turn of the event loop, so that commands of several callers share a write.
    setImmediate(this.#flush);
  }

  /** Bytes outside the message stream, before any message. */
  sendRaw(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /**
   * Closes at once; messages not handed over never are.
   * @param byReset of a tcp connection: the peer is told of a reset, not of an end
   */
  destroy(byReset = false): void {
    if (this.#closed) return;
    this.#close();
    if (byReset) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    const taken = this.#splitter.feed(chunk, turnLines);
    this.#unread = taken === chunk.length ? nothing : chunk.subarray(taken);
    if (this.#unread === nothing) return;
    this.#socket.pause();
    setImmediate(() => {
      const rest = this.#unread;
      this.#unread = nothing;
      if (rest !== nothing) this.#read(rest);
      if (this.#unread !== nothing) return;
      if (this.#peerEnded) this.#socket.destroy();
      else this.#socket.resume();
    });
  }

  /** A connection that breaks leaves behind what had come before. */
  #readLast(): void {
    this.#splitter.feed(this.#unread);
    this.#unread = nothing;
    for (let chunk = this.#leftInSocket(); chunk !== null; chunk = this.#leftInSocket()) this.#splitter.feed(chunk);
  }

  #leftInSocket(): Buffer | null {
    return this.#socket.read() as Buffer | null;
  }

  #close(): void {
    this.#closed = true;
    this.#queue = [];
    this.#splitter.stop();
  }

  readonly #flush = (): void => {
    this.#flushScheduled = false;
    // `writableLength` is what the kernel has not taken yet; the write's callback comes back here.
    while (this.#queue.length > 0 && this.#takesMore()) this.#write(this.#take());
  };

  #takesMore(): boolean {
    return !this.#closed && !this.#peerEnded && this.#socket.writable && this.#socket.writableLength === 0;
  }

  readonly #flushIfQueued = (): void => {
    if (this.#queue.length > 0 && !this.#flushScheduled) this.#flush();
  };

  #write(text: string): void {
    const last = this.#options.lastByteApart ? text.length - 1 : 0;
    if (last > 0) this.#socket.write(text.slice(0, last), 'utf8');
    this.#socket.write(text.slice(last), 'utf8', this.#flushIfQueued);
  }

  #take(): string {
    let count = 0;
    let text = '';
    for (const message of this.#queue) {
      if (count > 0 && (!this.#options.gathers() || text.length + message.text.length > gatheredLength)) break;
      message.handingOver();
      text += message.text;
      count++;
    }
    this.#queue = count === this.#queue.length ? [] : this.#queue.slice(count);
    return text;
  }
}
