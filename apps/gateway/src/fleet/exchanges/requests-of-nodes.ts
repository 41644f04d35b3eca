import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import {
  PartReceiver,
  PartSender,
  protocolVersion,
  readRequestHead,
  type PartHead,
  type Refusal,
  type RequestHead,
  type SentPrincipal,
} from '@qmp-gateway/fleet-protocol';
import type { Clock } from '@qmp-gateway/qmp';
import { HandedConnection, type HandedRequest, type HandedSink } from '../../access/handed-connection.js';
import { levels, Principal, reaches, type Grant, type Level } from '../../access/principal.js';
import type { ExchangeBus, ExchangeParty } from './exchange-bus.js';
import { SpareConnections } from './spare-connections.js';
import { TakenOperations } from './taken-operations.js';

/** Requests of other nodes that are open at once. */
const mostOpen = 10_000;

/** What taking requests needs to know of this node. */
export interface OwnerParts {
  readonly run: string;
  /** What commands that come by other nodes may reach here at most. */
  readonly maxLevel: Level;
  readonly clock: Clock;
  /** Whether a VM is served here. */
  has(vm: string): boolean;
}

/**
 * The side of a node that owns VMs: takes what other nodes hand over, and gives it to the HTTP server as connections.
 * Everything is decided here, by the rules of this node, as for its own callers.
 */
export class RequestsOfNodes {
  readonly #taken = new TakenOperations();
  readonly #spare = new SpareConnections();

  /** @param server gets a connection for each request, or one whose last request was answered */
  constructor(
    private readonly bus: ExchangeBus,
    private readonly server: Server,
    private readonly parts: OwnerParts,
  ) {
    bus.onRequest((from, head, body) => this.#take(from, head, body));
    server.on('request', (request, response) => this.#began(request, response));
  }

  /** Ends connections that wait for nothing. Called every now and then. */
  trim(): void {
    this.#spare.trim();
  }

  #take(from: string, given: Readonly<Record<string, unknown>>, body: Uint8Array): void {
    const head = readRequestHead(given);
    // Without a name there is nobody to answer.
    if (head === undefined) {
      const { id, v } = given;
      const isOther = typeof v === 'number' && v !== protocolVersion;
      if (typeof id === 'string' && /^[A-Za-z0-9]{1,64}$/.test(id))
        this.#refuse(from, id, isOther ? 'version' : 'malformed');
      return;
    }
    const refusal = this.#refusal(from, head);
    if (refusal !== undefined) {
      this.#refuse(from, head.id, refusal);
      return;
    }
    const bodyBytes = head.more === true || head.upgrade === true ? undefined : keepOpen(body);
    const exchange = new HandedExchange(this.bus, from, head, { grant: this.#grantOf(head.principal), bodyBytes });
    this.bus.open(from, head.id, exchange);
    const spare = bodyBytes === undefined ? undefined : this.#spareFor(from, exchange);
    exchange.begin(spare ?? this.#connect(exchange), body);
  }

  #spareFor(from: string, exchange: HandedExchange): HandedConnection | undefined {
    const connection = this.#spare.take(from);
    connection?.carry(exchange.handed, exchange);
    return connection;
  }

  #connect(exchange: HandedExchange): HandedConnection {
    const connection = new HandedConnection(exchange.handed, exchange);
    connection.on('error', () => undefined);
    this.server.emit('connection', connection);
    return connection;
  }

  /** Node says when an answer is whole; where the connection does not outlive it, the connection does. */
  #began(request: IncomingMessage, response: ServerResponse): void {
    const connection = request.socket as unknown as HandedConnection;
    response.on('finish', () => {
      if (!connection.answered()) return;
      if (request.complete && isAllOf(request, connection.handed)) this.#spare.keep(connection.handed.node, connection);
      else connection.destroy();
    });
  }

  #refuse(from: string, id: string, why: Refusal): void {
    this.bus.send(from, id, { kind: 'refused', why, at: this.parts.clock.now() });
  }

  /** Why it is not taken; a request that is taken counts as had from then on. */
  #refusal(from: string, { v, id, run, until, vm, operation }: RequestHead): Refusal | undefined {
    if (v !== protocolVersion) return 'version';
    if (run !== this.parts.run) return 'other-run';
    if (this.parts.clock.now() > until) return 'expired';
    if (!this.parts.has(vm)) return 'not-here';
    if (this.bus.size >= mostOpen) return 'busy';
    return this.bus.has(from, id) || !this.#taken.take(from, operation) ? 'seen' : undefined;
  }

  #grantOf(principal: SentPrincipal): Grant {
    // A level of a later release is none that is known here.
    const sent = levels.find((known) => known === principal.level) ?? 'read';
    const { maxLevel } = this.parts;
    const level = reaches(maxLevel, sent) ? sent : maxLevel;
    const { vms, commands, endpoints, operatorEndpoints } = principal;
    // Most have no more: objects of one shape are what engines are fast with.
    if (commands === undefined && endpoints === undefined && operatorEndpoints === undefined) return { level, vms };
    return {
      ...{ level, vms },
      ...(commands === undefined ? {} : { commands }),
      ...(endpoints === undefined ? {} : { endpoints }),
      ...(operatorEndpoints === undefined ? {} : { operatorEndpoints }),
    };
  }
}

/** One request of another node, as a connection here. */
class HandedExchange implements ExchangeParty, HandedSink {
  readonly handed: HandedRequest;
  readonly #sender: PartSender;
  readonly #receiver: PartReceiver;
  /** As long as it is this one's. */
  #connection: HandedConnection | undefined;
  #isValid = true;
  #isBroken = false;

  constructor(
    private readonly bus: ExchangeBus,
    private readonly from: string,
    private readonly head: RequestHead,
    { grant, bodyBytes }: { readonly grant: Grant; readonly bodyBytes: number | undefined },
  ) {
    const isUpgrade = head.upgrade === true;
    this.handed = {
      principal: new Principal(head.principal.id, head.principal.name, grant, { stillValid: () => this.#isValid }),
      node: from,
      vm: head.vm,
      operation: head.operation,
      notAfter: head.notAfter,
      isUpgrade,
      bodyBytes,
    };
    this.#receiver = new PartReceiver(!isUpgrade);
    this.#sender = new PartSender(
      (part, bytes) => this.bus.send(from, head.id, part, bytes),
      !isUpgrade,
      () => this.#connection?.drained(),
    );
  }

  begin(connection: HandedConnection, body: Uint8Array): void {
    this.#connection = connection;
    const { more, upgrade } = this.head;
    const isWhole = more !== true && upgrade !== true;
    this.#receive(
      isWhole ? { kind: 'bytes', index: 0, last: { bytes: body.length } } : { kind: 'bytes', index: 0 },
      body,
    );
  }

  part(head: PartHead, body: Uint8Array): void {
    switch (head.kind) {
      case 'bytes':
        this.#receive(head, body);
        break;
      case 'taken':
        this.#sender.taken(head.count);
        this.#closeIfOver();
        break;
      case 'revoked':
        this.#isValid = false;
        break;
      default:
        this.#giveUp();
    }
  }

  lost(): void {
    this.#connection?.destroy();
  }

  write(bytes: Uint8Array): boolean {
    return this.#sender.write(bytes);
  }

  end(bytes?: Uint8Array): void {
    this.#sender.end(bytes);
  }

  used(): void {
    const count = this.#receiver.used();
    if (count !== undefined) this.bus.send(this.from, this.head.id, { kind: 'taken', count });
  }

  broken(): void {
    this.#isBroken = true;
    this.bus.send(this.from, this.head.id, { kind: 'broken' });
  }

  left(): void {
    this.#connection = undefined;
    this.#closeIfOver();
  }

  /** What the other side has no room for yet keeps the exchange open. */
  #closeIfOver(): void {
    if (this.#connection === undefined && (this.#sender.isOver || this.#isBroken))
      this.bus.close(this.from, this.head.id);
  }

  /** Nobody wants the answer any more. */
  #giveUp(): void {
    if (this.#connection === undefined) this.bus.close(this.from, this.head.id);
    else this.#connection.destroy();
  }

  #receive(head: Extract<PartHead, { kind: 'bytes' }>, body: Uint8Array): void {
    const taken = this.#receiver.receive(head, body);
    if (taken === 'wrong') this.#giveUp();
    else this.#connection?.receive(body, taken === 'last');
  }
}

const endOfHead = Buffer.from('\r\n\r\n', 'latin1');
const closing = Buffer.from('\r\nConnection: close\r\n\r\n', 'latin1');
const space = 0x20;

/**
 * Takes the word out of a whole request that would end its connection, which carries the next one here. Entries end the
 * head with it.
 * @returns the bytes behind the head; undefined when the connection cannot carry another request
 */
function keepOpen(request: Uint8Array): number | undefined {
  const bytes = Buffer.from(request.buffer, request.byteOffset, request.byteLength);
  const end = bytes.indexOf(endOfHead);
  const at = end + endOfHead.length - closing.length;
  if (at < 0 || bytes.compare(closing, 0, closing.length, at, at + closing.length) !== 0) return undefined;
  bytes.fill(space, end - 'close'.length, end);
  return bytes.length - end - endOfHead.length;
}

/** Nothing came behind the request, which the next one would be read as a part of. */
function isAllOf({ headers }: IncomingMessage, { bodyBytes }: HandedRequest): boolean {
  return headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === bodyBytes;
}
