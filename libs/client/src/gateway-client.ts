import { returnValue, type ArgumentsOf, type CommandName, type OrOther, type ReturnOf } from './commands.js';
import { eventQuery, events, type EventStreamOptions } from './event-stream.js';
import type { EventSurroundings } from './event-transport.js';
import { gatewayEvent, type EventHistory, type GatewayEvent } from './events.js';
import { GatewayHttp, type Fetch, type HttpRequest, type Token } from './gateway-http.js';
import { GatewayUnreachable } from './gateway-problem.js';
import { readJson } from './lossless-json.js';
import type { ApiRoot, NewToken, Node, Token as StoredToken, TokenRequest, VmList } from './generated/gateway-types.js';
import type { FanOutLine, Grant, OperationList, OperationState } from './gateway-types.js';
import { resourceDeadlineMs, VmClient } from './vm-client.js';
import type { WebSocketConstructor } from './event-transport.js';

export interface GatewayClientOptions {
  /** Address of the gateway, e.g. `https://gw.example.org`. */
  readonly url: string | URL;
  readonly token?: Token | undefined;
  /** Default: the global one. */
  readonly fetch?: Fetch | undefined;
  /** For `transport: 'websocket'`. Default: the global one, which Node.js before 22 does not have. */
  readonly WebSocket?: WebSocketConstructor | undefined;
}

/** Selects VMs: ids as globs, labels by value; all given conditions must match. */
export interface VmSelection {
  readonly vm?: string | readonly string[] | undefined;
  readonly label?: Readonly<Record<string, string>> | undefined;
}

export interface FanOutOptions extends VmSelection {
  /** Deadline for each VM: seconds, or a duration. */
  readonly timeout?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One gateway. Its methods throw `GatewayProblem` or `GatewayUnreachable`. */
export class GatewayClient {
  readonly #http: GatewayHttp;
  readonly #surroundings: EventSurroundings;

  constructor(options: GatewayClientOptions) {
    // A browser's fetch must be called on its window.
    const fetch = options.fetch ?? ((url, init) => globalThis.fetch(url, init));
    this.#http = new GatewayHttp(String(options.url).replace(/\/+$/, ''), options.token, fetch);
    this.#surroundings = { http: this.#http, WebSocket: options.WebSocket };
  }

  /** Name, version and capabilities of the gateway. */
  async about(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<ApiRoot> {
    return (await this.#get('/v1', new URLSearchParams(), options.signal)) as ApiRoot;
  }

  /** What the caller may do. For one command: `VmClient.mayRun`. */
  async access(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<Grant> {
    return (await this.#get('/v1/access', new URLSearchParams(), options.signal)) as Grant;
  }

  /** The selected VMs (default: all), and the event cursor from which to follow their changes. */
  async vms(options: VmSelection & { readonly signal?: AbortSignal | undefined } = {}): Promise<VmList> {
    return (await this.#get('/v1/vms', selectionQuery(options), options.signal)) as VmList;
  }

  /** The caller's commands on the selected VMs (default: all) with their outcome, and the work that they started. */
  async operations(
    options: VmSelection & {
      readonly state?: OperationState | undefined;
      /** At most this many, the newest; default 1,000. */
      readonly limit?: number | undefined;
      readonly signal?: AbortSignal | undefined;
    } = {},
  ): Promise<OperationList> {
    const query = selectionQuery(options);
    if (options.state !== undefined) query.append('state', options.state);
    if (options.limit !== undefined) query.append('limit', String(options.limit));
    return (await this.#get('/v1/operations', query, options.signal)) as OperationList;
  }

  vm(id: string): VmClient {
    return new VmClient(id, this.#http, this.#surroundings);
  }

  /**
   * Runs one command on all selected VMs and yields each answer as it arrives. A failure of one VM is its line, not an
   * error.
   * @throws GatewayUnreachable also if the answers end before the last one
   */
  async *fanOut<C extends OrOther<CommandName>>(
    command: C,
    args: ArgumentsOf<C> | undefined,
    options: FanOutOptions,
  ): AsyncGenerator<FanOutLine<ReturnOf<C>>, void, undefined> {
    const query = selectionQuery(options);
    if (options.timeout !== undefined) query.append('timeout', options.timeout);
    const path = `/v1/qmp/${encodeURIComponent(command)}`;
    const { signal } = options;
    const request = { method: 'POST', path, query, body: args, deadlineMs: fanOutDeadlineMs, signal } as const;
    for await (const lines of this.#http.lines(request, 'application/x-ndjson')) {
      for (const text of lines) {
        const line = readJson(text) as FanOutLine<ReturnOf<C>> | { end: true };
        if ('end' in line) return;
        yield 'problem' in line ? line : { ...line, return: returnValue(command, line.return) };
      }
    }
    throw new GatewayUnreachable('the answers were cut off before the last');
  }

  /**
   * Events of all selected VMs, in order for each VM. After any loss of the connection the client connects again and
   * resumes where it was. An event `gap`, which passes every filter, reports events that are no longer kept.
   *
   * The stream starts with the first `next()`, at the current position, or `after` another cursor
   * (`CommandAnswer.cursor`, `VmList.cursor`). It throws only if the first connection fails, or if resuming is
   * pointless because the credentials are no longer valid.
   *
   * @throws GatewayProblem, GatewayUnreachable, or the reason of `signal`
   */
  events(options: EventStreamOptions = {}): AsyncGenerator<GatewayEvent, void, undefined> {
    return events(this.#surroundings, options);
  }

  /**
   * One page of the events that are kept, the oldest first; `cursor` is where the next page begins.
   * @param options `limit`: at most this many, default 1,000
   * @throws GatewayProblem `cursor-expired` if events after `after` are no longer kept
   */
  async eventHistory(
    options: Pick<EventStreamOptions, 'vm' | 'event' | 'label' | 'after' | 'signal'> & {
      readonly limit?: number | undefined;
      /** In place of `after`: only what was received within this time until now (`1h`). */
      readonly since?: string | undefined;
    } = {},
  ): Promise<EventHistory> {
    const query = eventQuery(options);
    if (options.since !== undefined) query.append('since', options.since);
    if (options.limit !== undefined) query.append('limit', String(options.limit));
    const page = (await this.#get('/v1/events', query, options.signal)) as EventHistory;
    return { ...page, events: page.events.map(gatewayEvent) };
  }

  /** The nodes of a fleet; without a fleet the gateway itself. */
  async nodes(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<readonly Node[]> {
    const { nodes } = (await this.#get('/v1/nodes', new URLSearchParams(), options.signal)) as { nodes: Node[] };
    return nodes;
  }

  /** The tokens that the caller manages: all for level `host`, otherwise those that it made. Never the secrets. */
  async tokens(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<readonly StoredToken[]> {
    const list = (await this.#get('/v1/tokens', new URLSearchParams(), options.signal)) as { tokens: StoredToken[] };
    return list.tokens;
  }

  /** Makes a token, within what the caller may do. Its `token` is shown this once. */
  async createToken(
    request: TokenRequest,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<NewToken> {
    const { signal } = options;
    return (await this.#send({ method: 'POST', path: '/v1/tokens', body: request, signal })) as NewToken;
  }

  /** Ends a token, in all nodes of a fleet. */
  async revokeToken(id: string, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    await this.#send({ method: 'DELETE', path: `/v1/tokens/${encodeURIComponent(id)}`, signal: options.signal });
  }

  /** The newest records of the audit log, the newest last. For level `host`. */
  async auditTail(
    options: { readonly limit?: number | undefined; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const query = new URLSearchParams(options.limit === undefined ? {} : { limit: String(options.limit) });
    const body = await this.#get('/v1/audit', query, options.signal);
    return (body as { records: Record<string, unknown>[] }).records;
  }

  /** What Prometheus reads, in its text format. For whoever sees all VMs. */
  async metrics(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<string> {
    const request = { method: 'GET', path: '/metrics', deadlineMs: resourceDeadlineMs, ...options } as const;
    return new TextDecoder().decode(await this.#http.bytes(request, 'text/plain'));
  }

  /** Exchanges the one-time code that this client was made with, in place of a token, for a token. */
  async signIn(): Promise<NewToken> {
    return (await this.#send({ method: 'POST', path: '/v1/session/token' })) as NewToken;
  }

  #get(path: string, query: URLSearchParams, signal: AbortSignal | undefined): Promise<unknown> {
    return this.#send({ method: 'GET', path, query, signal });
  }

  async #send(request: Omit<HttpRequest, 'deadlineMs'>): Promise<unknown> {
    return (await this.#http.request({ deadlineMs: resourceDeadlineMs, ...request })).body;
  }
}

/** The longest deadline of any command: between two answers there may be silence. */
const fanOutDeadlineMs = 61 * 60_000;

function selectionQuery({ vm = [], label = {} }: VmSelection): URLSearchParams {
  const query = new URLSearchParams();
  for (const glob of [vm].flat()) query.append('vm', glob);
  for (const [key, value] of Object.entries(label)) query.append('label', `${key}=${value}`);
  return query;
}
