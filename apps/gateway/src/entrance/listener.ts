import { groupId } from '../settings/group-id.js';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import { listenOnSocketFile, systemClock, type Clock, type Timer } from '@qmp-gateway/qmp';
import type { Doorway } from '../access/front-door.js';
import { Problem } from '../problems/problem.js';
import type { ListenerAddress } from '../settings/listener-address.js';
import { writeRawProblem } from './raw-answers.js';
import type { RouteTable } from '../http/route-table.js';
import { readerLookMs, StuckReaders } from './stuck-readers.js';
import type { TlsMaterial } from './tls-material.js';

/** For so long no connection must come before the end of listening: the system resets those that nobody has taken yet. */
const quietMs = 50;
/** Of a stop, for whoever comes to an end: a new connection has this long to ask, and new ones are taken no longer. */
const lateMs = 1000;

/** One address the gateway answers on, with its own HTTP server. */
export class Listener {
  /** The port is the real one once it listens. */
  door: Doorway;
  /** Open connections, and when they came (monotonic milliseconds). */
  readonly #sockets = new Map<Socket, number>();
  /** Answers of each connection that has asked, the newest last; before it those that were not over when it came. */
  readonly #answers = new Map<Socket, ServerResponse[]>();
  #closing = false;
  /** Connections so far. */
  #accepted = 0;

  /** @param names in its certificate; undefined for one that does not speak TLS */
  constructor(
    readonly address: ListenerAddress,
    readonly server: Server,
    names?: readonly string[],
    private readonly clock: Clock = systemClock,
  ) {
    server.on('connection', (socket) => {
      // A request that is played to the server once more comes by a connection that is known.
      if (this.#sockets.has(socket)) return;
      this.#sockets.set(socket, this.clock.now());
      this.#accepted++;
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on('request', ({ socket }, response) => this.#began(socket, response));
    this.door = { kind: address.kind, secure: names !== undefined, ...(names === undefined ? {} : { names }) };
  }

  #watchReaders(): void {
    const readers = new StuckReaders(this.clock);
    const plan = (): Timer =>
      this.clock.schedule(readerLookMs, () => {
        timer = plan();
        readers.look(this.#answers);
      });
    let timer = plan();
    this.server.once('close', () => timer.cancel());
  }

  #began(socket: Socket, response: ServerResponse): void {
    const answers = this.#answers.get(socket);
    const before = answers?.at(-1);
    if (answers === undefined) {
      this.#answers.set(socket, [response]);
      socket.once('close', () => this.#left(socket));
    } else {
      while (answers[0]?.destroyed === true) answers.shift();
      answers.push(response);
    }
    if (!this.#closing) return;
    // Pipelined: the end of the connection is told by its last answer.
    if (before !== undefined) before.shouldKeepAlive = true;
    response.shouldKeepAlive = false;
  }

  /** Node tells it only to the answer whose turn it was; what the others wait for, and hold, is over too. */
  #left(socket: Socket): void {
    for (const answer of this.#answers.get(socket) ?? []) {
      if (answer.socket !== null || answer.destroyed || answer.writableFinished) continue;
      answer.destroyed = true;
      answer.emit('close');
    }
    this.#answers.delete(socket);
  }

  /** The answer of the request that is still coming on a connection, if there is one. */
  unfinished(socket: Socket): ServerResponse | undefined {
    const newest = this.#answers.get(socket)?.at(-1);
    return newest?.req.complete === false ? newest : undefined;
  }

  /**
   * For what is written past Node, which keeps the order of its own answers only: calls back when the answers to all
   * requests before are written, at once when they are. Never when the connection ends before, be it by one of those.
   * @param own the answer in whose place it is written, if there is one
   */
  inTurn(socket: Socket, own: ServerResponse | undefined, step: () => void): void {
    const answers = this.#answers.get(socket) ?? [];
    const before = answers.at(own === undefined ? -1 : answers.indexOf(own) - 1);
    if (before === undefined || before === own || before.destroyed) step();
    else
      before.once('close', () => {
        if (socket.writable) step();
        else socket.destroy();
      });
  }

  /** Another certificate from the next connection on; nothing to do for one that does not speak TLS. */
  renew({ context, names }: TlsMaterial): void {
    if (!(this.server instanceof TlsServer)) return;
    this.server.setSecureContext(context);
    this.door = { ...this.door, names };
  }

  /** `http://127.0.0.1:8080` or `unix:/path`. */
  get url(): string {
    if (this.address.kind === 'unix') return `unix:${this.address.path}`;
    const { host } = this.address;
    const shown = host.includes(':') ? `[${host}]` : host;
    return `${this.door.secure ? 'https' : 'http'}://${shown}:${String(this.door.port)}`;
  }

  /**
   * Takes no new connections, as soon as those on their way in have been let in to get an answer. Answers still to come
   * say `Connection: close`, so that nobody sends another request into an end. Resolves when the last connection is gone:
   * answered and closed, or made to go.
   */
  close(): Promise<void> {
    this.#closing = true;
    for (const answers of this.#answers.values()) {
      const newest = answers.at(-1);
      if (newest !== undefined) newest.shouldKeepAlive = false;
    }
    const until = this.clock.now() + lateMs;
    return new Promise((resolve) =>
      this.#whenQuiet(until, () => this.#sparingNew(() => this.server.close(() => resolve()))),
    );
  }

  #whenQuiet(until: number, step: () => void): void {
    const before = this.#accepted;
    this.clock.schedule(quietMs, () => {
      if (this.#accepted === before || this.clock.now() >= until) step();
      else this.#whenQuiet(until, step);
    });
  }

  /**
   * For the end of a stop: tells whoever has no answer yet that there will be none. What has not wholly arrived was not
   * sent to a VM, unless it is used as it comes.
   */
  refuseUnanswered(routes: Pick<RouteTable, 'traits'>): void {
    for (const [socket, answers] of this.#answers) {
      const newest = answers.at(-1);
      if (newest === undefined || newest.headersSent || newest.destroyed || !socket.writable) continue;
      const { req } = newest;
      const [path = ''] = (req.url ?? '').split('?', 1);
      const begun = req.complete || routes.traits(req.method, path).streamsBody;
      const fields = begun ? ({ outcome: 'unknown', retryable: false } as const) : {};
      const detail = begun ? 'The gateway ends before this has.' : 'The gateway ends, and the request is not all here.';
      writeRawProblem(socket, new Problem('shutting-down', detail, fields), undefined);
    }
  }

  /**
   * Ends connections nobody waits on: between two requests, or before the first, which may be on its way if the
   * connection is new.
   */
  closeIdle(): void {
    this.#sparingNew(() => this.server.closeIdleConnections());
    for (const [socket] of this.#sockets) if (socket.bytesRead === 0 && !this.#isNew(socket)) socket.destroy();
  }

  /** Until Node.js 24 only connections between two requests are idle for it, since 26 also those that have not asked yet. */
  #sparingNew(step: () => void): void {
    const spared = [...this.#sockets.keys()].filter((socket) => socket.bytesRead === 0 && this.#isNew(socket));
    for (const socket of spared) socket.destroy = () => socket;
    step();
    for (const socket of spared) Reflect.deleteProperty(socket, 'destroy');
  }

  #isNew(socket: Socket): boolean {
    return (this.#sockets.get(socket) ?? 0) > this.clock.now() - lateMs;
  }

  /** @throws when the address can't be had: in use, not ours, no permission. */
  async listen(): Promise<void> {
    const { address, server } = this;
    if (address.kind === 'unix') await listenOnUnixSocket(server, address);
    else {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen({ host: address.host, port: address.port }, () => {
          server.off('error', reject);
          resolve();
        });
      });
      this.door = { ...this.door, port: (server.address() as AddressInfo).port };
    }
    this.#watchReaders();
  }
}

async function listenOnUnixSocket(server: Server, address: Extract<ListenerAddress, { kind: 'unix' }>): Promise<void> {
  const { path, mode, group } = address;
  const gid = group === undefined ? undefined : groupId(group);
  if (group !== undefined && gid === undefined) throw new Error(`there is no group ${group}`);
  await listenOnSocketFile(server, path, {
    ...(mode === undefined ? {} : { mode }),
    ...(gid === undefined ? {} : { gid }),
  });
}
