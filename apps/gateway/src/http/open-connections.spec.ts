import { EventEmitter } from 'node:events';
import type { Server, Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import { beforeEach, describe, expect, it } from 'vitest';
import { OpenConnections } from './open-connections.js';

/** As much of a socket as is looked at; `close` comes a turn after `destroy`, as with real ones. */
class FakeSocket extends EventEmitter {
  destroyed = false;

  constructor(readonly remotePort = 0) {
    super();
  }

  destroy(): void {
    this.destroyed = true;
    setImmediate(() => this.emit('close'));
  }

  close(): void {
    this.emit('close');
  }
}

let server: EventEmitter;
let connections: OpenConnections;

beforeEach(() => use(20));

function use(most: number): void {
  server = new EventEmitter();
  connections = new OpenConnections(most);
  connections.watch(server as unknown as Server);
}

function connect(socket = new FakeSocket()): FakeSocket {
  server.emit('connection', socket);
  return socket;
}
const claim = (socket: FakeSocket, principal: string) =>
  connections.claim(socket as unknown as Socket, principal)?.code;

describe('connections without credentials', () => {
  it('make room for newer ones, the oldest first, and are never more than all places', () => {
    const early = Array.from({ length: 20 }, () => connect());
    const late = Array.from({ length: 15 }, () => connect());
    expect(early.map(({ destroyed }) => destroyed)).toEqual(early.map((_, at) => at < 15));
    expect(late.some(({ destroyed }) => destroyed)).toBe(false);
    expect(connections.open).toBe(20);
  });

  it('never take the place of one that has shown some', () => {
    const held = connect();
    expect(claim(held, 'a')).toBeUndefined();
    for (let more = 0; more < 50; more++) connect();
    expect(held.destroyed).toBe(false);
    expect(connections.open).toBe(20);
  });
});

describe('a principal', () => {
  it('gets half of all, then an answer that says so, and what it lets go can be had again', () => {
    const held = Array.from({ length: 10 }, () => connect());
    expect(held.map((socket) => claim(socket, 'a'))).toEqual(held.map(() => undefined));
    const next = connect();
    expect(claim(next, 'a')).toBe('too-many-requests');
    // It is a newcomer still: another one's request may come by it.
    expect(claim(next, 'b')).toBeUndefined();
    held[0]?.close();
    expect(claim(connect(), 'a')).toBeUndefined();
  });

  it('is counted once for a connection, however many requests come by it', () => {
    const one = connect();
    for (let request = 0; request < 30; request++) expect(claim(one, 'a')).toBeUndefined();
    expect(connections.open).toBe(1);
  });

  it('gives a connection up to the next who uses it', () => {
    const shared = connect();
    for (const principal of ['a', 'b', 'a', 'c']) expect(claim(shared, principal)).toBeUndefined();
    shared.close();
    expect(connections.open).toBe(0);
  });
});

it('leaves a tenth of all places to those who come next, and refuses with an answer', () => {
  const claims = Array.from({ length: 20 }, (_, at) => claim(connect(), `principal-${at}`));
  expect(claims.filter((code) => code === undefined)).toHaveLength(18);
  expect(claims.slice(18)).toEqual(['too-many-requests', 'too-many-requests']);
  expect(connections.open).toBe(20);
});

it('takes a connection of TLS and what it carries for one', () => {
  server = Object.setPrototypeOf(new EventEmitter(), TlsServer.prototype) as EventEmitter;
  connections.watch(server as unknown as Server);
  const plain = connect(new FakeSocket(4711));
  const secure = new FakeSocket(4711);
  server.emit('secureConnection', secure);
  expect(claim(secure, 'a')).toBeUndefined();
  for (let more = 0; more < 50; more++) connect();
  expect(plain.destroyed).toBe(false);
  const before = connections.open;
  plain.close();
  expect(connections.open).toBe(before - 1);
});

it('counts a connection that is given to the server twice once', () => {
  const socket = connect();
  connect(socket);
  expect(connections.open).toBe(1);
  socket.close();
  expect(connections.open).toBe(0);
});
