import type { Endpoint } from '@qmp-gateway/qmp';
import type { FakeConnection } from './fake-connection.js';
import { FakeMonitor } from './fake-monitor.js';

/**
 * Characters that would control a terminal, or end a line of a stream, a label of a metric, or a header, if they were
 * let through.
 */
export const nasty = '\r\nid: 1\r\ndata: {"event":"gap"}\n\n\u001b]0;owned\u0007\u001b[2J\u009b31m\u2028\u202e{},"\\\n';

/** Names of the gateway's own events, which no VM may send. */
export const ownEventNames = ['vm-changed', 'vm-removed', 'gap', 'bookmark', 'operation'] as const;

/** How a server describes itself; `modest` is as long as allowed, the others are not usable. */
export type HostileSchema = 'modest' | 'huge' | 'deep';

export interface HostileOptions {
  /** Characters of its name, uuid and status. */
  readonly nameLength?: number;
  /** For the session with this number, from 1. */
  readonly schema?: (session: number) => HostileSchema;
  /** The same schema in each session; otherwise each session has other commands. */
  readonly constant?: boolean;
}

/**
 * A server that speaks QMP and sends whatever hurts: unbounded names, another schema in each session, events with the
 * gateway's own names, floods of all of it. It always answers `query-status`, so that a session is possible.
 */
export class HostileMonitor {
  #sessions = 0;
  #round = 0;
  readonly #options: Required<HostileOptions>;

  private constructor(
    readonly fake: FakeMonitor,
    options: Required<HostileOptions>,
  ) {
    this.#options = options;
  }

  static async start(options: HostileOptions = {}): Promise<HostileMonitor> {
    const monitors: HostileMonitor[] = [];
    const connected = (connection: FakeConnection): void => monitors[0]?.greet(connection);
    const all = { nameLength: 20e6, schema: () => 'modest' as const, constant: false, ...options };
    const monitor = new HostileMonitor(await FakeMonitor.start({ connected }), all);
    monitors.push(monitor);
    monitor.#answer();
    return monitor;
  }

  get endpoint(): Endpoint {
    return this.fake.endpoint;
  }

  get sessions(): number {
    return this.#sessions;
  }

  /** The answer to `query-name`. */
  get name(): string {
    return `${nasty}${'n'.repeat(this.#options.nameLength)}`;
  }

  greet(connection: FakeConnection): void {
    this.#sessions++;
    const version = `{"qemu": {"micro": 0, "minor": 2, "major": 10}, "package": ${JSON.stringify(nasty + 'p'.repeat(5000))}}`;
    const capabilities = JSON.stringify(
      ['oob', ...Array.from({ length: 500 }, (_, n) => `${nasty}${n}`)].slice(0, 100),
    );
    connection.line(`{"QMP": {"version": ${version}, "capabilities": ${capabilities}}}`);
  }

  /** Alternates STOP and RESUME. @param times each */
  flap(times: number): void {
    this.#each((connection) => {
      for (let n = 0; n < times; n++) {
        connection.event('STOP');
        connection.event('RESUME');
      }
    });
  }

  /** Events with which it would pass for the gateway. */
  impersonate(): void {
    this.#each((connection) => {
      for (const name of ownEventNames)
        connection.event(name, { id: 'other', state: 'closed', vm: 'other', missed: 1e9 });
      for (const name of [nasty, 'eVENT', '', 'x-vm:STOP', 'STOP ', 'constructor']) connection.event(name, { nasty });
    });
  }

  /** Events of which every part is oversized. */
  bloat(): void {
    this.#each((connection) => {
      connection.event('N'.repeat(5000));
      connection.event('n'.repeat(5000));
      connection.event('BLOCK_JOB_ERROR', { device: 'd'.repeat(300_000), [nasty]: nasty });
      connection.event('RTC_CHANGE', { offset: 1 }, { seconds: 's'.repeat(5000), microseconds: nasty });
      connection.event('GUEST_PANICKED', { action: 'x'.repeat(5000) });
      connection.line(`{"event": "RTC_CHANGE", "data": {"deep": ${'['.repeat(900)}${']'.repeat(900)}}}`);
    });
  }

  /** Jobs start and end, each with another id. */
  jobs(count: number): void {
    this.#each((connection) => {
      for (let n = 0; n < count; n++) {
        const id = n % 2 === 0 ? `job-${++this.#round}` : `job-${++this.#round}${'j'.repeat(5000)}`;
        connection.event('JOB_STATUS_CHANGE', { id, status: 'created' });
        connection.event('BLOCK_JOB_COMPLETED', {
          device: id,
          type: nasty,
          error: 'e'.repeat(20_000),
          len: 1,
          offset: 0,
        });
        connection.event('JOB_STATUS_CHANGE', { id, status: 'null' });
      }
    });
  }

  /** Lines that answer nothing. */
  rave(bytes: number): void {
    this.#each((connection) => {
      connection.line(`{"return": ${'['.repeat(500)}${']'.repeat(500)}, "id": "of another ${++this.#round}"}`);
      connection.line(`{"event": "RTC_CHANGE", "data": {"x": "${'y'.repeat(bytes)}"}}`);
      connection.line(`{"return": "${'z'.repeat(bytes)}", "id": "of another ${++this.#round}"}`);
    });
  }

  /** Ends every connection, so that everything starts again. */
  reconnect(): void {
    for (const connection of [...this.fake.connections]) connection.socket.destroy();
  }

  stop(): Promise<void> {
    return this.fake.stop();
  }

  #each(act: (connection: FakeConnection) => void): void {
    for (const connection of this.fake.connections) if (connection.negotiated) act(connection);
  }

  #answer(): void {
    const { nameLength } = this.#options;
    const long = (letter: string): string => nasty + letter.repeat(nameLength);
    const list = (count: number, item: (n: number) => object): { return: unknown } => ({
      return: Array.from({ length: count }, (_, n) => item(n)),
    });
    this.fake
      .on('query-qmp-schema', () => ({ json: this.#schema() }))
      .on('query-status', () => ({ return: { running: true, status: 'running', [nasty]: nasty } }))
      .on('query-name', () => ({ return: { name: this.name } }))
      .on('query-uuid', () => ({ return: { UUID: long('u') } }))
      .on('query-yank', () => ({ return: [] }))
      .on('query-chardev', () => list(20_000, (n) => ({ label: `${nasty}${n}`, filename: `unix:/run/${n},server=on` })))
      .on('query-jobs', () => list(20_000, (n) => ({ id: `listed-${n}`, status: 'running', type: nasty })))
      .on('query-block', () => ({ error: { class: long('C'), desc: long('d') } }));
  }

  #schema(): string {
    const kind = this.#options.schema(this.#sessions);
    if (kind === 'deep') return '['.repeat(1000) + ']'.repeat(1000);
    const builtin = (name: string, json: string) => ({ name, 'meta-type': 'builtin', 'json-type': json });
    const command = (name: string, argument = 'empty') => ({
      ...{ name, 'meta-type': 'command', 'arg-type': argument, 'ret-type': 'any' },
    });
    const object = (name: string, members: readonly object[]) => ({ name, 'meta-type': 'object', members });
    const known = ['status', 'name', 'uuid', 'yank', 'chardev', 'jobs', 'block', 'qmp-schema'];
    const many = kind === 'huge' ? 100_000 : 500;
    const session = this.#options.constant ? 0 : this.#sessions;
    return JSON.stringify([
      ...[builtin('str', 'string'), builtin('any', 'value'), object('empty', [])],
      ...[command('qmp_capabilities'), command('stop'), ...known.map((name) => command(`query-${name}`))],
      ...Array.from({ length: many }, (_, n) => command(`x-${session}-${n}`, `${n % 400}`)),
      // Each leads to the next, with a name that no other name can be derived from.
      ...Array.from({ length: 400 }, (_, n) =>
        object(`${n}`, [
          { name: `m${'m'.repeat(100)}${n}`, type: `${(n + 1) % 400}` },
          { name: nasty, type: 'str' },
        ]),
      ),
      object('wordy', [{ name: 'w'.repeat(50_000), type: 'str' }]),
      ...[
        command('y'.repeat(5000)),
        command(nasty),
        command('{},"\n'),
        command('../../metrics'),
        command('x-wordy', 'wordy'),
      ],
      { name: 'values', 'meta-type': 'enum', values: Array.from({ length: 5000 }, (_, n) => `${nasty}${n}`) },
      object('enumerated', [{ name: 'value', type: 'values' }]),
      command('x-enumerated', 'enumerated'),
      { name: 'E'.repeat(5000), 'meta-type': 'event', 'arg-type': 'empty' },
      { name: 'vm-changed', 'meta-type': 'event', 'arg-type': 'empty' },
    ]);
  }
}
