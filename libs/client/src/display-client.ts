import type { EventSurroundings, WebSocketLike } from './event-transport.js';
import type { Display } from './generated/gateway-types.js';
import { socketAddress, webSocketOf } from './socket-inbox.js';

/** How a display is opened. */
export interface DisplayOptions {
  /** Only look. Credentials of level `read` do so anyway. */
  readonly view?: boolean | undefined;
  /** Type in place of whoever types now, who is closed with 4409. */
  readonly take?: boolean | undefined;
}

const resourceDeadlineMs = 60_000;

/** One display of a VM. */
export class DisplayClient {
  /** @param path of the display, encoded */
  constructor(
    readonly id: string,
    private readonly path: string,
    private readonly surroundings: EventSurroundings,
  ) {}

  /** Makes it available where the VM was started with `-vnc none`. @throws GatewayProblem `no-display` */
  async open(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<Display> {
    const request = { method: 'POST', path: this.path, deadlineMs: resourceDeadlineMs, ...options } as const;
    return (await this.surroundings.http.request(request)).body as Display;
  }

  /** Address and sub-protocols of its WebSocket, for programs that connect themselves. */
  async address({ view, take }: DisplayOptions = {}): Promise<{ url: string; protocols: string[] }> {
    const query = new URLSearchParams({
      ...(view === true ? { view: 'true' } : {}),
      ...(take === true ? { take: 'true' } : {}),
    }).toString();
    return socketAddress(this.surroundings.http, `${this.path}/rfb${query === '' ? '' : `?${query}`}`, 'binary');
  }

  /**
   * A WebSocket with RFB, still connecting, as noVNC takes it: `new RFB(element, await display.connect())`. The first bytes
   * are the display's, so take it over at once. Its `close` event has a code and a reason: 1001, 1012 and 4408 mean to come
   * back, 4409 that somebody else types.
   */
  async connect(options: DisplayOptions = {}): Promise<WebSocketLike> {
    const { url, protocols } = await this.address(options);
    return new (webSocketOf(this.surroundings.WebSocket))(url, protocols);
  }
}
