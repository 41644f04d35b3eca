import { once } from 'node:events';
import { chmodSync, lstatSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type Server } from 'node:http';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fullBacklog, ManualClock, RawWebSocket } from '@qmp-gateway/test-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { Principal } from '../access/principal.js';
import type { CommandRequest } from '../commands/command-request.js';
import { ReplyBudget } from '../http/reply-budget.js';
import { EventHub } from '../events/event-hub.js';
import { ShownEvents } from '../events/shown-events.js';
import type { Vm } from '../vms/vm.js';
import type { Problem } from '../problems/problem.js';
import { MonitorGateway } from './monitor.gateway.js';
import { MonitorSockets } from './monitor-sockets.js';
import type { SocketConnection } from '../upgrades/socket-connection.js';
import type { SocketParts } from './socket-parts.js';
import { resourceRoutes } from '../http/resource/resource-routes.js';
import { SocketRouter } from '../upgrades/socket-router.js';
import { UpgradeRequiredController } from './upgrade-required.controller.js';
import { vmNotFound } from '../vms/vm-registry.js';

const greeting = '{"QMP": {"version": {}, "capabilities": ["oob"]}}';

/** As much of a VM as a shared monitor sees. */
class FakeVm {
  readonly labels = {};
  epoch = 'r1.1';
  readonly condition = 'The VM is waiting.';
  readonly lastError = null;
  monitor: { state: { name: string; session?: unknown } } = {
    state: { name: 'ready', session: { greeting: { json: greeting }, oob: true } },
  };
  readonly #waiters = new Set<() => void>();

  constructor(readonly id: string) {}

  onceChanged(callback: () => void): () => void {
    this.#waiters.add(callback);
    return () => this.#waiters.delete(callback);
  }

  get ready(): boolean {
    return this.monitor.state.name === 'ready';
  }

  change(state?: { name: string }): void {
    if (state !== undefined) this.monitor = { state };
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) waiter();
  }
}

let dir: string;
let hub: EventHub;
let vm: FakeVm;
let parts: SocketParts;
let requests: CommandRequest[];
let warnings: string[];
let sockets: MonitorSockets;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'qmpgw-'));
  hub = new EventHub({ run: 'r1' });
  vm = new FakeVm('web-1');
  requests = [];
  warnings = [];
  parts = {
    leavers: new Set(),
    hub,
    events: new ShownEvents(hub, undefined),
    path: {
      execute: (request, asker) => {
        requests.push(request);
        // Answered in a later turn, as by a real VM.
        setImmediate(() => asker.answered({ ok: true, json: Buffer.from(`"${request.command}"`), trace: {} }));
      },
    },
    directory: {
      find: (id) => (id === vm.id ? vm : undefined),
      list: () => ({ rows: [], end: undefined }),
      notFound: (_principal, id) => vmNotFound(id),
    },
    registry: { get: (id) => (id === vm.id ? (vm as unknown as Vm) : undefined) },
    fault: (error) => warnings.push(String(error)),
  };
  sockets = new MonitorSockets({ dir, mode: 0o600, level: 'operate' }, parts, (message) => warnings.push(message));
});

afterEach(async () => {
  for (const leaver of parts.leavers) leaver.leave();
  await sockets.close();
  hub.closeAll();
  rmSync(dir, { recursive: true });
});

const publish = (name: string) =>
  hub.publish({ id: 'web-1', labels: {}, epoch: 'r1.1' }, { name, data: undefined, timestamp: '{}', receivedAt: 0 });

/** A QMP client as scripts write them: a socket and lines of JSON. */
class LineClient {
  readonly ended: Promise<unknown>;
  #text = '';
  #wake: () => void = () => undefined;

  constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString();
      this.#wake();
    });
    this.ended = once(socket, 'close').finally(() => this.#wake());
  }

  static async open(): Promise<LineClient> {
    const client = new LineClient(connect(join(dir, 'web-1.sock')));
    expect(await client.line()).toEqual(JSON.parse(greeting));
    return client;
  }

  async line(): Promise<unknown> {
    for (;;) {
      const end = this.#text.indexOf('\r\n');
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        return JSON.parse(line);
      }
      if (this.socket.destroyed) return undefined;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async ask(message: string): Promise<unknown> {
    this.socket.write(message);
    return await this.line();
  }
}

describe('monitor sockets', () => {
  it('give the monitor to many at once, each with its own ids, negotiation and events', async () => {
    await sockets.add('web-1');
    const clients = await Promise.all(Array.from({ length: 4 }, () => LineClient.open()));
    const [first, second, third, fourth] = clients as [LineClient, LineClient, LineClient, LineClient];
    for (const client of [first, second, third])
      expect(await client.ask('{"execute":"qmp_capabilities"}\n')).toEqual({ return: {} });
    third.socket.destroy();
    expect(await first.ask('{"execute":"query-status","id":{"n":[1]}}')).toEqual({
      return: 'query-status',
      id: { n: [1] },
    });
    expect(await second.ask('{"execute":"stop","id":{"n":[1]}}\r\n')).toEqual({ return: 'stop', id: { n: [1] } });
    publish('STOP');
    expect(await first.line()).toMatchObject({ event: 'STOP' });
    expect(await second.line()).toMatchObject({ event: 'STOP' });
    expect(await fourth.ask('{"execute":"query-status"}')).toMatchObject({ error: { class: 'CommandNotFound' } });
    expect(requests.map(({ principal, vm: of }) => [principal.level, of])).toEqual([
      ['operate', 'web-1'],
      ['operate', 'web-1'],
    ]);
  });

  it('has the mode of the settings, and goes with the VM', async () => {
    await sockets.add('web-1');
    const path = join(dir, 'web-1.sock');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await sockets.remove('web-1');
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
  });

  it('close when each client has its answers', async () => {
    await sockets.add('web-1');
    const client = await LineClient.open();
    await client.ask('{"execute":"qmp_capabilities"}');
    client.socket.write('{"execute":"query-status"}');
    while (requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    for (const leaver of parts.leavers) leaver.leave();
    const closed = sockets.close();
    expect(await client.line()).toEqual({ return: 'query-status' });
    await Promise.all([client.ended, closed]);
  });

  it("ends with the VM's session, and at once while the VM is not ready", async () => {
    await sockets.add('web-1');
    const client = await LineClient.open();
    vm.change();
    expect(await client.ask('{"execute":"qmp_capabilities"}')).toEqual({ return: {} });
    vm.change({ name: 'waiting' });
    await client.ended;
    const early = new LineClient(connect(join(dir, 'web-1.sock')));
    expect(await early.line()).toBeUndefined();
  });

  it('takes the place of a file that a killed process left, not of a socket in use, nor of another file', async () => {
    const path = join(dir, 'web-1.sock');
    const other = createServer().listen(path);
    await once(other, 'listening');
    await sockets.add('web-1');
    expect(warnings).toEqual([expect.stringContaining('in use')]);
    other.close();
    writeFileSync(path, '');
    await sockets.add('web-1');
    expect(warnings).toHaveLength(2);
    rmSync(path);
    await sockets.add('web-1');
    expect(warnings).toHaveLength(2);
    await LineClient.open();
  });

  it('leaves the socket of a server alone that is too busy to accept', async () => {
    const path = join(dir, 'web-1.sock');
    const busy = await fullBacklog(path);
    try {
      const { ino } = lstatSync(path);
      await sockets.add('web-1');
      expect(warnings).toEqual([`no monitor socket for web-1: ${path} is in use`]);
      expect(lstatSync(path).ino).toBe(ino);
    } finally {
      await busy.stop();
    }
  });

  it('are not kept where everybody may write', () => {
    chmodSync(dir, 0o1777);
    expect(() => new MonitorSockets({ dir, mode: 0o600, level: 'operate' }, parts, () => undefined)).toThrow(
      `${dir} (mode 1777, owner ${process.getuid?.()}`,
    );
  });

  it('is not made where the path would be cut', async () => {
    await sockets.add('x'.repeat(110 - dir.length));
    expect(warnings).toEqual([expect.stringContaining('107 bytes')]);
  });
});

describe('the monitor over WebSocket', () => {
  let server: Server;
  let router: SocketRouter;
  let valid: boolean;
  let refused: Problem | undefined;
  let clock: ManualClock;

  beforeEach(async () => {
    valid = true;
    clock = new ManualClock();
    parts = { ...parts, clock };
    router = new SocketRouter(resourceRoutes([UpgradeRequiredController]), parts);
    const gateway = new MonitorGateway(parts);
    router
      .serverOf('openMonitor')
      .on('connection', (client, connection) =>
        gateway.handleConnection(client, connection as unknown as SocketConnection),
      );
    const principal = new Principal('p', 'p', { level: 'host', vms: ['*'] }, { stillValid: () => valid });
    server = createHttpServer().listen(0, '127.0.0.1');
    server.on('upgrade', (request, socket, head) => {
      const path = request.url ?? '';
      refused = router.route(request, socket, head, {
        principal,
        requestId: 'req',
        arrivedAt: 0,
        path,
        query: '',
        answerHeaders: {},
        replies: new ReplyBudget({ replyBytes: 1 }),
      });
      if (refused !== undefined) socket.destroy();
    });
    await once(server, 'listening');
  });

  afterEach(() => {
    router.terminate();
    server.close();
  });

  const address = (): string => `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1/vms/web-1/monitor`;
  const open = (protocols: string[] = []): WebSocket => new WebSocket(address(), protocols);

  const message = async (client: WebSocket): Promise<string> =>
    String(((await once(client, 'message')) as [Buffer])[0]);

  it('is one byte stream from the client, one text frame a message to it', async () => {
    const client = open(['bearer.secret', 'qmp']);
    expect(await message(client)).toBe(`${greeting}\r\n`);
    expect(client.protocol).toBe('qmp');
    client.send('{"execute":"qmp_capa');
    client.send(Buffer.from('bilities"}'));
    expect(await message(client)).toBe('{"return": {}}\r\n');
    const id = Buffer.from('{"execute":"a","id":"ü"}');
    const received: string[] = [];
    client.on('message', (data: Buffer) => received.push(String(data)));
    // In the middle of a character.
    client.send(id.subarray(0, -3), { binary: false });
    client.send(Buffer.concat([id.subarray(-3), Buffer.from('{"execute":"b"}')]), { binary: false });
    while (received.length < 2) await message(client);
    expect(received).toEqual(['{"return": "a", "id": "ü"}\r\n', '{"return": "b"}\r\n']);
  });

  it.each([[['qmp-gateway.v1', 'bearer.secret']], [['bearer.secret']]])(
    'is refused with other sub-protocols than qmp: %j',
    async (offered) => {
      await once(open(offered), 'error');
      expect(refused).toMatchObject({ status: 400, code: 'invalid-request', fields: { suggestions: ['qmp'] } });
      expect(refused?.detail).not.toContain('secret');
    },
  );

  it("closes with 1012 when the VM's session ends, with 1013 while there is none", async () => {
    const client = open();
    expect(await message(client)).toContain('QMP');
    vm.change({ name: 'closed' });
    expect(((await once(client, 'close')) as [number])[0]).toBe(1012);
    const early = open();
    expect(((await once(early, 'close')) as [number])[0]).toBe(1013);
  });

  it('runs nothing for a client that goes on speaking after its credentials expired', async () => {
    const client = await RawWebSocket.connect(address(), [], {}, () => undefined);
    client.atFarewell = () => client.send('{"execute":"stop"}');
    client.send('{"execute":"qmp_capabilities"}{"execute":"cont"}');
    while (requests.length < 1) await new Promise((resolve) => setImmediate(resolve));
    valid = false;
    clock.advance(5000);
    expect(await client.closed).toBe(4401);
    expect(requests.map(({ command }) => command)).toEqual(['cont']);
  });
});
