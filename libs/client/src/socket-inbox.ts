import type { WebSocketConstructor, WebSocketLike } from './event-transport.js';
import type { GatewayHttp } from './gateway-http.js';
import { GatewayUnreachable } from './gateway-problem.js';
import type { Watchdog } from './watchdog.js';

/**
 * Characters and bytes that the consumer has not read. Beyond this the client closes the connection, and connects again
 * once everything is read.
 */
const inboxBound = 16 * 1024 * 1024;

/** The constructor to use. @throws TypeError where the runtime has none */
export function webSocketOf(given: WebSocketConstructor | undefined): WebSocketConstructor {
  const Constructor = given ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket;
  if (Constructor === undefined) throw new TypeError('no global WebSocket: pass one to GatewayClient');
  return Constructor;
}

/** Where a WebSocket of the gateway is, and what to offer: the token goes as a sub-protocol, never in the address. */
export async function socketAddress(
  http: GatewayHttp,
  path: string,
  subprotocol: string,
): Promise<{ url: string; protocols: string[] }> {
  const token = await http.currentToken();
  return {
    url: `${http.url.replace(/^http/, 'ws')}${path}`,
    protocols: [subprotocol, ...(token === undefined ? [] : [`bearer.${token}`])],
  };
}

/** Messages of one socket, kept until they are read: texts, and bytes of binary frames. */
export class SocketInbox {
  /** False: there will be no connection. */
  readonly opened: Promise<boolean>;
  /** What the close said; undefined before, and where it said nothing. */
  closing: { readonly code: number; readonly reason: string } | undefined;
  readonly #inbox: (string | Uint8Array)[] = [];
  #inboxSize = 0;
  #taken = 0;
  #state: 'connecting' | 'open' | 'closed' = 'connecting';
  #arrived: () => void = () => undefined;

  /** @param silenceMs after which an open connection counts as lost; undefined where silence means nothing */
  constructor(
    private readonly socket: WebSocketLike,
    private readonly watchdog: Watchdog,
    private readonly silenceMs?: number,
  ) {
    socket.binaryType = 'arraybuffer';
    this.#arm();
    this.opened = new Promise((resolve) => {
      socket.addEventListener('open', () => {
        if (this.#state === 'connecting') this.#state = 'open';
        resolve(this.#state === 'open');
      });
      const ended = (): void => {
        this.#end();
        resolve(false);
      };
      socket.addEventListener('error', ended);
      socket.addEventListener('close', (event) => {
        const { code, reason } = event as { code?: number; reason?: string };
        if (code !== undefined) this.closing = { code, reason: reason ?? '' };
        ended();
      });
      watchdog.signal.addEventListener('abort', ended);
      if (watchdog.signal.aborted) ended();
    });
    socket.addEventListener('message', (event) => this.#receive((event as { data?: unknown }).data));
  }

  /** @returns false where there is no connection: nothing was sent, and nothing is kept to be sent */
  send(data: string | Uint8Array<ArrayBuffer>): boolean {
    if (this.#state !== 'open') return false;
    this.socket.send(data);
    return true;
  }

  close(): void {
    this.#end();
  }

  /** The next message; undefined when the connection is gone and everything is read. */
  async next(): Promise<string | Uint8Array | undefined> {
    if (this.#taken === this.#inbox.length && this.#state === 'open') {
      this.#arm();
      await new Promise<void>((resolve) => (this.#arrived = resolve));
    }
    this.watchdog.disarm();
    if (this.watchdog.signal.aborted) throw new GatewayUnreachable('the connection was given up');
    const message = this.#inbox[this.#taken];
    if (message === undefined) return undefined;
    this.#inboxSize -= message.length;
    this.#taken++;
    if (this.#taken === this.#inbox.length) {
      this.#inbox.length = 0;
      this.#taken = 0;
    }
    return message;
  }

  #arm(): void {
    if (this.silenceMs !== undefined) this.watchdog.arm(this.silenceMs);
  }

  #receive(data: unknown): void {
    const message = data instanceof ArrayBuffer ? new Uint8Array(data) : data;
    if (this.#state !== 'open' || (typeof message !== 'string' && !(message instanceof Uint8Array))) return;
    this.#inbox.push(message);
    this.#inboxSize += message.length;
    if (this.#inboxSize > inboxBound) this.#end();
    this.#arrived();
  }

  #end(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.socket.close();
    this.#arrived();
  }
}

/**
 * Finds out why there is no WebSocket: browsers do not say, so this sends the same credentials over HTTP.
 * @throws always
 */
export async function whyNoSocket(
  http: GatewayHttp,
  deadlineMs: number,
  signal: AbortSignal | undefined,
): Promise<never> {
  await http.request({ method: 'GET', path: '/v1/access', deadlineMs, signal });
  throw new GatewayUnreachable('the WebSocket could not be opened');
}
