import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import path from 'node:path';
import type { Endpoint } from '@qmp-gateway/qmp';
import { makeTempDir, removeTempDir } from './temp-dir.js';

/** What happens to the bytes of one direction; may be changed while connections are open. */
export interface FaultRules {
  /** Bytes of each write at most; 0: as they come. */
  chunk: number;
  /** Milliseconds each piece is held back. */
  delayMs: number;
  /** After so many bytes of a connection both sides are closed; null: never. */
  cutAfter: number | null;
  /** Turns the byte at this offset of a connection into another one. */
  corruptAt: number | null;
  /** Nothing passes while set; what comes is kept. */
  stalled: boolean;
}

const harmless: FaultRules = { chunk: 0, delayMs: 0, cutAfter: null, corruptAt: null, stalled: false };

/** Stands between a client and a server's unix socket, and spoils what passes. */
export class FaultProxy {
  readonly toClient: FaultRules;
  readonly toServer: FaultRules;
  /** Connections accepted in all. */
  accepted = 0;
  readonly #target: string;
  readonly #server: Server;
  readonly #directory = makeTempDir();
  readonly #sockets = new Set<Socket>();

  private constructor(target: string, rules: { toClient?: Partial<FaultRules>; toServer?: Partial<FaultRules> }) {
    this.#target = target;
    this.toClient = { ...harmless, ...rules.toClient };
    this.toServer = { ...harmless, ...rules.toServer };
    this.#server = createServer((client) => this.#join(client));
  }

  /** @param target path of the server's socket. */
  static async start(
    target: string,
    rules: { toClient?: Partial<FaultRules>; toServer?: Partial<FaultRules> } = {},
  ): Promise<FaultProxy> {
    const proxy = new FaultProxy(target, rules);
    proxy.#server.listen(proxy.#path);
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get endpoint(): Extract<Endpoint, { kind: 'unix' }> {
    return { kind: 'unix', path: this.#path };
  }

  get #path(): string {
    return path.join(this.#directory, 'proxy');
  }

  /** Closes all connections; new ones are taken. */
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
    const server = connect(this.#target);
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
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
