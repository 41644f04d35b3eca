import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { makeTempDir, removeTempDir } from './temp-dir.js';

const readyDeadlineMs = 15_000;
const lookMs = 20;

export interface NatsOptions {
  /** Servers that form one cluster; one by default. */
  readonly servers?: number;
  /** Text in the syntax of the server's configuration, for each of them: users, permissions, limits. */
  readonly configuration?: string;
  /** What JetStream of each may store, in bytes. */
  readonly storeBytes?: number;
}

/** One NATS server: it keeps its port and its files over ends and starts. */
export class NatsServer {
  #child: ChildProcess | undefined;
  #log = '';

  /** @param file its configuration */
  constructor(
    readonly name: string,
    readonly port: number,
    private readonly file: string,
  ) {}

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  log(): string {
    return this.#log;
  }

  /** Starts it, and waits until it takes connections. */
  async start(): Promise<void> {
    const child = spawn(natsProgram(), ['-c', this.file], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    child.stderr.on('data', (text: Buffer) => (this.#log += text.toString()));
    child.once('error', (error) => (this.#log += error.message));
    const until = Date.now() + readyDeadlineMs;
    while (!(await this.#takesConnections())) {
      if (child.exitCode !== null || Date.now() > until) throw new Error(`nats-server did not start: ${this.#log}`);
      await new Promise((resolve) => setTimeout(resolve, lookMs));
    }
  }

  /** @param signal `SIGSTOP` and `SIGCONT` freeze and thaw it */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Freezes it, and waits until it stands still: what is sent from now on it passes on when it is thawed. */
  async freeze(): Promise<void> {
    this.signal('SIGSTOP');
    const until = Date.now() + readyDeadlineMs;
    // The state is behind the name of the program (proc(5)).
    while (!/\) T /.test(readFileSync(`/proc/${String(this.pid)}/stat`, 'utf8'))) {
      if (Date.now() > until) throw new Error('nats-server does not stand still');
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /** Ends it at once, as a power cut would. Its files stay. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    await ended;
  }

  #takesConnections(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(this.port, '127.0.0.1');
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
  }
}

/** One NATS server, or a cluster of them, with JetStream, on this machine only. Debian's, or what `NATS_SERVER` names. */
export class NatsServers {
  private constructor(
    readonly all: readonly NatsServer[],
    private readonly directory: string,
  ) {}

  static async start({ servers = 1, configuration = '', storeBytes }: NatsOptions = {}): Promise<NatsServers> {
    const directory = makeTempDir();
    const ports = await freePorts(2 * servers);
    const bound = storeBytes === undefined ? '' : `, max_file_store: ${storeBytes}`;
    const routes = ports.slice(servers).map((port) => `nats-route://127.0.0.1:${port}`);
    const all = Array.from({ length: servers }, (_, at) => {
      const name = `n${at + 1}`;
      const own = path.join(directory, name);
      mkdirSync(own);
      const file = path.join(own, 'nats.conf');
      const cluster =
        servers === 1
          ? ''
          : `cluster { name: test, listen: "127.0.0.1:${String(ports[servers + at])}", routes: ${JSON.stringify(routes)} }\n`;
      writeFileSync(
        file,
        `server_name: ${name}\nlisten: "127.0.0.1:${String(ports[at])}"\n` +
          `jetstream { store_dir: ${JSON.stringify(own)}${bound} }\n${cluster}${configuration}\n`,
      );
      return new NatsServer(name, ports[at] as number, file);
    });
    const started = new NatsServers(all, directory);
    try {
      await Promise.all(all.map((server) => server.start()));
    } catch (error) {
      await started.stop();
      throw error;
    }
    return started;
  }

  /** The only one, or the first. */
  get first(): NatsServer {
    return this.all[0] as NatsServer;
  }

  get urls(): string[] {
    return this.all.map(({ url }) => url);
  }

  /** Ends them and removes their files. */
  async stop(): Promise<void> {
    await Promise.all(this.all.map((server) => server.kill()));
    removeTempDir(this.directory);
  }
}

function natsProgram(): string {
  return process.env['NATS_SERVER'] ?? 'nats-server';
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
