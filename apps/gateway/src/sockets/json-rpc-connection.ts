import { systemClock, type Clock } from '@qmp-gateway/qmp';
import type { WebSocket } from 'ws';
import type { CommandAnswer, CommandRequest } from '../commands/command-request.js';
import { longestIdempotencyKey } from '../commands/controls.js';
import { notificationEncoding, textFrame, textFrameAround, textFrameHeader } from '../events/encodings.js';
import { longestCoalesceMs, parseEventGlobs } from '../events/event-query.js';
import { sliceBytes, type EndReason, type Sink, type Subscription } from '../events/subscriber.js';
import { asProblem, Problem, problemBody } from '../problems/problem.js';
import { parseVmSelector } from '../access/vm-selector.js';
import { closeClient, type CloseReason } from '../upgrades/close-codes.js';
import { GatheringWriter } from './gathering-writer.js';
import { Heartbeat, type HeartbeatOwner } from '../upgrades/heartbeat.js';
import { errorCodes, JsonRpcError, readRequest, type JsonRpcRequest } from './json-rpc-message.js';
import { namesOf } from '../http/resource/shape.js';
import { JsonRpcParams } from './json-rpc-params.js';
import { ExecuteParams, SubscribeParams, UnsubscribeParams, VmsParams } from './json-rpc-shapes.js';
import type { Leaver, SocketConnection } from '../upgrades/socket-connection.js';
import type { SocketParts } from './socket-parts.js';

/** Number of unanswered requests; beyond it the next ones wait unread. */
const inFlightBound = 256;
/** Bytes of answers that the client has not read; beyond it requests are not read. */
const unsentBound = 8 * 1024 * 1024;
const subscriptionsBound = 100;
/** Results up to this size are copied into one piece with their frame. */
const copyBytes = 16 * 1024;

const endReasons: Readonly<Record<Exclude<EndReason, 'shutdown'>, CloseReason>> = {
  'too-slow': 'too-slow',
  credentials: 'credentials-expired',
};

type Answer = (result: Buffer | string) => void;
type Method = (request: JsonRpcRequest, answer: Answer) => void;

/** One client of `/v1/ws`: JSON-RPC 2.0, requests pipelined, answers in any order. */
export class JsonRpcConnection implements Sink, Leaver, HeartbeatOwner {
  readonly #clock: Clock;
  readonly #writer: GatheringWriter;
  readonly #requestPrefix: string;
  readonly #subscriptions = new Map<number, Subscription>();
  /** Messages of a chunk that came in before reading stopped. */
  readonly #waiting: Buffer[] = [];
  readonly #methods: Readonly<Record<string, Method>> = {
    execute: (request, answer) => this.#execute(request, answer),
    subscribe: (request, answer) => this.#subscribe(request, answer),
    unsubscribe: (request, answer) => this.#unsubscribe(request, answer),
    vms: (request, answer) => this.#vms(request, answer),
    ping: (request, answer) => {
      new JsonRpcParams(request, []).check();
      answer('{}');
    },
  };
  #inFlight = 0;
  #commands = 0;
  #lastSubscription = 0;
  #leaving = false;

  constructor(
    private readonly client: WebSocket,
    private readonly connection: SocketConnection,
    private readonly parts: SocketParts,
  ) {
    this.#clock = parts.clock ?? systemClock;
    const { socket, principal, requestId } = connection;
    this.#requestPrefix = `${requestId.slice(0, 110)}.`;
    this.#writer = new GatheringWriter(socket);
    new Heartbeat({ client, socket, principal, clock: this.#clock, owner: this });
    parts.leavers.add(this);
    client.on('message', (data: Buffer, isBinary: boolean) => this.#receive(data, isBinary));
    client.on('close', () => this.#closed());
    socket.on('drain', () => this.#drained());
  }

  /** Frames of a subscription, made for all who get the same. */
  write(frames: Buffer): boolean {
    this.#writer.write(frames);
    return this.connection.socket.writableLength < sliceBytes;
  }

  end(reason: EndReason): void {
    if (reason === 'shutdown') this.leave();
    else this.#close(endReasons[reason], reason);
  }

  heartStopped(reason: CloseReason): void {
    this.#close(reason, reason);
  }

  /** Answers requests in flight, and refuses new ones. */
  leave(): void {
    this.#leaving = true;
    this.#leaveWhenIdle();
  }

  #leaveWhenIdle(): void {
    if (this.#leaving && this.#inFlight === 0) this.#close('going-away', 'the gateway stops');
  }

  #close(reason: CloseReason, text: string): void {
    this.#writer.end();
    this.#waiting.length = 0;
    closeClient(this.client, reason, text, this.#clock);
  }

  #closed(): void {
    this.parts.leavers.delete(this);
    this.#waiting.length = 0;
    for (const subscription of this.#subscriptions.values()) subscription.close();
    this.#subscriptions.clear();
  }

  #drained(): void {
    for (const subscription of this.#subscriptions.values()) subscription.drained();
    this.#readOn();
  }

  get #isFull(): boolean {
    return this.#inFlight >= inFlightBound || this.#writer.unsent > unsentBound;
  }

  #receive(data: Buffer, isBinary: boolean): void {
    // Messages between this side's close and the client's run nothing: the client may have been closed for a reason.
    if (this.client.readyState !== this.client.OPEN) return;
    if (isBinary) {
      this.#close('policy', 'text frames only');
    } else if (this.#isFull || this.#waiting.length > 0) {
      this.#waiting.push(data);
      this.client.pause();
    } else this.#handle(data);
  }

  #readOn(): void {
    while (!this.#isFull) {
      const data = this.#waiting.shift();
      if (data === undefined) break;
      this.#handle(data);
    }
    if (this.client.isPaused && this.#waiting.length === 0 && !this.#isFull) this.client.resume();
  }

  #handle(data: Buffer): void {
    let request: JsonRpcRequest | undefined;
    try {
      request = readRequest(data);
      const method = Object.hasOwn(this.#methods, request.method) ? this.#methods[request.method] : undefined;
      if (method === undefined)
        throw new JsonRpcError(
          errorCodes.methodNotFound,
          `there is no method ${JSON.stringify(request.method.slice(0, 100))}; there are ${Object.keys(this.#methods).join(', ')}`,
        );
      if (this.#leaving) throw new Problem('shutting-down', 'The gateway is stopping.');
      const { id } = request;
      method(request, (result) => this.#answer(id, result));
    } catch (error) {
      this.#refuse(request === undefined ? 'null' : request.id, error);
    }
  }

  #answer(id: string | undefined, result: Buffer | string): void {
    if (id === undefined) return;
    const head = `{"jsonrpc":"2.0","id":${id},"result":`;
    if (typeof result === 'string') this.#writer.gather(textFrame(`${head}${result}}`));
    else if (result.length <= copyBytes) this.#writer.gather(textFrameAround(head, result, '}'));
    else {
      const start = Buffer.from(head);
      this.#writer.gather(textFrameHeader(start.length + result.length + 1), start, result, closingBrace);
    }
  }

  #refuse(id: string | undefined, thrown: unknown): void {
    let error: { code: number; message: string; data?: unknown };
    if (thrown instanceof JsonRpcError) {
      const { code, message, data } = thrown;
      id = thrown.id ?? id;
      error = { code, message, ...(data === undefined ? {} : { data }) };
    } else {
      if (!(thrown instanceof Problem)) this.parts.fault(thrown, this.connection);
      const problem = asProblem(thrown);
      error = { code: errorCodes.problem, message: problem.detail, data: problemBody(problem) };
    }
    if (id !== undefined)
      this.#writer.gather(textFrame(`{"jsonrpc":"2.0","id":${id},"error":${JSON.stringify(error)}}`));
  }

  #execute(request: JsonRpcRequest, answer: Answer): void {
    const params = new JsonRpcParams(request, executeParams);
    const vm = params.required('vm');
    const name = params.required('command');
    const json = params.raw('arguments');
    const { principal, traceparent } = this.connection;
    const command: CommandRequest = {
      principal,
      traceparent,
      requestId: `${this.#requestPrefix}${++this.#commands}`,
      entrance: 'json-rpc',
      vm,
      command: name,
      arguments: json === undefined ? { kind: 'none' } : { kind: 'json', json },
      arrivedAt: this.#clock.now(),
      outOfBand: params.boolean('oob'),
      timeoutMs: params.duration('timeout'),
      dryRun: params.boolean('dryRun'),
      int64: params.oneOf('int64', ['string', 'number']),
      idempotencyKey: params.shortString('idempotencyKey', longestIdempotencyKey),
      epoch: params.string('epoch'),
    };
    params.check();
    this.#inFlight++;
    this.parts.path.execute(command, { answered: (outcome) => this.#executed(request.id, outcome, answer) });
  }

  #executed(id: string | undefined, outcome: CommandAnswer, answer: Answer): void {
    this.#inFlight--;
    if (outcome.ok) answer(outcome.json);
    else this.#refuse(id, outcome.problem);
    if (this.client.isPaused) this.#readOn();
    this.#leaveWhenIdle();
  }

  /** An entry of a fleet that is behind the given cursor catches up first. */
  #subscribe(request: JsonRpcRequest, answer: Answer): void {
    const asked = new JsonRpcParams(request, subscribeParams);
    const hub = this.parts.events.of(asked.oneOf('scope', ['node']));
    const waiting = this.parts.events.reached(hub, asked.string('after'));
    if (waiting === undefined) this.#subscribeNow(request, answer);
    else {
      this.#inFlight++;
      void waiting.then(() => this.#subscribeLater(request, answer));
    }
  }

  #subscribeLater(request: JsonRpcRequest, answer: Answer): void {
    this.#inFlight--;
    try {
      if (this.client.readyState === this.client.OPEN) this.#subscribeNow(request, answer);
    } catch (error) {
      this.#refuse(request.id, error);
    }
    if (this.client.isPaused) this.#readOn();
    this.#leaveWhenIdle();
  }

  #subscribeNow(request: JsonRpcRequest, answer: Answer): void {
    const params = new JsonRpcParams(request, subscribeParams);
    const { selector, faults } = parseVmSelector(params.strings('vm'), params.strings('label'));
    const { globs, faults: eventFaults } = parseEventGlobs(params.strings('event'), '/event');
    params.faults.push(...faults, ...eventFaults);
    const text = params.string('after');
    const hub = this.parts.events.of(params.oneOf('scope', ['node']));
    const after = text === undefined || text === 'oldest' ? text : hub.readCursor(text);
    if (text !== undefined && after === undefined)
      params.faults.push({ pointer: '/after', message: 'must be the cursor of an event' });
    const coalesceMs = params.duration('coalesce', longestCoalesceMs);
    const int64 = params.oneOf('int64', ['string', 'number']);
    params.check();
    if (this.#subscriptions.size >= subscriptionsBound)
      throw new Problem('too-many-requests', `A connection holds ${subscriptionsBound} subscriptions at most.`);
    const subscription = ++this.#lastSubscription;
    const subscribed = hub.subscribe({
      principal: this.connection.principal,
      filter: { selector, events: globs },
      after,
      coalesceMs,
      encoding: notificationEncoding(subscription),
      sink: this,
      ...(int64 === undefined ? {} : { int64 }),
    });
    this.#subscriptions.set(subscription, subscribed);
    answer(`{"subscription":${subscription},"cursor":"${subscribed.cursor}"}`);
  }

  #unsubscribe(request: JsonRpcRequest, answer: Answer): void {
    const params = new JsonRpcParams(request, unsubscribeParams);
    const number = params.integer('subscription');
    const subscription = number === undefined ? undefined : this.#subscriptions.get(number);
    if (params.faults.length === 0 && subscription === undefined)
      params.faults.push({ pointer: '/subscription', message: 'no subscription of this connection has this number' });
    params.check();
    subscription?.close();
    if (number !== undefined) this.#subscriptions.delete(number);
    answer('{}');
  }

  #vms(request: JsonRpcRequest, answer: Answer): void {
    const params = new JsonRpcParams(request, vmsParams);
    const { selector, faults } = parseVmSelector(params.strings('vm'), params.strings('label'));
    params.faults.push(...faults);
    params.check();
    const { rows } = this.parts.directory.list(this.connection.principal, selector);
    answer(`{"vms":[${rows.join(',')}],"cursor":"${this.parts.events.head()}"}`);
  }
}

const executeParams = namesOf(ExecuteParams);
const subscribeParams = namesOf(SubscribeParams);
const unsubscribeParams = namesOf(UnsubscribeParams);
const vmsParams = namesOf(VmsParams);
const closingBrace = Buffer.from('}');
