import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import path from 'node:path';
import type { Endpoint } from '@qmp-gateway/qmp';
import { DescriptorChannel, type Descriptor } from '@qmp-gateway/unix-fds';
import { commandsWithArguments, stratovirtCommands } from './stratovirt-commands.js';
import { makeTempDir, removeTempDir } from './temp-dir.js';

/** Events that a command causes, beside its reply. */
export interface StratovirtAnswer {
  readonly json?: string;
  readonly error?: { readonly class: string; readonly desc: string };
  readonly events?: readonly { readonly name: string; readonly data: string }[];
  /** The server ends after it. */
  readonly exit?: boolean;
}

export type StratovirtHandler = (argumentsValue: unknown) => StratovirtAnswer | Promise<StratovirtAnswer>;

export interface StratovirtOptions {
  /**
   * When to write events: after the reply (2.5 and later), before it (up to 2.4), or between its CR and LF (up to 2.4,
   * by chance).
   */
  readonly events?: 'after' | 'before' | 'inside';
  readonly version?: string;
  /** On tcp, where the end of the stream can end it. */
  readonly tcp?: boolean;
  /** Default: a standard machine; for a microVM a reset is the end. */
  readonly machine?: 'standard' | 'micro';
  /** The answer to `query-commands`; commands that no StratoVirt has are still refused. */
  readonly commands?: readonly string[];
  /** It takes descriptors; needs the native addon. */
  readonly descriptors?: boolean;
}

const messageBytes = 8192;
const bucketLimit = 100;

/**
 * StratoVirt's behaviour on the wire: everything that has arrived is one document of at most 8,192 bytes; about 100
 * messages a second; ids are echoed only sometimes; one client at a time, while others wait for a greeting.
 */
export class StratovirtFake {
  readonly handlers = new Map<string, StratovirtHandler>();
  /** Names of the executed commands, in order. */
  readonly executed: string[] = [];
  /**
   * Violations that a well-behaved client never commits: `too-long`, `not-one-document`, `throttled`, `half-closed`; on
   * tcp `ended`, for an end without reset, and `panicked` if that end found a stale errno.
   */
  readonly offences: string[] = [];
  /** By the names that `getfd` gave them; a name that is used again closes nothing. */
  readonly descriptors = new Map<string, Descriptor>();
  /** All that it has received and will never close. */
  readonly received: Descriptor[] = [];
  readonly #options: StratovirtOptions;
  readonly #server: Server;
  readonly #directory = makeTempDir();
  readonly #waiting: Socket[] = [];
  #client: Socket | null = null;
  #port = 0;
  #level = 0;
  #leakedAt = 0;
  /** The last action left an errno that the end of a tcp stream would misread. */
  #staleErrno = true;

  private constructor(options: StratovirtOptions) {
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
      socket.on('error', () => undefined);
      if (this.#client === null) this.#greet(socket);
      else this.#waiting.push(socket);
    });
    this.handlers.set('query-status', () => ({ json: '{"running":true,"singlestep":false,"status":"running"}' }));
    const { commands = stratovirtCommands } = options;
    this.handlers.set('query-commands', () => ({ json: JSON.stringify(commands.map((name) => ({ name }))) }));
    this.handlers.set('query-qmp-schema', () => ({ json: '{}' }));
    this.handlers.set('stop', () => ({ json: '{}', events: [{ name: 'STOP', data: '{}' }] }));
    this.handlers.set('cont', () => ({ json: '{}', events: [{ name: 'RESUME', data: '{}' }] }));
    const micro = options.machine === 'micro';
    this.handlers.set('query-hotpluggable-cpus', () => ({ json: micro ? '[{"type":"host-x86-cpu"}]' : '{}' }));
    this.handlers.set('system_reset', () =>
      micro ? { json: '{}', exit: true } : { json: '{}', events: [{ name: 'RESET', data: '{"guest":true}' }] },
    );
    this.handlers.set('netdev_replace', () => ({ json: '"netdev_replace not supported for VM"' }));
    this.handlers.set('quit', () => ({
      json: '{}',
      events: [{ name: 'SHUTDOWN', data: '{"guest":false,"reason":"host-qmp-quit"}' }],
      exit: true,
    }));
  }

  static async start(options: StratovirtOptions = {}): Promise<StratovirtFake> {
    const fake = new StratovirtFake(options);
    if (options.tcp === true) fake.#server.listen(0, '127.0.0.1');
    else fake.#server.listen(path.join(fake.#directory, 'qmp'));
    await once(fake.#server, 'listening');
    const address = fake.#server.address();
    if (address !== null && typeof address === 'object') fake.#port = address.port;
    return fake;
  }

  get endpoint(): Extract<Endpoint, { kind: 'unix' }> {
    return { kind: 'unix', path: path.join(this.#directory, 'qmp') };
  }

  /** With `tcp`. */
  get tcpEndpoint(): Extract<Endpoint, { kind: 'tcp' }> {
    return { kind: 'tcp', host: '127.0.0.1', port: this.#port };
  }

  emit(name: string, data: string): void {
    this.#client?.write(eventText(name, data));
  }

  async stop(): Promise<void> {
    await this.#end();
    for (const descriptor of this.received) descriptor.close();
    removeTempDir(this.#directory);
  }

  #end(): Promise<unknown> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#client?.destroy();
    for (const socket of this.#waiting) socket.destroy();
    return closed;
  }

  /**
   * The end of a tcp stream is not a hang-up: StratoVirt reads, gets nothing, and checks an errno that the read did not
   * set.
   */
  #streamEnded(socket: Socket): void {
    this.offences.push('ended');
    if (this.#staleErrno) {
      this.offences.push('panicked');
      void this.#end();
    } else socket.destroy();
  }

  #greet(socket: Socket): void {
    this.#client = socket;
    this.#staleErrno = true;
    this.#level = 0;
    this.#leakedAt = performance.now();
    const version = `{"qemu":{"micro":1,"minor":0,"major":5},"package":"StratoVirt-${this.#options.version ?? '2.5.0'}"}`;
    socket.write(`{"QMP":{"version":${version},"capabilities":[]}}\r\n`);
    if (this.#options.descriptors === true) this.#receiveWithDescriptors(socket);
    else socket.on('data', (chunk: Buffer) => void this.#receive(chunk));
    // A client that is gone altogether accepts no more bytes; one that half-closed does.
    socket.on('end', () => {
      if (this.#options.tcp === true) {
        this.#streamEnded(socket);
        return;
      }
      socket.write('\n', (error) => {
        if (error === null || error === undefined) this.offences.push('half-closed');
        socket.destroy();
      });
    });
    socket.on('close', () => {
      this.#client = null;
      const next = this.#waiting.shift();
      if (next !== undefined) this.#greet(next);
    });
    if (this.#options.descriptors !== true) socket.resume();
  }

  /** Of those with one message it uses the last; all stay open. */
  #receiveWithDescriptors(socket: Socket): void {
    const channel = DescriptorChannel.beside(socket);
    socket.once('close', () => channel.close());
    channel.receive({
      received: (bytes, descriptors) => {
        this.received.push(...descriptors);
        void this.#receive(bytes, descriptors.at(-1));
      },
      ended: () => socket.destroy(),
    });
  }

  async #receive(chunk: Buffer, descriptor?: Descriptor): Promise<void> {
    if (!this.#admit()) {
      this.offences.push('throttled');
      this.#error({ class: 'OperationThrottled', desc: 'More than 100 requests received during 1 second' });
      return;
    }
    if (chunk.length > messageBytes) {
      this.offences.push('too-long');
      this.#error({ class: 'GenericError', desc: 'The socket message is too long.' });
      return;
    }
    let message: unknown;
    try {
      message = JSON.parse(chunk.toString().trim());
    } catch {
      this.offences.push('not-one-document');
      this.#error({ class: 'GenericError', desc: 'trailing characters at line 2 column 1' });
      return;
    }
    await this.#run(message as Record<string, unknown>, descriptor);
  }

  #admit(): boolean {
    const now = performance.now();
    this.#level = Math.max(0, this.#level - ((now - this.#leakedAt) / 1000) * bucketLimit);
    this.#leakedAt = now;
    if (this.#level > bucketLimit) return false;
    this.#level++;
    return true;
  }

  async #run(message: Record<string, unknown>, descriptor?: Descriptor): Promise<void> {
    const stray = Object.keys(message).find((key) => !['execute', 'arguments', 'id'].includes(key));
    const { execute, id } = message;
    if (typeof execute !== 'string') {
      this.#error({ class: 'GenericError', desc: 'missing field `execute` at line 1 column 2' });
    } else if (stray !== undefined) {
      this.#error({ class: 'GenericError', desc: `unknown field \`${stray}\`` });
    } else if (id !== undefined && id !== null && typeof id !== 'string') {
      this.#error({ class: 'GenericError', desc: `invalid type: ${typeof id}, expected a string` });
    } else if (!stratovirtCommands.includes(execute)) {
      const names = stratovirtCommands.map((name) => `\`${name}\``).join(', ');
      this.#error({
        class: 'GenericError',
        desc: `unknown variant \`${execute}\`, expected one of ${names} at line 1 column 17`,
      });
    } else if (execute === 'qmp_capabilities' && message['arguments'] !== undefined) {
      this.#error({ class: 'GenericError', desc: 'unknown field `enable`, there are no fields' });
    } else if (commandsWithArguments.has(execute) && message['arguments'] === undefined) {
      this.#error({ class: 'GenericError', desc: 'missing field `arguments`' });
    } else if (execute === 'query-ohui-status' && message['arguments'] !== undefined) {
      this.#error({ class: 'GenericError', desc: 'invalid type: map, expected a string' });
    } else if (execute === 'getfd' && this.#options.descriptors === true && descriptor === undefined) {
      this.#error({ class: 'GenericError', desc: 'Invalid SCM message' });
    } else {
      if (execute === 'getfd' && descriptor !== undefined) {
        const { fdname } = message['arguments'] as { fdname: string };
        this.descriptors.set(fdname, descriptor);
      }
      const answer = (await this.handlers.get(execute)?.(message['arguments'])) ?? { json: '{}' };
      this.executed.push(execute);
      const echoed = typeof id === 'string' && execute !== 'qmp_capabilities' && execute !== 'block-commit';
      this.#answer(answer, echoed ? `,"id":${JSON.stringify(id)}` : '');
    }
  }

  #answer(answer: StratovirtAnswer, id: string): void {
    const { error, json = '{}', events = [], exit } = answer;
    this.#staleErrno = error !== undefined;
    const reply = error === undefined ? `{"return":${json}${id}}` : `{"error":${JSON.stringify(error)}${id}}`;
    const told = events.map(({ name, data }) => eventText(name, data)).join('');
    const order = this.#options.events ?? 'after';
    if (order === 'before') this.#client?.write(told);
    this.#client?.write(`${reply}\r`);
    if (order === 'inside') this.#client?.write(told);
    this.#client?.write('\n');
    if (order === 'after') this.#client?.write(told);
    if (exit === true) this.#client?.end(() => this.#client?.destroy());
  }

  /** Errors found before a command is known have no id. */
  #error(error: { class: string; desc: string }): void {
    this.#answer({ error }, '');
  }
}

function eventText(name: string, data: string): string {
  return `{"event":"${name}","data":${data},"timestamp":{"seconds":1,"microseconds":2}}\r\n`;
}
