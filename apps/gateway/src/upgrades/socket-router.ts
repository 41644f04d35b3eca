import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import type { AuthenticatedContext } from '../access/authenticated-request.js';
import { HandedConnection } from '../access/handed-connection.js';
import type { ShapeClass } from '../http/resource/field-type.js';
import { readQuery } from '../http/resource/read-shape.js';
import type { UpgradeDeclaration } from '../http/resource/resource.js';
import type { ResourceRoute } from '../http/resource/resource-routes.js';
import { Problem } from '../problems/problem.js';
import type { VmDirectory } from '../vms/vm-directory.js';
import type { Leaver, SocketConnection } from './socket-connection.js';

/** A client's message may hold a command of `bodyBytes`' default and its frame. */
const messageBytes = 1024 * 1024;

/** A path that takes an upgrade. */
interface UpgradePlace {
  readonly id: string;
  readonly pattern: RegExp;
  readonly variables: readonly string[];
  readonly query: ShapeClass | undefined;
  readonly subprotocol: string;
  readonly server: WebSocketServer;
}

export interface SocketRouterParts {
  readonly directory: Pick<VmDirectory, 'find' | 'notFound'>;
  readonly leavers: Set<Leaver>;
}

/**
 * Turns upgrade requests whose sender is known into WebSockets, at the paths of resources that declare one; who speaks on
 * them is a matter of the Nest gateways.
 */
export class SocketRouter {
  readonly #places: readonly UpgradePlace[];

  constructor(
    routes: readonly ResourceRoute[],
    private readonly parts: SocketRouterParts,
  ) {
    this.#places = routes.flatMap((route) => {
      const { upgrade } = route.declaration;
      return upgrade === undefined ? [] : [placeOf(route, upgrade)];
    });
  }

  /** The server whose connections a Nest gateway handles. @param id of the resource */
  serverOf(id: string): WebSocketServer {
    const place = this.#places.find((each) => each.id === id);
    if (place === undefined) throw new Error(`no upgrades for ${id}`);
    return place.server;
  }

  /** @returns the problem to answer with, before anything was written */
  route(request: IncomingMessage, socket: Duplex, head: Buffer, context: AuthenticatedContext): Problem | undefined {
    const { path, principal, requestId, traceparent, handed } = context;
    const found = this.#find(path);
    if (found === undefined)
      return new Problem('route-not-found', `Nothing at ${JSON.stringify(path.slice(0, 200))} takes an upgrade.`);
    const { place, variables } = found;
    const query = queryOf(place, context.query);
    if (query instanceof Problem) return query;
    const { vm } = variables;
    if (vm !== undefined) {
      const identity = this.parts.directory.find(vm);
      if (identity === undefined || !principal.sees(identity)) return this.parts.directory.notFound(principal, vm);
    }
    const unspoken = offerProblem(request, place.subprotocol);
    if (unspoken !== undefined) return unspoken;
    // Servers of node:http and node:https hand out no other kind; what is handed over behaves as one.
    if (!isSocket(socket)) throw new TypeError('an upgrade without a socket');
    const connection: SocketConnection = {
      ...{ principal, requestId, traceparent, socket, path: variables, query },
      ...(vm === undefined ? {} : { vm }),
      ...(handed === undefined ? {} : { handed: { node: handed.node } }),
    };
    return upgrade(place.server, { request, head }, connection);
  }

  #find(path: string): { place: UpgradePlace; variables: Readonly<Record<string, string>> } | undefined {
    for (const place of this.#places) {
      const match = place.pattern.exec(path);
      if (match === null) continue;
      return { place, variables: Object.fromEntries(place.variables.map((name, at) => [name, match[at + 1] ?? ''])) };
    }
    return undefined;
  }

  /** Asks every client to come back later, and waits until all have gone. */
  async leave(): Promise<void> {
    const clients = this.#places.flatMap(({ server }) => [...server.clients]);
    const gone = clients.map((client) => new Promise((resolve) => client.once('close', resolve)));
    for (const leaver of [...this.parts.leavers]) leaver.leave();
    await Promise.all(gone);
  }

  /** Ends the clients that are left. */
  terminate(): void {
    for (const { server } of this.#places) for (const client of server.clients) client.terminate();
  }
}

function isSocket(stream: Duplex): stream is Socket {
  return stream instanceof Socket || stream instanceof HandedConnection;
}

function placeOf({ path, declaration, additions }: ResourceRoute, declared: UpgradeDeclaration): UpgradePlace {
  return {
    id: declaration.id,
    pattern: new RegExp(`^${path.replaceAll(/:\w+/g, '([^/]+)')}$`),
    variables: [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => name),
    query: additions.find(({ query }) => query !== undefined)?.query,
    subprotocol: declared.subprotocol,
    server: serverOf(declared),
  };
}

function serverOf({ subprotocol, isByteStream = false }: UpgradeDeclaration): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: messageBytes,
    // Only ever one of ours: a sub-protocol that carries a token is not echoed.
    handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
    skipUTF8Validation: isByteStream,
  });
}

function queryOf({ query }: UpgradePlace, text: string): object | undefined {
  if (query === undefined)
    return text === ''
      ? undefined
      : new Problem('invalid-request', 'This WebSocket takes no query; credentials go in a header.');
  try {
    return readQuery(query, text);
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

/**
 * Clients that offer sub-protocols and are answered with none end the connection, and say nothing but that it failed. Who
 * offers none gets none.
 */
function offerProblem({ headers }: IncomingMessage, taken: string): Problem | undefined {
  const offered = headers['sec-websocket-protocol']?.split(',').map((protocol) => protocol.trim());
  if (offered === undefined || offered.includes(taken)) return undefined;
  // What was offered is not shown: it may be a token.
  const detail = `The handshake offers other sub-protocols than this path takes: offer ${taken}, with bearer.TOKEN beside it where a token is sent that way.`;
  return new Problem('invalid-request', detail, {
    errors: [{ in: 'header', pointer: '/Sec-WebSocket-Protocol', message: `must have ${taken}` }],
    suggestions: [taken],
  });
}

function upgrade(
  server: WebSocketServer,
  { request, head }: { readonly request: IncomingMessage; readonly head: Buffer },
  connection: SocketConnection,
): Problem | undefined {
  let refusal: Problem | undefined;
  // Raised at once for a handshake that is none, instead of ws's own plain text answer.
  const refuse = (error: Error): void => {
    refusal = new Problem('invalid-request', `This is not a WebSocket handshake: ${error.message}.`);
  };
  server.on('wsClientError', refuse);
  try {
    server.handleUpgrade(request, connection.socket, head, (client: WebSocket) => {
      // The peer broke off or broke the protocol; ws closes with the right code.
      client.on('error', () => undefined);
      server.emit('connection', client, connection);
    });
  } finally {
    server.off('wsClientError', refuse);
  }
  return refusal;
}
