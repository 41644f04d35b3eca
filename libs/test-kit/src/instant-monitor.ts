import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import path from 'node:path';
import type { Endpoint } from '@qmp-gateway/qmp';
import { JsonDocuments } from './json-documents.js';
import { makeTempDir, removeTempDir } from './temp-dir.js';

/**
 * A monitor with almost no cost, for benchmarks: it finds name and id in each message and answers with a
 * fixed text. The id, if there is one, must be the last member; messages may arrive in any pieces.
 */
export class InstantMonitor {
  readonly #replies: ReadonlyMap<string, string>;
  readonly #server: Server;
  readonly #directory: string;
  readonly #sockets = new Set<Socket>();

  private constructor(replies: Readonly<Record<string, string>>) {
    this.#replies = new Map(Object.entries(replies));
    this.#directory = makeTempDir();
    this.#server = createServer((socket) => this.#serve(socket));
  }

  /** @param replies `return` values as JSON text by command name; `{}` for all others. */
  static async start(replies: Readonly<Record<string, string>> = {}): Promise<InstantMonitor> {
    const monitor = new InstantMonitor(replies);
    monitor.#server.listen(path.join(monitor.#directory, 'qmp'));
    await once(monitor.#server, 'listening');
    return monitor;
  }

  get endpoint(): Extract<Endpoint, { kind: 'unix' }> {
    return { kind: 'unix', path: path.join(this.#directory, 'qmp') };
  }

  /** Ends all connections without notice; clients may dial again. */
  resetAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Writes these bytes to one connection, to the next one at each call. */
  writeInTurn(bytes: string | Buffer): void {
    const [next] = this.#sockets;
    if (next === undefined) return;
    next.write(bytes);
    // A set keeps the order in which things came: this one is the last now.
    this.#sockets.delete(next);
    this.#sockets.add(next);
  }

  /** Writes these bytes to every connection. */
  broadcast(bytes: string | Buffer): void {
    for (const socket of this.#sockets) socket.write(bytes);
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.resetAll();
    await closed;
    removeTempDir(this.#directory);
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.write(
      '{"QMP": {"version": {"qemu": {"micro": 0, "minor": 2, "major": 10}, "package": ""}, "capabilities": ["oob"]}}\r\n',
    );
    const documents = new JsonDocuments();
    socket.on('data', (chunk) => {
      let answer = '';
      for (const message of documents.feed(chunk)) answer += this.#answer(message.toString('latin1'));
      if (answer !== '') socket.write(answer, 'latin1');
    });
  }

  #answer(message: string): string {
    const name = message.indexOf('":"') + 3;
    const reply = this.#replies.get(message.slice(name, message.indexOf('"', name))) ?? '{}';
    const id = message.lastIndexOf('"id":');
    return id < 0 ? `{"return": ${reply}}\r\n` : `{"return": ${reply}, "id": ${message.slice(id + 5)}\r\n`;
  }
}
