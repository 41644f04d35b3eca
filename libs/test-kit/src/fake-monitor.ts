import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import path from 'node:path';
import type { Endpoint } from '@qmp-gateway/qmp';
import { FakeConnection } from './fake-connection.js';
import { JsonDocuments } from './json-documents.js';
import { makeTempDir, removeTempDir } from './temp-dir.js';

/** A command as the fake received it. */
export interface FakeCommand {
  readonly name: string;
  readonly arguments: unknown;
  /** JSON text of the id member; undefined if there was none. */
  readonly id: string | undefined;
  readonly outOfBand: boolean;
  /** The message as received, without surrounding bytes. */
  readonly raw: Buffer;
  readonly connection: FakeConnection;
}

/** `json` is the `return` value as JSON text; `raw` is written unchanged; null: no answer. */
export type FakeAnswer =
  | { readonly return: unknown }
  | { readonly json: string }
  | { readonly error: { readonly class: string; readonly desc: string } }
  | { readonly raw: string | Buffer }
  | null;

export type FakeHandler = (command: FakeCommand) => FakeAnswer | Promise<FakeAnswer>;

export interface FakeMonitorOptions {
  /** Default: a unix socket in a new directory. */
  readonly listen?: 'unix' | 'tcp';
  /** The socket's path, in a directory of the caller. */
  readonly path?: string;
  /** Default `["oob"]`. */
  readonly capabilities?: readonly string[];
  readonly package?: string;
  /** `major.minor.micro`, default 10.2.0. */
  readonly version?: string;
  /** Most bytes in each write. */
  readonly chunk?: number;
  /** Replaces the greeting at connect; if it writes nothing, there is no greeting. */
  readonly connected?: (connection: FakeConnection) => void;
  /** Never reads what the client sends. */
  readonly deaf?: boolean;
}

/** A scriptable QMP server: greets, negotiates, answers by handler, and records what it received. */
export class FakeMonitor {
  readonly commands: FakeCommand[] = [];
  readonly connections: FakeConnection[] = [];
  readonly handlers = new Map<string, FakeHandler>();
  /** Number of accepted connections. */
  accepted = 0;
  readonly #options: FakeMonitorOptions;
  readonly #server: Server;
  readonly #directory: string | null;
  readonly #path: string;
  #waiting: { readonly name: string; readonly resolve: (command: FakeCommand) => void }[] = [];

  private constructor(options: FakeMonitorOptions) {
    this.#options = options;
    this.#directory = options.path === undefined ? makeTempDir() : null;
    this.#path = options.path ?? path.join(this.#directory ?? '', 'qmp');
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.attach(socket);
    });
    this.handlers.set('qmp_capabilities', (command) => {
      command.connection.negotiated = true;
      return { json: '{}' };
    });
  }

  static async start(options: FakeMonitorOptions = {}): Promise<FakeMonitor> {
    const fake = new FakeMonitor(options);
    if (options.listen === 'tcp') fake.#server.listen(0, '127.0.0.1');
    else fake.#server.listen(fake.#path);
    await once(fake.#server, 'listening');
    return fake;
  }

  get endpoint(): Endpoint {
    if (this.#options.listen !== 'tcp') return { kind: 'unix', path: this.#path };
    return { kind: 'tcp', host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port };
  }

  /** The greeting line, without its end. */
  get greeting(): string {
    const { capabilities = ['oob'], package: name = '', version: release = '10.2.0' } = this.#options;
    const [major = '', minor = '', micro = ''] = release.split('.');
    const version = `{"qemu": {"micro": ${micro}, "minor": ${minor}, "major": ${major}}, "package": ${JSON.stringify(name)}}`;
    return `{"QMP": {"version": ${version}, "capabilities": ${JSON.stringify(capabilities)}}}`;
  }

  /** Serves QMP on a connected socket; for a fake that dials, or that speaks TLS. */
  attach(socket: Socket): FakeConnection {
    this.accepted++;
    const connection = new FakeConnection(socket, this.#options.chunk ?? 0);
    this.#serve(connection);
    return connection;
  }

  /** Answers `name` with `handler` from now on. */
  on(name: string, handler: FakeHandler): this {
    this.handlers.set(name, handler);
    return this;
  }

  /** The next command of this name; call before it can arrive. */
  next(name: string): Promise<FakeCommand> {
    return new Promise((resolve) => this.#waiting.push({ name, resolve }));
  }

  /** Writes an event to every negotiated connection. */
  emit(name: string, data?: unknown): void {
    for (const connection of this.connections) if (connection.negotiated) connection.event(name, data);
  }

  /** Answers a command now; for handlers that answered null. */
  answer(command: FakeCommand, answer: FakeAnswer): void {
    const id = command.id === undefined ? '' : `"id": ${command.id}`;
    const after = id === '' ? '' : `, ${id}`;
    const before = id === '' ? '' : `${id}, `;
    const { connection } = command;
    if (answer === null) return;
    if ('raw' in answer) connection.write(answer.raw);
    else if ('error' in answer) connection.line(`{${before}"error": ${JSON.stringify(answer.error)}}`);
    else connection.line(`{"return": ${'json' in answer ? answer.json : JSON.stringify(answer.return)}${after}}`);
  }

  /** Stops listening, resets all connections and removes the socket. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const connection of this.connections) connection.socket.destroy();
    await closed;
    if (this.#directory !== null) removeTempDir(this.#directory);
  }

  #serve(connection: FakeConnection): void {
    const { socket } = connection;
    this.connections.push(connection);
    socket.on('close', () => this.connections.splice(this.connections.indexOf(connection), 1));
    socket.on('end', () => socket.destroy());
    const documents = new JsonDocuments();
    if (this.#options.deaf === true) socket.pause();
    else socket.on('data', (chunk) => documents.feed(chunk).forEach((raw) => this.#receive(raw, connection)));
    if (this.#options.connected === undefined) connection.line(this.greeting);
    else this.#options.connected(connection);
  }

  #receive(raw: Buffer, connection: FakeConnection): void {
    const message = JSON.parse(raw.toString()) as Record<string, unknown>;
    const outOfBand = 'exec-oob' in message;
    const command: FakeCommand = {
      name: String(message[outOfBand ? 'exec-oob' : 'execute']),
      arguments: message['arguments'],
      id: 'id' in message ? JSON.stringify(message['id']) : undefined,
      outOfBand,
      raw,
      connection,
    };
    this.commands.push(command);
    const waiting = this.#waiting.filter(({ name }) => name === command.name);
    this.#waiting = this.#waiting.filter(({ name }) => name !== command.name);
    for (const { resolve } of waiting) resolve(command);
    const handler = this.handlers.get(command.name);
    const answer = handler?.(command) ?? (handler === undefined ? unknownCommand(command.name) : null);
    if (answer instanceof Promise) void answer.then((value) => this.answer(command, value));
    else this.answer(command, answer);
  }
}

function unknownCommand(name: string): FakeAnswer {
  return { error: { class: 'CommandNotFound', desc: `The command ${name} has not been found` } };
}
