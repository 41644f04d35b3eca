import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import path from 'node:path';
import type { Endpoint } from '@qmp-gateway/qmp';
import { makeTempDir, removeTempDir } from './temp-dir.js';

/** What to do with the bytes of one direction; may change while connections are open. */
export interface FaultRules {
  /** Most bytes in each write; 0: no limit. */
  chunk: number;
  /** Milliseconds to delay each piece. */
  delayMs: number;
  /** After this many bytes of a connection both sides are closed; null: never. */
  cutAfter: number | null;
  /** Changes the byte at this offset of a connection to another one. */
  corruptAt: number | null;
  /** Nothing passes while set; arriving bytes are kept. */
  stalled: boolean;
}

const harmless: FaultRules = { chunk: 0, delayMs: 0, cutAfter: null, corruptAt: null, stalled: false };

/** A proxy between a client and a server's socket that damages what passes, or only listens. */
export class FaultProxy {
  readonly toClient: FaultRules;
  readonly toServer: FaultRules;
  /** Number of accepted connections. */
  accepted = 0;
  /** Told what clients send, before any damage. */
  sent: ((bytes: Buffer) => void) | null = null;
  readonly #target: string | number;
  readonly #server: Server;
  readonly #directory = makeTempDir();
  readonly #sockets = new Set<Socket>();

  private constructor(
    target: string | number,
    rules: { toClient?: Partial<FaultRules>; toServer?: Partial<FaultRules> },
  ) {
    this.#target = target;
    this.toClient = { ...harmless, ...rules.toClient };
    this.toServer = { ...harmless, ...rules.toServer };
    this.#server = createServer((client) => this.#join(client));
  }

  /** @param target path of the server's socket, or its port on 127.0.0.1: the proxy then has one too */
  static async start(
    target: string | number,
    rules: { toClient?: Partial<FaultRules>; toServer?: Partial<FaultRules> } = {},
  ): Promise<FaultProxy> {
    const proxy = new FaultProxy(target, rules);
    if (typeof target === 'string') proxy.#server.listen(proxy.#path);
    else proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get endpoint(): Extract<Endpoint, { kind: 'unix' }> {
    return { kind: 'unix', path: this.#path };
  }

  /** Of a proxy before a port. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get #path(): string {
    return path.join(this.#directory, 'proxy');
  }

  /** Closes all connections; accepts new ones. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cut();
    await closed;
    removeTempDir(this.#directory);
  }

  #join(client: Socket): void {
    this.accepted++;
    const server = typeof this.#target === 'string' ? connect(this.#target) : connect(this.#target, '127.0.0.1');
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    client.on('data', (chunk: Buffer) => this.sent?.(chunk));
    this.#forward(server, client, this.toClient);
    this.#forward(client, server, this.toServer);
  }

  #forward(from: Socket, to: Socket, rules: FaultRules): void {
    let offset = 0;
    let held: Buffer[] = [];
    const pass = (bytes: Buffer): void => {
      if (rules.delayMs > 0) setTimeout(() => to.writable && to.write(bytes), rules.delayMs);
      else if (to.writable) to.write(bytes);
    };
    const spoil = (chunk: Buffer): void => {
      const { corruptAt, cutAfter } = rules;
      let bytes = chunk;
      if (corruptAt !== null && corruptAt >= offset && corruptAt < offset + bytes.length) {
        bytes = Buffer.from(bytes);
        bytes[corruptAt - offset] = (bytes[corruptAt - offset] as number) ^ 0x15;
      }
      if (cutAfter !== null) bytes = bytes.subarray(0, Math.max(0, cutAfter - offset));
      offset += chunk.length;
      const size = rules.chunk === 0 ? Math.max(1, bytes.length) : rules.chunk;
      for (let at = 0; at < bytes.length; at += size) pass(bytes.subarray(at, at + size));
      if (cutAfter === null || offset < cutAfter) return;
      to.end(() => to.destroy());
      from.destroy();
    };
    from.on('data', (chunk: Buffer) => {
      held.push(chunk);
      if (rules.stalled) return;
      const ready = held;
      held = [];
      ready.forEach(spoil);
    });
  }
}
