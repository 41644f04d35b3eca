import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ManualClock } from '@qmp-gateway/test-kit';
import { WebSocket } from 'ws';
import { Principal } from '../access/principal.js';
import type { CommandAnswer, CommandRequest } from '../commands/command-request.js';
import { EventHub } from '../events/event-hub.js';
import { ShownEvents } from '../events/shown-events.js';
import { ReplyBudget } from '../http/reply-budget.js';
import { problemBody } from '../problems/problem.js';
import { vmNotFound } from '../vms/vm-registry.js';
import { JsonRpcGateway } from './json-rpc.gateway.js';
import type { SocketParts } from './socket-parts.js';
import { resourceRoutes } from '../http/resource/resource-routes.js';
import { SocketRouter } from '../upgrades/socket-router.js';
import { UpgradeRequiredController } from './upgrade-required.controller.js';

export interface Message {
  id: unknown;
  result?: unknown;
  error?: unknown;
  method?: string;
  params?: unknown;
}

const replies = new ReplyBudget({ replyBytes: 1 });
/** The time a client may take nothing; 60 s in the gateway. */
const stuckMs = 500;

/** A server of `/v1/ws` with nothing behind it: tests answer the commands and publish the events. */
export class JsonRpcScene {
  readonly hub = new EventHub({
    run: 'r1',
    subscriber: { events: 100, bytes: 200_000, allBytes: 1e9, stuckMs, bookmarkMs: 15_000 },
  });
  readonly clock = new ManualClock();
  readonly commands: { request: CommandRequest; answer: (answer: CommandAnswer) => void }[] = [];
  readonly parts: SocketParts = {
    clock: this.clock,
    leavers: new Set(),
    hub: this.hub,
    events: new ShownEvents(this.hub, undefined),
    path: {
      execute: (request, asker) => {
        const answer = (end: CommandAnswer) => asker.answered(end);
        this.commands.push({ request, answer });
        if (this.instant !== undefined) answer({ ok: true, json: Buffer.from(this.instant(request)), trace: {} });
      },
    },
    directory: {
      find: (id) => (id === 'a' ? { id, labels: {} } : undefined),
      list: (_principal, selector) => ({ rows: [`{"selected":${JSON.stringify(selector.vms)}}`], end: undefined }),
      notFound: (_principal, id) => vmNotFound(id),
    },
    registry: { get: () => undefined },
    fault: (error) => this.faults.push(error),
  };
  /** Faults of ours, as the log gets them. */
  readonly faults: unknown[] = [];
  router = new SocketRouter(resourceRoutes([UpgradeRequiredController]), this.parts);
  /** Whether the clients' credentials are. */
  valid = true;
  /** Answers commands at once when set. */
  instant: ((request: CommandRequest) => string) | undefined;
  readonly #server: Server = createServer();
  readonly #clients: WebSocket[] = [];

  static async start(): Promise<JsonRpcScene> {
    const scene = new JsonRpcScene();
    await scene.#listen();
    return scene;
  }

  async #listen(): Promise<void> {
    const principal = new Principal('p', 'p', { level: 'host', vms: ['*'] }, { stillValid: () => this.valid });
    this.#server.on('upgrade', (request, socket, head) => {
      const [path = '', query = ''] = (request.url ?? '').split('?');
      const context = { principal, requestId: 'req', arrivedAt: 0, path, query, answerHeaders: {}, replies };
      const problem = this.router.route(request, socket, head, context);
      if (problem === undefined) return;
      socket.end(
        `HTTP/1.1 ${problem.status} Refused\r\nConnection: close\r\n\r\n${JSON.stringify(problemBody(problem))}`,
      );
    });
    const gateway = new JsonRpcGateway(this.parts);
    this.router
      .serverOf('openWebSocket')
      .on('connection', (client, connection) => gateway.handleConnection(client, connection as never));
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
  }

  close(): void {
    for (const client of this.#clients) client.terminate();
    this.hub.closeAll();
    this.router.terminate();
    this.#server.close();
  }

  address(path: string): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}${path}`;
  }

  async open(protocols: string[] = ['qmp-gateway.v1'], path = '/v1/ws'): Promise<WebSocket> {
    const client = new WebSocket(this.address(path), protocols);
    this.#clients.push(client);
    await once(client, 'open');
    return client;
  }

  publish(vm: string, name: string, data?: string): void {
    this.hub.publish({ id: vm, labels: {}, epoch: 'r1.1' }, { name, data, timestamp: '{}', receivedAt: 0 });
  }
}

/** Sends texts and resolves with as many messages. */
export async function exchange(client: WebSocket, texts: readonly string[], count = texts.length): Promise<string[]> {
  const received: string[] = [];
  const enough = new Promise<void>((resolve) => {
    client.on('message', (data: Buffer) => {
      received.push(data.toString());
      if (received.length >= count) resolve();
    });
  });
  for (const text of texts) client.send(text);
  await enough;
  client.removeAllListeners('message');
  return received;
}

export async function call(client: WebSocket, method: string, params?: unknown): Promise<Message> {
  const [text = ''] = await exchange(client, [JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })]);
  return JSON.parse(text) as Message;
}

/** The code with which a connection is closed. */
export async function closed(client: WebSocket): Promise<number> {
  return ((await once(client, 'close')) as [number])[0];
}
