import type { Server } from 'node:http';
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
import { HandedConnection, type HandedRequest } from '../../access/handed-connection.js';
import { levels, Principal, reaches, type Level } from '../../access/principal.js';
import { BoundedMap } from '../../bounds/bounded-map.js';
import type { ExchangeBus, ExchangeParty } from './exchange-bus.js';

/** Requests of other nodes that are open at once. */
const mostOpen = 10_000;
/** Requests that are remembered, so that none is taken twice. */
const mostRemembered = 100_000;

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
  readonly #seen = new BoundedMap<string, true>(mostRemembered);

  /** @param server gets a connection for each request */
  constructor(
    private readonly bus: ExchangeBus,
    private readonly server: Server,
    private readonly parts: OwnerParts,
  ) {
    bus.onRequest((from, head, body) => this.#take(from, head, body));
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
    this.#seen.set(`${from} ${head.operation}`, true);
    const exchange = new HandedExchange(this.bus, from, head, this.#principalOf(head.principal));
    this.bus.open(from, head.id, exchange);
    exchange.begin(this.server, body);
  }

  #refuse(from: string, id: string, why: Refusal): void {
    this.bus.send(from, id, { kind: 'refused', why, at: this.parts.clock.now() });
  }

  #refusal(from: string, { v, id, run, until, vm, operation }: RequestHead): Refusal | undefined {
    if (v !== protocolVersion) return 'version';
    if (run !== this.parts.run) return 'other-run';
    if (this.parts.clock.now() > until) return 'expired';
    if (this.bus.has(from, id) || this.#seen.get(`${from} ${operation}`) !== undefined) return 'seen';
    if (!this.parts.has(vm)) return 'not-here';
    return this.bus.size >= mostOpen ? 'busy' : undefined;
  }

  #principalOf({ id, name, level, ...rest }: SentPrincipal): (stillValid: () => boolean) => Principal {
    // A level of a later release is none that is known here.
    const sent = levels.find((known) => known === level) ?? 'read';
    const { maxLevel } = this.parts;
    const narrowed = reaches(maxLevel, sent) ? sent : maxLevel;
    return (stillValid) => new Principal(id, name, { ...rest, level: narrowed }, { stillValid });
  }
}

/** One request of another node, as a connection here. */
class HandedExchange implements ExchangeParty {
  readonly #sender: PartSender;
  readonly #receiver: PartReceiver;
  readonly #connection: HandedConnection;
  #isValid = true;

  constructor(
    private readonly bus: ExchangeBus,
    private readonly from: string,
    private readonly head: RequestHead,
    principal: (stillValid: () => boolean) => Principal,
  ) {
    const isUpgrade = head.upgrade === true;
    const handed: HandedRequest = {
      principal: principal(() => this.#isValid),
      node: from,
      vm: head.vm,
      operation: head.operation,
      notAfter: head.notAfter,
      isUpgrade,
    };
    this.#receiver = new PartReceiver(!isUpgrade);
    this.#sender = new PartSender(
      (part, bytes) => this.bus.send(from, head.id, part, bytes),
      !isUpgrade,
      () => this.#connection.drained(),
    );
    this.#connection = new HandedConnection(handed, {
      write: (bytes) => this.#sender.write(bytes),
      end: (bytes) => this.#sender.end(bytes),
      used: () => this.#used(),
      broken: () => this.bus.send(from, head.id, { kind: 'broken' }),
    });
    this.#connection.on('error', () => undefined);
    this.#connection.once('close', () => this.bus.close(from, head.id));
  }

  begin(server: Server, body: Uint8Array): void {
    server.emit('connection', this.#connection);
    this.#receive({ kind: 'bytes', index: 0 }, body);
  }

  part(head: PartHead, body: Uint8Array): void {
    switch (head.kind) {
      case 'bytes':
        this.#receive(head, body);
        break;
      case 'taken':
        this.#sender.taken(head.count);
        break;
      case 'revoked':
        this.#isValid = false;
        break;
      default:
        this.#connection.destroy();
    }
  }

  lost(): void {
    this.#connection.destroy();
  }

  #receive(head: Extract<PartHead, { kind: 'bytes' }>, body: Uint8Array): void {
    const taken = this.#receiver.receive(head, body);
    if (taken === 'wrong') this.#connection.destroy();
    else this.#connection.receive(body, taken === 'last');
  }

  #used(): void {
    const count = this.#receiver.used();
    if (count !== undefined) this.bus.send(this.from, this.head.id, { kind: 'taken', count });
  }
}
