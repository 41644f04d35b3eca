import type { Socket } from 'node:net';
import type { DescriptorPassage } from './descriptor-passage.js';
import { LineSplitter, type LineSink, type WantedLines } from './line-splitter.js';

/** One message to the peer; this side never splits it over two writes. */
export interface OutgoingMessage {
  readonly text: string;
  /** Go with its first byte, in a write of its own; only where the channel {@link MessageChannel.passesDescriptors}. */
  readonly descriptors?: readonly number[];
  /** Called just before the text is handed to the kernel. */
  handingOver(): void;
}

export interface ChannelHost extends LineSink {
  /** The connection has ended, by the peer or by an error; called once, and not after `destroy()`. */
  disconnected(error: NodeJS.ErrnoException | null): void;
}

export interface ChannelOptions {
  /** Longest line accepted. */
  readonly lineBytes: number;
  /** Absent: all lines within that. */
  readonly wanted?: WantedLines;
  /** Whether one write may contain several messages; called for each. */
  readonly gathers: () => boolean;
  /**
   * The last byte of each write gets a TLS record of its own. QEMU (seen in 7.2) reads its monitor byte by byte and
   * waits for the socket to become readable each time: of the last record received it sees only the first byte.
   */
  readonly lastByteApart: boolean;
  readonly descriptorPassage?: DescriptorPassage | undefined;
}

const nothing = Buffer.alloc(0);

/**
 * Characters of messages gathered into one write: far below a socket's send buffer, so the kernel usually takes a write
 * whole.
 */
const gatheredLength = 16 * 1024;

/**
 * Messages to process before other sockets have their turn: from a server that floods, libuv would read up to 2 MiB at
 * once.
 */
const turnLines = 100;

/**
 * Messages over one connected socket: lines in, whole messages out. It contains nothing specific to QMP.
 *
 * Reading never pauses for longer than a turn of the event loop, because a server's memory grows while its monitor is
 * not drained. Writing pauses while the kernel accepts no more; messages then wait here, so that it is known which of
 * them were handed over.
 */
export class MessageChannel {
  readonly #socket: Socket;
  readonly #splitter: LineSplitter;
  readonly #options: ChannelOptions;
  #queue: OutgoingMessage[] = [];
  /** The rest of a chunk, for the next turn. */
  #unread: Buffer = nothing;
  #flushScheduled = false;
  /** The peer has ended, but some of its bytes are still unprocessed. */
  #peerEnded = false;
  #closed = false;
  /** Gives up the message with descriptors that is on its way; undefined while there is none. */
  #givesUp: (() => void) | undefined;

  constructor(socket: Socket, host: ChannelHost, options: ChannelOptions) {
    this.#socket = socket;
    this.#splitter = new LineSplitter(host, options.lineBytes, options.wanted);
    this.#options = options;
    let failure: NodeJS.ErrnoException | null = null;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', (error) => (failure = error));
    // Never half-close: some servers crash on it. The peer is gone, so there is nothing left to send.
    socket.on('end', () => {
      this.#peerEnded = true;
      // Newer releases of Node.js emit 'end' in the turn of the last bytes; process those in slices too.
      if (this.#unread === nothing) socket.destroy();
    });
    socket.on('close', () => {
      if (this.#closed) return;
      this.#readLast();
      this.#close();
      host.disconnected(failure);
    });
  }

  /** Bytes of the unfinished line; shows a peer that never ends its line. */
  get unfinished(): number {
    return this.#splitter.pending;
  }

  /** Messages may have descriptors. */
  get passesDescriptors(): boolean {
    return this.#options.descriptorPassage !== undefined;
  }

  /** Queues a message. Callers bound the queue: at most a window of commands. */
  send(message: OutgoingMessage): void {
    this.#queue.push(message);
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    // Write after this turn of the event loop, so that commands of several callers share a write.
    setImmediate(this.#flush);
  }

  /** Writes bytes outside the message stream, before any message. */
  sendRaw(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /**
   * Closes at once; messages not handed over yet never will be.
   * @param byReset closes a tcp connection by a reset instead of an end
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

  /** Bytes that arrived before a connection broke are still processed. */
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
    this.#givesUp?.();
    this.#givesUp = undefined;
    this.#splitter.stop();
  }

  readonly #flush = (): void => {
    this.#flushScheduled = false;
    // `writableLength` counts bytes that the kernel has not taken yet; the write's callback resumes here.
    while (this.#queue.length > 0 && this.#takesMore()) {
      const [{ descriptors = [] } = {}] = this.#queue;
      if (descriptors.length > 0) this.#pass(this.#take(), descriptors);
      else this.#write(this.#take());
    }
  };

  #takesMore(): boolean {
    if (this.#closed || this.#peerEnded || this.#givesUp !== undefined) return false;
    return this.#socket.writable && this.#socket.writableLength === 0;
  }

  readonly #flushIfQueued = (): void => {
    if (this.#queue.length > 0 && !this.#flushScheduled) this.#flush();
  };

  #write(text: string): void {
    const last = this.#options.lastByteApart ? text.length - 1 : 0;
    if (last > 0) this.#socket.write(text.slice(0, last), 'utf8');
    this.#socket.write(text.slice(last), 'utf8', this.#flushIfQueued);
  }

  /** Beside the socket, which has nothing unwritten now and gets nothing before this is done. */
  #pass(text: string, descriptors: readonly number[]): void {
    const failed = (error: Error): void => void this.#socket.destroy(error);
    try {
      this.#givesUp = this.#options.descriptorPassage?.pass(
        this.#socket,
        { bytes: Buffer.from(text), descriptors },
        (error) => {
          this.#givesUp = undefined;
          if (error === null) this.#flushIfQueued();
          else failed(error);
        },
      );
    } catch (error) {
      failed(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #take(): string {
    let count = 0;
    let text = '';
    for (const message of this.#queue) {
      const isAlone = message.descriptors !== undefined;
      if (count > 0 && (isAlone || !this.#options.gathers() || text.length + message.text.length > gatheredLength))
        break;
      message.handingOver();
      text += message.text;
      count++;
      if (isAlone) break;
    }
    this.#queue = count === this.#queue.length ? [] : this.#queue.slice(count);
    return text;
  }
}
