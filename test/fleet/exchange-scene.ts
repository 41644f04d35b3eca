import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { systemClock } from '@qmp-gateway/qmp';
import { Scene } from '@qmp-gateway/test-kit';
import { pino } from 'pino';
import type { AuditLine, AuditLog } from '../../apps/gateway/src/access/audit/audit-log.js';
import type { AuthenticatedContext } from '../../apps/gateway/src/access/authenticated-request.js';
import type { HandedConnection } from '../../apps/gateway/src/access/handed-connection.js';
import { Principal, type Level } from '../../apps/gateway/src/access/principal.js';
import { writeRawProblem } from '../../apps/gateway/src/entrance/raw-answers.js';
import { FleetExchanges } from '../../apps/gateway/src/fleet/exchanges/fleet-exchanges.js';
import { FleetLink } from '../../apps/gateway/src/fleet/fleet-link.js';
import type { FleetView, NodeSight, RemoteVm } from '../../apps/gateway/src/fleet/fleet-view.js';
import { writeProblem } from '../../apps/gateway/src/http/answer.js';
import { ReplyBudget } from '../../apps/gateway/src/http/reply-budget.js';
import { asProblem } from '../../apps/gateway/src/problems/problem.js';
import type { FleetSettings } from '../../apps/gateway/src/settings/fleet-settings.js';
import type { VmRegistry } from '../../apps/gateway/src/vms/vm-registry.js';

/** What a node's own requests are answered with. */
export type OwnHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  handed: HandedConnection['handed'],
) => void;

export interface StageNode {
  readonly link: FleetLink;
  readonly exchanges: FleetExchanges;
  /** Where clients of this node ask. */
  readonly url: string;
  readonly port: number;
  readonly audit: AuditLine[];
  /** Of whoever asks at this node. */
  principal: Principal;
  close(): Promise<void>;
}

/** Nodes without VMs of their own to speak of: requests between them go over real NATS, the rest is the test's. */
export class ExchangeScene extends Scene {
  readonly #nodes = new Map<string, StageNode>();
  readonly vms: RemoteVm[] = [];
  /** By node; a node that is not here is reachable. */
  readonly away = new Set<string>();
  /** Nodes of which no heartbeat was heard as it came. */
  readonly unheard = new Set<string>();
  /** How far others' knowledge of clocks is behind the truth. */
  behindMs = 0;

  async node(
    name: string,
    servers: readonly string[],
    own: OwnHandler,
    { maxLevel = 'host', onUpgrade }: { maxLevel?: Level; onUpgrade?: (socket: Duplex, head: Buffer) => void } = {},
  ): Promise<StageNode> {
    const settings = { name: 'test', node: name, servers, maxLevel } as unknown as FleetSettings;
    const link = new FleetLink(settings, runOf(name), pino({ level: 'silent' }));
    const audit: AuditLine[] = [];
    const registry = { get: (id: string) => this.vms.find((vm) => vm.id === id && vm.node === name) };
    const exchanges = new FleetExchanges(link, {
      view: this.#viewOf(name),
      registry: registry as unknown as VmRegistry,
      audit: { add: (line: AuditLine) => audit.push(line) } as unknown as AuditLog,
      limits: { replyBytes: 1024 ** 3 },
    });
    exchanges.server.on('request', (request, response) => {
      response.removeHeader('Transfer-Encoding');
      own(request, response, (request.socket as unknown as HandedConnection).handed);
    });
    if (onUpgrade !== undefined) exchanges.server.on('upgrade', (_request, socket, head) => onUpgrade(socket, head));
    const made = { principal: new Principal('p', 'p', { level: 'host', vms: ['*'] }) };
    const server = this.#entry(exchanges, () => made.principal);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    await link.start();
    await new Promise<void>((resolve) => link.observe({ connected: resolve }));
    await link.connection.flush();
    const { port } = server.address() as AddressInfo;
    const close = async (): Promise<void> => {
      server.closeAllConnections();
      server.close();
      exchanges.stop();
      await link.close();
    };
    const node = Object.assign(made, { link, exchanges, port, url: `http://127.0.0.1:${port}`, audit, close });
    this.#nodes.set(name, node);
    return this.keep(node, () => close());
  }

  /** A VM of a node. */
  vm(id: string, node: string): void {
    this.vms.push({
      id,
      labels: {},
      node,
      run: runOf(node),
      lease: undefined,
      render: () => JSON.stringify({ id, node }),
    });
  }

  #viewOf(own: string): FleetView {
    const sight = (node: string): NodeSight => ({
      ...{ node, run: runOf(node), heard: Date.now() },
      reachable: !this.away.has(node),
      clock: () => (this.unheard.has(node) ? undefined : performance.now() - this.behindMs),
    });
    return {
      find: (id) => this.vms.filter((vm) => vm.id === id && vm.node !== own),
      node: (name) => (this.#nodes.has(name) ? sight(name) : undefined),
      all: () => this.vms.filter((vm) => vm.node !== own).values(),
    };
  }

  /** What the entrance does with a request, without its checks. */
  #entry({ forwarder }: FleetExchanges, principal: () => Principal): Server {
    const replies = new ReplyBudget({ replyBytes: 1024 ** 3 });
    let count = 0;
    const contextOf = ({ url = '/' }: IncomingMessage): AuthenticatedContext => {
      const [path = '', query = ''] = url.split('?');
      const arrivedAt = systemClock.now();
      return {
        requestId: `r${count++}`,
        ...{ path, query, arrivedAt, replies, answerHeaders: {}, principal: principal() },
      };
    };
    const server = createServer((request, response) => {
      const context = contextOf(request);
      try {
        if (!forwarder.take(request, response, context)) response.writeHead(404).end('here');
      } catch (error) {
        writeProblem(response, asProblem(error), context);
      }
    });
    server.on('upgrade', (request, socket: Duplex, head: Buffer) => {
      const context = contextOf(request);
      const refuse = (problem: ReturnType<typeof asProblem>) => writeRawProblem(socket, problem, context.requestId);
      try {
        forwarder.takeUpgrade({ request, socket, head }, context, refuse);
      } catch (error) {
        refuse(asProblem(error));
      }
    });
    return server;
  }
}

function runOf(node: string): string {
  return `run${node.replaceAll('.', '')}`;
}
