import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { RawQmpClient } from '@qmp-gateway/test-kit';
import { WebSocket } from 'ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type GatewayProcess } from './gateway-process.js';
import { GatewayScene, registerVm, run } from './gateway-scene.js';

const scene = new GatewayScene();
let gateway: GatewayProcess;
let directory: string;
let vm: string;

beforeAll(async () => {
  directory = path.join(scene.directory(), 'monitors');
  gateway = await scene.gateway({ settings: { monitorSockets: { dir: directory } } });
  const qemu = await scene.qemu();
  vm = await registerVm(gateway, `unix:${qemu.socket}`);
});
afterAll(() => scene.end());

type Message = Record<string, unknown>;

/** Someone who speaks QMP, over whatever. */
interface QmpSpeaker {
  execute(name: string, id: unknown): Promise<Message>;
  event(name: string): Promise<Message>;
  /** Ends it without a word. */
  kill(): void;
}

const socketPath = (id: string) => path.join(directory, `${id}.sock`);

/** The client in Python, a process of its own. */
async function pythonClient(id: string): Promise<QmpSpeaker & { process: ChildProcess; greeting: Message }> {
  const script = fileURLToPath(new URL('qmp_client.py', import.meta.url));
  const child = scene.keep(
    spawn('python3', [script, socketPath(id)], { stdio: ['pipe', 'pipe', 'inherit'] }),
    (started) => started.kill('SIGKILL'),
  );
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error('the client ended');
    return JSON.parse(value) as Message;
  };
  const order = (...words: unknown[]) => {
    child.stdin.write(`${JSON.stringify(words)}\n`);
    return next();
  };
  return {
    process: child,
    greeting: await next(),
    execute: (name, commandId) => order('execute', name, {}, commandId),
    event: (name) => order('event', name),
    kill: () => child.kill('SIGKILL'),
  };
}

/** A speaker over lines that come one by one. */
class LineSpeaker implements QmpSpeaker {
  readonly seen: Message[] = [];

  constructor(
    private readonly line: () => Promise<string>,
    private readonly send: (text: string) => void,
    readonly kill: () => void,
  ) {}

  async execute(name: string, id: unknown): Promise<Message> {
    this.send(JSON.stringify({ execute: name, id }));
    return this.#first((message) => 'return' in message || 'error' in message);
  }

  event(name: string): Promise<Message> {
    return this.#first((message) => message['event'] === name);
  }

  async #first(isWanted: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const at = this.seen.findIndex(isWanted);
      if (at >= 0) return this.seen.splice(at, 1)[0]!;
      this.seen.push(JSON.parse(await this.line()) as Message);
    }
  }
}

async function socketClient(id: string): Promise<LineSpeaker> {
  const client = scene.keep(await RawQmpClient.connect(socketPath(id)), (one) => one.close());
  const line = async () => (await client.line()) ?? Promise.reject(new Error('end of file'));
  await line();
  return new LineSpeaker(
    line,
    (text) => client.write(text),
    () => client.close(),
  );
}

async function webSocketClient(id: string): Promise<LineSpeaker & { readonly socket: WebSocket }> {
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/vms/${id}/monitor`, ['qmp'], {
    headers: { Authorization: `Bearer ${gateway.token ?? ''}` },
  });
  scene.keep(socket, (one) => one.terminate());
  const messages: string[] = [];
  let wake: () => void = () => undefined;
  socket.on('message', (data: Buffer) => {
    messages.push(data.toString());
    wake();
  });
  const line = async () => {
    while (messages.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return messages.shift()!;
  };
  expect(JSON.parse(await line())).toHaveProperty('QMP');
  const speaker = new LineSpeaker(
    line,
    (text) => socket.send(text),
    () => socket.terminate(),
  );
  return Object.assign(speaker, { socket });
}

describe('one monitor, shared', () => {
  it('serves four clients at once, each with its own ids, negotiation and events; killing one disturbs none', async () => {
    const python = await pythonClient(vm);
    expect(python.greeting).toMatchObject({ version: { qemu: { major: expect.any(Number) } } });
    const clients: QmpSpeaker[] = [python, await socketClient(vm), await webSocketClient(vm)];
    for (const client of clients.slice(1))
      expect(await client.execute('qmp_capabilities', 'c')).toEqual({ return: {}, id: 'c' });
    const silent = await socketClient(vm);
    expect(await silent.execute('query-status', 1)).toMatchObject({ error: { class: 'CommandNotFound' }, id: 1 });

    // The same id of all at once, and each kind of JSON as one.
    const ids = ['same', 7, -0.5, null, true, [1, [2]], { a: { b: [] } }, '', 12345678901234567890n.toString()];
    for (const id of ids) {
      const answers = await Promise.all(clients.map((client) => client.execute('query-status', id)));
      for (const answer of answers)
        expect(answer).toEqual({ return: expect.objectContaining({ status: 'prelaunch' }), id });
    }

    await clients[1]!.execute('cont', 'go');
    for (const client of clients) expect(await client.event('RESUME')).toMatchObject({ event: 'RESUME' });
    // Killed with a command in flight.
    void python.execute('query-qmp-schema', 'never read').catch(() => undefined);
    python.kill();
    await once(python.process, 'close');
    clients.shift();
    await clients[0]!.execute('stop', 'halt');
    for (const client of clients) expect(await client.event('STOP')).toMatchObject({ event: 'STOP' });
    // Before its negotiation a client has no events, after it those that come.
    expect(await silent.execute('qmp_capabilities', null)).toEqual({ return: {}, id: null });
    expect(silent.seen).toEqual([]);
    await run(gateway, vm, 'cont');
    for (const client of [...clients, silent]) expect(await client.event('RESUME')).toMatchObject({ event: 'RESUME' });
  });

  it('answers in-band commands in order and counts ids of big numbers as text', async () => {
    const client = scene.keep(await RawQmpClient.connect(socketPath(vm)), (one) => one.close());
    await client.negotiate();
    const ids = ['18446744073709551616', '1e400', '-0', '0.10', '"\\u00e9"', '{"n":1.000}'];
    client.write(ids.map((id) => `{"execute":"query-name","id":${id}}`).join(''));
    for (const id of ids) expect(await client.line()).toBe(`{"return": {}, "id": ${id}}`);
  });

  it('holds whoever opens the socket to its level, and writes it down', async () => {
    const qemu = await scene.qemu();
    const state = path.join(scene.directory(), 'state');
    const dir = scene.directory();
    const strict = await startGateway({
      state,
      settings: {
        monitorSockets: { dir, mode: '0660', level: 'read' },
        vms: { strict: { endpoint: `unix:${qemu.socket}` } },
      },
    });
    await strict.vmBecomes('strict', 'ready');
    const file = path.join(dir, 'strict.sock');
    expect(statSync(file).mode & 0o777).toBe(0o660);
    const client = scene.keep(await RawQmpClient.connect(file), (one) => one.close());
    await client.negotiate();
    const commands = ['query-status', 'stop', 'getfd'];
    const answers: Message[] = [];
    for (const command of commands)
      answers.push(JSON.parse(await client.command(`{"execute":"${command}"}`)) as Message);
    expect(answers).toMatchObject([
      { return: { status: 'prelaunch' } },
      { error: { class: 'GenericError', desc: expect.stringContaining('level operate') } },
      { error: { class: 'GenericError' } },
    ]);
    await strict.stop();
    expect(await client.line()).toBeNull();
    const audit = readFileSync(path.join(state, 'audit.log'), 'utf8').trim().split('\n');
    const records = audit.map((line) => JSON.parse(line) as Message).filter(({ command }) => command !== undefined);
    expect(records.map(({ vm: of, command, outcome, problem }) => [of, command, outcome, problem])).toEqual([
      ['strict', 'query-status', 'done', undefined],
      ['strict', 'stop', 'not-sent', 'forbidden'],
      ['strict', 'getfd', 'not-sent', 'not-offered'],
    ]);
  });

  it('has a socket of mode 0600 for each VM, from its registration until it is forgotten', async () => {
    const qemu = await scene.qemu();
    const id = await registerVm(gateway, `unix:${qemu.socket}`);
    expect(statSync(socketPath(id)).mode & 0o777).toBe(0o600);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    const bySocket = await RawQmpClient.connect(socketPath(id));
    await bySocket.negotiate();
    const byWebSocket = await webSocketClient(id);
    const closed = once(byWebSocket.socket, 'close') as Promise<[number]>;
    expect((await gateway.fetch(`/v1/vms/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect(await bySocket.line()).toBeNull();
    expect((await closed)[0]).toBe(1012);
    expect(statSync(socketPath(id), { throwIfNoEntry: false })).toBeUndefined();
  });

  it('asks for an upgrade where there is none', async () => {
    for (const resource of ['/v1/ws', `/v1/vms/${vm}/monitor`]) {
      const answer = await gateway.fetch(resource);
      expect([answer.status, ((await answer.json()) as Message)['code']]).toEqual([426, 'upgrade-required']);
    }
  });
});
