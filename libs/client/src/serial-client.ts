import type { EventSurroundings } from './event-transport.js';
import { GatewayClosed, GatewayProblem, GatewayUnreachable } from './gateway-problem.js';
import { retryDelay, sleepUnlessAborted } from './retry-delay.js';
import { socketAddress, SocketInbox, webSocketOf, whyNoSocket } from './socket-inbox.js';
import { Watchdog } from './watchdog.js';

/** A part of what a serial line says, in its order. */
export type SerialPart =
  | { readonly kind: 'output'; readonly bytes: Uint8Array }
  /** So many bytes are missing here; null: nobody knows how many. */
  | { readonly kind: 'gap'; readonly bytes: number | null }
  /** Who types now. `you`: this stream does. */
  | { readonly kind: 'typist'; readonly typist: string | null; readonly you: boolean }
  /** What was asked for was not done. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** The connection was lost, or came back; what is written while there is none goes nowhere. */
  | { readonly kind: 'connection'; readonly open: boolean };

export interface SerialOptions {
  /** Go on after this position, as {@link SerialStream.position} or the header `Serial-Position` tells it. */
  readonly after?: string | undefined;
  /** Only look. Credentials of level `read` do so anyway. */
  readonly view?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

const subprotocol = 'qmp-gateway.serial.v1';
const deadlineMs = 45_000;
/** Close codes after which a new connection would end the same way. */
const finalCodes: ReadonlySet<number> = new Set([1008, 4401, 4404]);

interface SerialNews {
  readonly position?: string;
  readonly typist?: string | null;
  readonly you?: boolean;
  readonly gap?: number | null;
  readonly refused?: string;
}

/** One serial line of a VM. */
export class SerialClient {
  /** @param path of the line, encoded */
  constructor(
    readonly id: string,
    private readonly path: string,
    private readonly surroundings: EventSurroundings,
  ) {}

  /** What the gateway keeps of its output. @param options `bytes`: only the newest, as a number or `64KiB` */
  async text(
    options: { readonly bytes?: number | string | undefined; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { bytes, signal } = options;
    const query = new URLSearchParams(bytes === undefined ? {} : { bytes: String(bytes) });
    return this.surroundings.http.bytes({ method: 'GET', path: this.path, query, deadlineMs, signal }, 'text/plain');
  }

  /**
   * What the line said and says: iterate over it. It connects again after a loss, without a hole or with a `gap`.
   * @throws GatewayClosed while iterating, when the gateway ends it for good: no such line, credentials gone
   */
  connect(options: SerialOptions = {}): SerialStream {
    return new SerialStream(this.path, this.surroundings, options);
  }
}

/** A serial line over as many connections as necessary, for one consumer. */
export class SerialStream implements AsyncIterable<SerialPart> {
  readonly #ending = new AbortController();
  #inbox: SocketInbox | undefined;
  #run: string | undefined;
  #at = 0;

  /** @param path of the line, encoded */
  constructor(
    private readonly path: string,
    private readonly surroundings: EventSurroundings,
    private readonly options: SerialOptions,
  ) {}

  /** After the last part that was read; undefined before the first. */
  get position(): string | undefined {
    return this.#run === undefined ? this.options.after : `${this.#run}.${this.#at}`;
  }

  /**
   * Types. The first who types is the typist; while it is another, a part `typist` says so and nothing was typed.
   * @returns false when there is no connection: nothing was typed, and nothing is kept to be typed later
   */
  write(text: string | Uint8Array<ArrayBuffer>): boolean {
    return this.#inbox?.send(typeof text === 'string' ? new TextEncoder().encode(text) : text) ?? false;
  }

  /** Types from now on in place of whoever did. */
  take(): boolean {
    return this.#inbox?.send('{"take":true}') ?? false;
  }

  sendBreak(): boolean {
    return this.#inbox?.send('{"break":true}') ?? false;
  }

  /** Ends the iteration. */
  close(): void {
    this.#ending.abort();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<SerialPart, void, undefined> {
    const { random, sleep = sleepUnlessAborted } = this.surroundings;
    const { signal: given } = this.options;
    const signal = given === undefined ? this.#ending.signal : AbortSignal.any([given, this.#ending.signal]);
    const isClosed = (): boolean => this.#ending.signal.aborted;
    let wasConnected = false;
    try {
      for (let failures = 0; !isClosed(); failures++) {
        try {
          for await (const part of this.#once(signal)) {
            if (part.kind === 'connection') wasConnected = true;
            if (part.kind === 'output') failures = 0;
            yield part;
          }
        } catch (error) {
          if (isClosed()) return;
          if (given?.aborted === true || !wasConnected || !isLoss(error)) throw error;
        }
        if (wasConnected) yield { kind: 'connection', open: false };
        await sleep(retryDelay(failures, random), signal);
        given?.throwIfAborted();
      }
    } finally {
      this.#inbox?.close();
    }
  }

  async *#once(signal: AbortSignal): AsyncGenerator<SerialPart, void, undefined> {
    const { http, WebSocket } = this.surroundings;
    const { url, protocols } = await socketAddress(http, `${this.path}/stream${this.#query()}`, subprotocol);
    const watchdog = new Watchdog(signal);
    const inbox = new SocketInbox(new (webSocketOf(WebSocket))(url, protocols), watchdog);
    this.#inbox = inbox;
    try {
      if (!(await inbox.opened)) await whyNoSocket(http, deadlineMs, signal);
      for (;;) {
        const message = await inbox.next();
        if (message === undefined) break;
        yield* this.#read(message);
      }
      const { code, reason } = inbox.closing ?? { code: 1006, reason: 'the connection was lost' };
      throw new GatewayClosed(code, reason);
    } catch (error) {
      throw error instanceof GatewayClosed ? error : watchdog.explain(error);
    } finally {
      inbox.close();
      watchdog.end();
    }
  }

  #query(): string {
    const { position } = this;
    const query = new URLSearchParams({
      ...(position === undefined ? {} : { after: position }),
      ...(this.options.view === true ? { view: 'true' } : {}),
    }).toString();
    return query === '' ? '' : `?${query}`;
  }

  *#read(message: string | Uint8Array): Generator<SerialPart, void, undefined> {
    if (typeof message !== 'string') {
      this.#at += message.length;
      yield { kind: 'output', bytes: message };
      return;
    }
    const { position, typist, you = false, gap, refused } = JSON.parse(message) as SerialNews;
    if (position !== undefined) {
      const [run = '', at] = position.split('.');
      this.#run = run;
      this.#at = Number(at);
      yield { kind: 'connection', open: true };
    }
    if (typist !== undefined) yield { kind: 'typist', typist, you };
    if (gap !== undefined) {
      this.#at += gap ?? 0;
      yield { kind: 'gap', bytes: gap };
    }
    if (refused !== undefined) yield { kind: 'refused', reason: refused };
  }
}

function isLoss(error: unknown): boolean {
  if (error instanceof GatewayClosed) return !finalCodes.has(error.code);
  return error instanceof GatewayUnreachable || (error instanceof GatewayProblem && error.retryable);
}
