import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import type { AuthenticatedContext } from '../listeners/request-context.js';
import { Problem } from '../problems/problem.js';
import type { SocketConnection, SocketParts } from './socket-connection.js';

/** Paths that take an upgrade, as Nest gateways name them. */
export const socketPaths = { jsonRpc: '/v1/ws', monitor: '/v1/vms/:vm/monitor' } as const;

/** A client's message may hold a command of `bodyBytes`' default and its frame. */
const messageBytes = 1024 * 1024;

const subprotocols: Readonly<Record<string, string>> = {
  [socketPaths.jsonRpc]: 'qmp-gateway.v1',
  [socketPaths.monitor]: 'qmp',
};

/** Turns upgrade requests whose sender is known into WebSockets; who speaks on them is a matter of the Nest gateways. */
export class SocketRouter {
  readonly #servers = new Map<string, WebSocketServer>();

  constructor(private readonly parts: Pick<SocketParts, 'directory' | 'leavers'>) {
    for (const path of Object.values(socketPaths)) this.#servers.set(path, serverOf(subprotocols[path] ?? '', path));
  }

  /** The server whose connections a Nest gateway of this path handles. */
  serverOf(path: string): WebSocketServer {
    const server = this.#servers.get(path);
    if (server === undefined) throw new Error(`no upgrades at ${path}`);
    return server;
  }

  /** @returns the problem to answer with, before anything was written */
  route(request: IncomingMessage, socket: Duplex, head: Buffer, context: AuthenticatedContext): Problem | undefined {
    const { path, principal, requestId, traceparent, query } = context;
    const vm = /^\/v1\/vms\/([^/]+)\/monitor$/.exec(path)?.[1];
    if (path !== socketPaths.jsonRpc && vm === undefined)
      return new Problem('route-not-found', `Nothing at ${JSON.stringify(path.slice(0, 200))} takes an upgrade.`);
    if (query !== '') return new Problem('invalid-request', 'A WebSocket takes no query; credentials go in a header.');
    if (vm !== undefined) {
      const identity = this.parts.directory.find(vm);
      if (identity === undefined || !principal.sees(identity)) return this.parts.directory.notFound(principal, vm);
    }
    const server = this.serverOf(vm === undefined ? socketPaths.jsonRpc : socketPaths.monitor);
    // Servers of node:http and node:https hand out no other kind.
    if (!(socket instanceof Socket)) throw new TypeError('an upgrade without a socket');
    const connection: SocketConnection = {
      principal,
      requestId,
      traceparent,
      socket,
      ...(vm === undefined ? {} : { vm }),
    };
    return upgrade(server, request, socket, head, connection);
  }

  /** Asks every client to come back later, and waits until all have gone. */
  async leave(): Promise<void> {
    const clients = [...this.#servers.values()].flatMap((server) => [...server.clients]);
    const gone = clients.map((client) => new Promise((resolve) => client.once('close', resolve)));
    for (const leaver of [...this.parts.leavers]) leaver.leave();
    await Promise.all(gone);
  }

  /** Ends the clients that are left. */
  terminate(): void {
    for (const server of this.#servers.values()) for (const client of server.clients) client.terminate();
  }
}

function serverOf(subprotocol: string, path: string): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: messageBytes,
    // Only ever one of ours: a sub-protocol that carries a token is not echoed.
    handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
    // Frames of the shared monitor are one byte stream; a character may span two of them.
    skipUTF8Validation: path === socketPaths.monitor,
  });
}

function upgrade(
  server: WebSocketServer,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  connection: SocketConnection,
): Problem | undefined {
  let refusal: Problem | undefined;
  // Raised at once for a handshake that is none, instead of ws's own plain text answer.
  const refuse = (error: Error): void => {
    refusal = new Problem('invalid-request', `This is no WebSocket handshake: ${error.message}.`);
  };
  server.on('wsClientError', refuse);
  try {
    server.handleUpgrade(request, socket, head, (client: WebSocket) => {
      // A peer that breaks off, or the protocol, is no fault of ours; ws closes with the right code.
      client.on('error', () => undefined);
      server.emit('connection', client, connection);
    });
  } finally {
    server.off('wsClientError', refuse);
  }
  return refusal;
}
