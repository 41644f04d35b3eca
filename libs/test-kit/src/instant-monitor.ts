import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import path from 'node:path';
import type { Endpoint } from '@qmp-gateway/qmp';
import { makeTempDir, removeTempDir } from './temp-dir.js';

/**
 * A monitor that costs next to nothing, for benchmarks: it looks for name and id in each line and answers a fixed text.
 * Messages must end with a newline and come whole lines at a time or in any cut.
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

  /** Ends all connections without a word; clients may dial again. */
  resetAll(): void {
    for (const socket of this.#sockets) socket.destroy();
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
    let rest = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      let answer = '';
      for (const line of lines) answer += this.#answer(line);
      if (answer !== '') socket.write(answer, 'latin1');
    });
  }

  #answer(line: string): string {
    const name = line.indexOf('":"') + 3;
    const reply = this.#replies.get(line.slice(name, line.indexOf('"', name))) ?? '{}';
    return `{"return": ${reply}, "id": ${line.slice(line.lastIndexOf('"id":') + 5)}\r\n`;
  }
}
