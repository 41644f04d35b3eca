import { systemClock, type Clock } from '@qmp-gateway/qmp';
import type { WebSocket } from 'ws';
import type { CommandAnswer, CommandRequest } from '../commands/command-request.js';
import { longestIdempotencyKey } from '../commands/controls.js';
import { notificationEncoding, textFrame, textFrameAround, textFrameHeader } from '../events/encodings.js';
import type { Subscription } from '../events/event-hub.js';
import { longestCoalesceMs, parseEventGlobs } from '../events/event-query.js';
import { sliceBytes, type EndReason, type Sink } from '../events/subscriber.js';
import { asProblem, Problem, problemBody } from '../problems/problem.js';
import { parseVmSelector } from '../vms/vm-selector.js';
import { closeClient, type CloseReason } from './close-codes.js';
import { GatheringWriter } from './gathering-writer.js';
import { Heartbeat } from './heartbeat.js';
import { errorCodes, JsonRpcError, readRequest, type JsonRpcRequest } from './json-rpc-message.js';
import { JsonRpcParams } from './json-rpc-params.js';
import type { Leaver, SocketConnection, SocketParts } from './socket-connection.js';

/** Requests without an answer yet; past it the next ones wait unread. */
const inFlightBound = 256;
/** Bytes of answers the client has not taken; past it requests are not read. */
const unsentBound = 8 * 1024 * 1024;
const subscriptionsBound = 100;
/** Up to here a result is copied into one piece with its frame. */
const copyBytes = 16 * 1024;

const endReasons: Readonly<Record<Exclude<EndReason, 'shutdown'>, CloseReason>> = {
  'too-slow': 'too-slow',
  credentials: 'credentials-expired',
};

type Answer = (result: Buffer | string) => void;
type Method = (request: JsonRpcRequest, answer: Answer) => void;

/** One client of `/v1/ws`: JSON-RPC 2.0, requests pipelined, answers in any order. */
export class JsonRpcConnection implements Sink, Leaver {
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
    new Heartbeat(client, socket, principal, this.#clock, (reason) => this.#close(reason, reason));
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

  /** What is in flight is answered; what comes now is refused. */
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
    closeClient(this.client, reason, text);
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
    // What comes between our farewell and the client's runs nothing: it may be gone for a reason.
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
          `no such method; there are ${Object.keys(this.#methods).join(', ')}`,
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
      arrivedAt: performance.now(),
      outOfBand: params.boolean('oob'),
      timeoutMs: params.duration('timeout'),
      dryRun: params.boolean('dryRun'),
      int64: params.oneOf('int64', ['string', 'number']),
      idempotencyKey: params.shortString('idempotencyKey', longestIdempotencyKey),
      epoch: params.string('epoch'),
    };
    params.check();
    this.#inFlight++;
    this.parts.path.execute(command, (outcome) => this.#executed(request.id, outcome, answer));
  }

  #executed(id: string | undefined, outcome: CommandAnswer, answer: Answer): void {
    this.#inFlight--;
    if (outcome.ok) answer(outcome.json);
    else this.#refuse(id, outcome.problem);
    if (this.client.isPaused) this.#readOn();
    this.#leaveWhenIdle();
  }

  #subscribe(request: JsonRpcRequest, answer: Answer): void {
    const params = new JsonRpcParams(request, subscribeParams);
    const { selector, faults } = parseVmSelector(params.strings('vm'), params.strings('label'));
    const { globs, faults: eventFaults } = parseEventGlobs(params.strings('event'), '/event');
    params.faults.push(...faults, ...eventFaults);
    const text = params.string('after');
    const after = text === undefined || text === 'oldest' ? text : this.parts.hub.readCursor(text);
    if (text !== undefined && after === undefined)
      params.faults.push({ pointer: '/after', message: 'not a cursor of an event' });
    const coalesceMs = params.duration('coalesce', longestCoalesceMs);
    const int64 = params.oneOf('int64', ['string', 'number']);
    params.check();
    if (this.#subscriptions.size >= subscriptionsBound)
      throw new Problem('too-many-requests', `A connection holds ${subscriptionsBound} subscriptions at most.`);
    const subscription = ++this.#lastSubscription;
    const subscribed = this.parts.hub.subscribe({
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
    const params = new JsonRpcParams(request, ['subscription']);
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
    const params = new JsonRpcParams(request, ['vm', 'label']);
    const { selector, faults } = parseVmSelector(params.strings('vm'), params.strings('label'));
    params.faults.push(...faults);
    params.check();
    const rows = this.parts.directory.list(this.connection.principal, selector);
    answer(`{"vms":[${rows.join(',')}],"cursor":"${this.parts.hub.head()}"}`);
  }
}

const executeParams = ['vm', 'command', 'arguments', 'oob', 'timeout', 'dryRun', 'int64', 'idempotencyKey', 'epoch'];
const subscribeParams = ['vm', 'event', 'label', 'after', 'coalesce', 'int64'];
const closingBrace = Buffer.from('}');
