import { createServer, type Server } from 'node:http';
import type { AuditLog } from '../../access/audit/audit-log.js';
import { systemClock } from '@qmp-gateway/qmp';
import type { Limits } from '../../settings/settings.js';
import type { VmRegistry } from '../../vms/vm-registry.js';
import type { FleetLink } from '../fleet-link.js';
import type { FleetView } from '../fleet-view.js';
import { ExchangeBus } from './exchange-bus.js';
import { Forwarder } from './forwarder.js';
import { RemotePlaces } from './remote-places.js';
import { RequestsOfNodes } from './requests-of-nodes.js';

/** What requests between nodes need of this one. */
export interface ExchangesParts {
  readonly view: FleetView;
  readonly registry: VmRegistry;
  readonly audit: AuditLog;
  readonly limits: Pick<Limits, 'replyBytes'>;
}

/** How often it is looked whether the other ends of open exchanges are still there. */
const sweepMs = 1000;

/** Requests between this node and others, in both directions. */
export class FleetExchanges {
  /** Gets connections with the requests that other nodes hand over. It listens nowhere. */
  readonly server: Server;
  readonly forwarder: Forwarder;
  readonly #bus: ExchangeBus;
  readonly #sweep: NodeJS.Timeout;

  constructor(link: FleetLink, { view, registry, audit, limits }: ExchangesParts) {
    const bus = new ExchangeBus(link);
    this.#bus = bus;
    const clock = systemClock;
    const places = new RemotePlaces({ link, view, registry, clock });
    this.server = createServer({ requireHostHeader: false, requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 });
    this.forwarder = new Forwarder({ bus, places, clock, mostBytes: limits.replyBytes }, audit);
    const has = (vm: string): boolean => registry.get(vm) !== undefined;
    const requests = new RequestsOfNodes(bus, this.server, {
      run: link.run,
      maxLevel: link.settings.maxLevel,
      clock,
      has,
    });
    const isGone = (peer: string): boolean => view.node(peer)?.reachable !== true;
    this.#sweep = setInterval(() => {
      bus.sweep(isGone);
      requests.trim();
    }, sweepMs).unref();
  }

  /** Exchanges that have not ended, in both directions. */
  get open(): number {
    return this.#bus.size;
  }

  /** No exchange is looked after any more. */
  stop(): void {
    clearInterval(this.#sweep);
  }
}
