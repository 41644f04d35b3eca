import type { Server } from 'node:net';
import { Server as TlsServer, type TLSSocket } from 'node:tls';
import type { Socket } from 'node:net';
import { Problem } from '../problems/problem.js';

/** Of all places, the part kept for connections that have shown no credentials yet. */
const newcomersPart = 10;

/** One connection; for TLS the encrypted one and the plain one inside it are the same. */
interface Place {
  readonly socket: Socket;
  /** Principal of its last request; undefined while it has shown no credentials. */
  owner?: string;
  ended: boolean;
}

/**
 * Open connections over all listeners, bounded in all and for each principal.
 *
 * Whoever shows no credentials can open connections, and must not be able to shut out those who have some. So a new
 * connection is always taken; at the bound the one that has gone longest without credentials is closed for it, and a
 * tenth of the places is never given to principals, so that there is one. What a principal may not have is told by an
 * answer to its request, not by a closed connection.
 */
export class OpenConnections {
  /** Connections of all principals together, and of one of them: half of all, so that no one shuts out the others. */
  readonly mostClaimed: number;
  readonly mostOfOne: number;
  readonly #places = new WeakMap<Socket, Place>();
  /** Without credentials, the oldest first. */
  readonly #newcomers = new Set<Place>();
  /** TLS handshakes under way, by the peer's address. */
  readonly #handshakes = new Map<string, Place>();
  readonly #ofPrincipal = new Map<string, number>();
  #claimed = 0;

  constructor(readonly most: number) {
    this.mostClaimed = Math.max(1, most - Math.ceil(most / newcomersPart));
    this.mostOfOne = Math.max(1, Math.floor(most / 2));
  }

  /** Connections that are open. */
  get open(): number {
    return this.#claimed + this.#newcomers.size;
  }

  /** Counts the connections of a server from now on. */
  watch(server: Server): void {
    server.on('connection', (socket: Socket) => this.#take(socket, server instanceof TlsServer));
    server.on('secureConnection', (socket: TLSSocket) => this.#secured(socket));
  }

  /**
   * The sender of a request on this connection is known: it counts as the principal's from now on.
   * @returns the problem to answer with when the principal, or all of them, have too many; the connection stays a newcomer
   */
  claim(socket: Socket, principal: string): Problem | undefined {
    const place = this.#places.get(socket);
    if (place === undefined || place.ended || place.owner === principal) return undefined;
    this.#release(place);
    const own = this.#ofPrincipal.get(principal) ?? 0;
    const refusal = this.#refusal(own);
    if (refusal !== undefined) {
      this.#newcomers.add(place);
      return refusal;
    }
    place.owner = principal;
    this.#ofPrincipal.set(principal, own + 1);
    this.#claimed++;
    return undefined;
  }

  #refusal(own: number): Problem | undefined {
    const headers = { Connection: 'close', 'Retry-After': '1' };
    if (own >= this.mostOfOne)
      return new Problem(
        'too-many-requests',
        `These credentials hold ${own} connections, half of limits.connections: nobody gets more.`,
        { headers },
      );
    if (this.#claimed < this.mostClaimed) return undefined;
    return new Problem('too-many-requests', `${this.#claimed} connections are open (limits.connections).`, { headers });
  }

  #take(socket: Socket, handshake: boolean): void {
    // A request that is played to the server once more comes by a connection that is known.
    if (this.#places.has(socket)) return;
    if (this.open >= this.most) this.#makeRoom();
    const place: Place = { socket, ended: false };
    this.#places.set(socket, place);
    this.#newcomers.add(place);
    const address = handshake ? addressOf(socket) : undefined;
    if (address !== undefined) this.#handshakes.set(address, place);
    socket.once('close', () => {
      if (address !== undefined && this.#handshakes.get(address) === place) this.#handshakes.delete(address);
      this.#end(place);
    });
  }

  #secured(socket: TLSSocket): void {
    const address = addressOf(socket);
    const place = this.#handshakes.get(address);
    if (place === undefined) return;
    this.#handshakes.delete(address);
    this.#places.set(socket, place);
  }

  #makeRoom(): void {
    const [oldest] = this.#newcomers;
    if (oldest === undefined) return;
    this.#end(oldest);
    oldest.socket.destroy();
  }

  #end(place: Place): void {
    if (place.ended) return;
    this.#release(place);
    place.ended = true;
  }

  /** Gives up what the connection counts for. */
  #release(place: Place): void {
    this.#newcomers.delete(place);
    const { owner } = place;
    if (owner === undefined) return;
    delete place.owner;
    this.#claimed--;
    const left = (this.#ofPrincipal.get(owner) ?? 1) - 1;
    if (left === 0) this.#ofPrincipal.delete(owner);
    else this.#ofPrincipal.set(owner, left);
  }
}

function addressOf({ remoteAddress = '', remotePort = 0, localPort = 0 }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localPort}`;
}
