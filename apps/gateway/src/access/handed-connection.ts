import { Duplex } from 'node:stream';
import { accessPath, vmOfPath } from '../http/vm-path.js';
import { Problem } from '../problems/problem.js';
import type { Principal } from './principal.js';

/** What another node of the fleet says of a request that it hands over. */
export interface HandedRequest {
  readonly principal: Principal;
  /** The node that authenticated whoever asks. */
  readonly node: string;
  /** The VM of this node that it is about: a request about anything else is not taken. */
  readonly vm: string;
  /** The id that the operation of its command has. */
  readonly operation: string;
  /** Its command is not written later, by this node's monotonic clock; any time when undefined. */
  readonly notAfter: number | undefined;
  /** Both sides speak on after the answer. */
  readonly isUpgrade: boolean;
  /** Bytes that came behind the head of a request that came whole; undefined for any other. */
  readonly bodyBytes: number | undefined;
}

/** Where the bytes of a {@link HandedConnection} go. */
export interface HandedSink {
  /** @returns false when they have to wait: `drained` of the connection tells when more is taken */
  write(bytes: Uint8Array): boolean;
  end(bytes?: Uint8Array): void;
  /** One part that came has been used. */
  used(): void;
  /** It ended before its end. */
  broken(): void;
  /** The connection is gone, or carries another request from now on. */
  left(): void;
}

/** Bytes that are gathered before a writer has to wait. */
const mostGathered = 256 * 1024;

/**
 * The connection of a request that another node hands over: for Node's HTTP server and for WebSockets it is one as those
 * that listeners accept, though its bytes come by messages. It carries one request at a time.
 */
export class HandedConnection extends Duplex {
  readonly remoteAddress = undefined;
  #handed: HandedRequest;
  #sink: HandedSink;
  #isTaken = false;
  #unused = 0;
  #gathered: Uint8Array[] = [];
  #size = 0;
  #planned = false;
  #whenDrained: (() => void) | undefined;
  #ended = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(handed: HandedRequest, sink: HandedSink) {
    super({ allowHalfOpen: true });
    this.#handed = handed;
    this.#sink = sink;
  }

  /** What the other node says of the request that it carries. */
  get handed(): HandedRequest {
    return this.#handed;
  }

  /** Carries another request. @param sink what comes from now on goes there: the one before was {@link answered} */
  carry(handed: HandedRequest, sink: HandedSink): void {
    this.#handed = handed;
    this.#sink = sink;
    this.#isTaken = false;
    this.#unused = 0;
    this.#ended = false;
  }

  /**
   * The answer is whole: its last bytes go out with its end, though the connection stays.
   * @returns false when it does not stay, and its own end is that of the answer
   */
  answered(): boolean {
    if (this.destroyed || this.writableEnded || this.#ended) return false;
    this.#ended = true;
    this.#sink.end(this.#takeGathered());
    this.#sink.left();
    return true;
  }

  /**
   * Takes the request that it carries. @throws Problem `forbidden` for a second one, and for one that is not about the VM
   * that it was handed over for: whoever speaks for others speaks of one VM at a time
   */
  claim(path: string, query: string): HandedRequest {
    const { vm, node } = this.#handed;
    // A question what somebody may do may have its VM in the body; it runs nothing.
    const asked = path === accessPath ? (new URLSearchParams(query).get('vm') ?? vm) : undefined;
    const named = asked ?? vmOfPath(path);
    if (this.#isTaken || named !== vm) {
      const told = `Node ${node} handed over something else than one request about VM ${JSON.stringify(vm.slice(0, 128))}.`;
      throw new Problem('forbidden', told);
    }
    this.#isTaken = true;
    return this.#handed;
  }

  /** A part of what the other side sent. */
  receive(bytes: Uint8Array, isLast: boolean): void {
    this.#timer?.refresh();
    if (bytes.length === 0 || this.push(bytes)) this.#sink.used();
    else this.#unused++;
    // A request that is whole waits for its answer; the end of one who speaks on is the end.
    if (isLast && this.#handed.isUpgrade) this.push(null);
  }

  /** More is taken again. */
  drained(): void {
    const done = this.#whenDrained;
    this.#whenDrained = undefined;
    done?.();
  }

  override _read(): void {
    for (; this.#unused > 0; this.#unused--) this.#sink.used();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#timer?.refresh();
    this.#gathered.push(chunk);
    this.#size += chunk.length;
    if (this.#size >= mostGathered) {
      this.#flush(done);
      return;
    }
    if (!this.#planned) {
      this.#planned = true;
      // What ends in this turn goes as one piece with its end.
      setImmediate(() => {
        this.#planned = false;
        if (this.#size > 0 && !this.destroyed && !this.#ended) this.#flush(() => undefined);
      });
    }
    done();
  }

  override _final(done: () => void): void {
    if (!this.#ended) this.#sink.end(this.#takeGathered());
    this.#ended = true;
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.#timer);
    this.drained();
    if (!this.#ended) this.#sink.broken();
    this.#ended = true;
    this.#sink.left();
    done(error);
  }

  /** As of a socket: `timeout` is emitted after so many milliseconds in which nothing passed. */
  setTimeout(ms: number, listener?: () => void): this {
    clearTimeout(this.#timer);
    this.#timer = ms > 0 ? setTimeout(() => this.emit('timeout'), ms).unref() : undefined;
    if (listener !== undefined) {
      if (ms > 0) this.once('timeout', listener);
      else this.off('timeout', listener);
    }
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  /** Ends it when what was written is gone. */
  destroySoon(): void {
    if (this.writableFinished) this.destroy();
    else this.end(() => this.destroy());
  }

  #flush(done: () => void): void {
    if (this.#sink.write(this.#takeGathered() ?? Buffer.alloc(0))) done();
    else this.#whenDrained = done;
  }

  #takeGathered(): Uint8Array | undefined {
    const [first, ...others] = this.#gathered;
    if (first === undefined) return undefined;
    const all = others.length === 0 ? first : Buffer.concat(this.#gathered, this.#size);
    this.#gathered = [];
    this.#size = 0;
    return all;
  }
}
