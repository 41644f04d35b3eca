import { returnValue, type ArgumentsOf, type CommandName, type OrOther, type ReturnOf } from './commands.js';
import { events, type EventStreamOptions, type EventSurroundings } from './event-stream.js';
import type { GatewayEvent } from './events.js';
import { GatewayHttp, type Fetch, type Token } from './gateway-http.js';
import { GatewayUnreachable } from './gateway-problem.js';
import { readJson } from './lossless-json.js';
import type { ApiRoot, FanOutLine, Grant, OperationList, OperationState, VmList } from './resources.js';
import { resourceDeadlineMs, VmClient } from './vm-client.js';
import type { WebSocketConstructor } from './websocket-events.js';

export interface GatewayClientOptions {
  /** Where the gateway listens, e.g. `https://gw.example.org`. */
  readonly url: string | URL;
  readonly token?: Token | undefined;
  /** Default: the global one. */
  readonly fetch?: Fetch | undefined;
  /** For `transport: 'websocket'`. Default: the global one, which Node before 22 does not have. */
  readonly WebSocket?: WebSocketConstructor | undefined;
}

/** Which VMs: ids as globs, labels by value; all that is given must fit. */
export interface VmSelection {
  readonly vm?: string | readonly string[] | undefined;
  readonly label?: Readonly<Record<string, string>> | undefined;
}

export interface FanOutOptions extends VmSelection {
  /** Of each VM: seconds, or a duration. */
  readonly timeout?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One gateway. Its methods throw `GatewayProblem` or `GatewayUnreachable`. */
export class GatewayClient {
  readonly #http: GatewayHttp;
  readonly #surroundings: EventSurroundings;

  constructor(options: GatewayClientOptions) {
    // A browser's fetch wants to be called on its window.
    const fetch = options.fetch ?? ((url, init) => globalThis.fetch(url, init));
    this.#http = new GatewayHttp(String(options.url).replace(/\/+$/, ''), options.token, fetch);
    this.#surroundings = { http: this.#http, WebSocket: options.WebSocket };
  }

  /** Name, version and capabilities of the gateway. */
  async about(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<ApiRoot> {
    return (await this.#get('/v1', new URLSearchParams(), options.signal)) as ApiRoot;
  }

  /** What the caller may do. Of one command: `VmClient.mayRun`. */
  async access(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<Grant> {
    return (await this.#get('/v1/access', new URLSearchParams(), options.signal)) as Grant;
  }

  /** The selected VMs (default: all), and the event position from which to follow what becomes of them. */
  async vms(options: VmSelection & { readonly signal?: AbortSignal | undefined } = {}): Promise<VmList> {
    return (await this.#get('/v1/vms', selectionQuery(options), options.signal)) as VmList;
  }

  /** What became of the caller's commands on the selected VMs (default: all), and of the work that goes on after them. */
  async operations(
    options: VmSelection & {
      readonly state?: OperationState | undefined;
      /** The newest so many; 1,000 unless told. */
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
   * One command for all selected VMs, an answer of each as it comes. A failure of one VM is its line, not an error.
   * @throws GatewayUnreachable also when the answers are cut off before the last
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
   * Events of all selected VMs, in order for each VM, over any loss of the connection: it is set up again and goes on
   * where it was. What can't be had any more is told by an event `gap`, which passes every filter.
   *
   * The stream starts with the first `next()`, after that position; `after` makes it start at another one
   * (`CommandAnswer.cursor`, `VmList.cursor`). Only a first connection that fails throws, and what makes going on
   * senseless: credentials that hold no longer.
   *
   * @throws GatewayProblem, GatewayUnreachable, or the reason of `signal`
   */
  events(options: EventStreamOptions = {}): AsyncGenerator<GatewayEvent, void, undefined> {
    return events(this.#surroundings, options);
  }

  async #get(path: string, query: URLSearchParams, signal: AbortSignal | undefined): Promise<unknown> {
    const { body } = await this.#http.request({ method: 'GET', path, query, deadlineMs: resourceDeadlineMs, signal });
    return body;
  }
}

/** As long as the gateway lets any command take: between two answers there may be silence. */
const fanOutDeadlineMs = 61 * 60_000;

function selectionQuery({ vm = [], label = {} }: VmSelection): URLSearchParams {
  const query = new URLSearchParams();
  for (const glob of [vm].flat()) query.append('vm', glob);
  for (const [key, value] of Object.entries(label)) query.append('label', `${key}=${value}`);
  return query;
}
