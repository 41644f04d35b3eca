import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { RawQmpClient } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { agentBecomes, AgentScene } from './agent-scene.js';
import { nextNdjsonEvents, nextSseEvents, openLines } from './event-readers.js';
import { argumentsText, change, echo, fakeMachine, fakeMachineSettings, type FakeMachine } from './fake-machine.js';
import { run, runningOperations } from './gateway-scene.js';
import type { GatewayProcess } from './gateway-process.js';
import { exchange, problemOf, type Exchange } from './http-exchange.js';
import { JsonRpcClient } from './json-rpc-client.js';
import { refusesConnections } from './pipelined-at-shutdown.js';

const clients = fileURLToPath(new URL('../../scripts/asking-clients.mjs', import.meta.url));
const scene = new AgentScene();
afterEach(() => scene.end());

/** Commands of one VM that a monitor takes at once. */
const places = 8;
const patience = { timeout: 20_000 };
const requestOf = (gateway: GatewayProcess, target: string) =>
  `GET ${target} HTTP/1.1\r\nHost: ${new URL(gateway.url).host}\r\nAuthorization: Bearer ${gateway.token ?? ''}\r\n\r\n`;

/** Keep-alive clients that ask again and again, each time something of its own, until their connections are refused. */
class KeepAliveLoad {
  /** What was answered, by what was asked. */
  readonly answers = new Map<string, { status: number; text: string }>();
  readonly #agent = new Agent({ keepAlive: true });
  #asked = 0;

  constructor(private readonly gateway: GatewayProcess) {}

  async client(): Promise<void> {
    for (;;) {
      const asked = `{"integer":${++this.#asked}}`;
      const answer = await this.#ask(asked);
      if (answer === 'refused') return;
      // A connection that was closed while idle may take a request with it; the VM must not have seen that one.
      if (answer !== 'reset') this.answers.set(asked, answer);
    }
  }

  end(): void {
    this.#agent.destroy();
  }

  #ask(body: string): Promise<{ status: number; text: string } | 'reset' | 'refused'> {
    const { gateway } = this;
    return new Promise((resolve) => {
      const sent = request(`${gateway.url}/v1/vms/quick/qmp/${echo}`, {
        method: 'POST',
        agent: this.#agent,
        headers: { Authorization: `Bearer ${gateway.token ?? ''}`, 'Content-Type': 'application/json' },
      });
      sent.on('response', (response) => {
        void text(response).then((answer) => resolve({ status: response.statusCode ?? 0, text: answer }));
      });
      sent.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ECONNREFUSED' ? 'refused' : 'reset'));
      sent.end(body);
    });
  }
}

/** A command of a slow VM, and behind it on its connection another request, that can be sent later. */
function pipelining(gateway: GatewayProcess) {
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
  const received = text(socket);
  socket.write(requestOf(gateway, `/v1/vms/slow/qmp/${echo}?integer=1`));
  return { send: (target: string) => socket.write(requestOf(gateway, target)), received };
}

/** A request with a body, the second half of which waits. */
function halfSent(
  gateway: GatewayProcess,
  target: string,
  { method, type, body }: { method: string; type: string; body: Buffer },
): { finish(): void; readonly answered: Promise<Exchange> } {
  const sent = request(gateway.url + target, {
    method,
    agent: false,
    headers: {
      Authorization: `Bearer ${gateway.token ?? ''}`,
      'Content-Type': type,
      'Content-Length': String(body.length),
    },
  });
  const answered = new Promise<Exchange>((resolve, reject) => {
    sent.on('error', reject);
    sent.on('response', (response) => {
      void text(response).then((answer) =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: answer,
          json: () => JSON.parse(answer) as Record<string, unknown>,
        }),
      );
    });
  });
  const half = Math.floor(body.length / 2);
  sent.write(body.subarray(0, half));
  return { finish: () => void sent.end(body.subarray(half)), answered };
}

/** A file on its way to the guest. */
function upload(gateway: GatewayProcess, file: string, body: Buffer): ReturnType<typeof halfSent> {
  const target = `/v1/vms/slow/agent/files?path=${encodeURIComponent(file)}`;
  return halfSent(gateway, target, { method: 'PUT', type: 'application/octet-stream', body });
}

/** Holds all answers of a machine back, until they are let go. */
function hold({ fake }: FakeMachine): { arrived(count: number): Promise<void>; letGo(): void } {
  const held: Parameters<typeof fake.answer>[0][] = [];
  let wake: () => void = () => undefined;
  for (const name of [echo, change])
    fake.on(name, (command) => {
      held.push(command);
      wake();
      return null;
    });
  return {
    arrived: async (count) => {
      while (held.length < count) await new Promise<void>((resolve) => (wake = resolve));
    },
    letGo: () => {
      for (const name of [echo, change]) fake.on(name, (command) => ({ json: argumentsText(command) }));
      for (const command of held) fake.answer(command, { json: argumentsText(command) });
    },
  };
}

describe('SIGTERM under load', () => {
  it('answers all that is in flight, ends streams with a code that says come back, takes nothing new', async () => {
    const directory = scene.directory();
    await scene.guestAgent(directory);
    const [quick, slow] = [await fakeMachine(scene), await fakeMachine(scene)];
    const gateway = await scene.gateway({
      settings: {
        vms: {
          quick: { endpoint: quick.endpoint },
          slow: { endpoint: slow.endpoint, agent: `unix:${directory}/qga` },
          away: { endpoint: `unix:${directory}/nobody` },
        },
        monitorSockets: { dir: `${directory}/monitors` },
        ...fakeMachineSettings,
      },
    });
    for (const id of ['quick', 'slow']) await gateway.vmBecomes(id, 'ready');
    await agentBecomes(gateway, 'slow', 'ready');

    // Streams, and who waits for something.
    const sse = await openLines(gateway, '/v1/events', 'text/event-stream');
    const ndjson = await openLines(gateway, '/v1/events?vm=quick&bookmarks=true', 'application/x-ndjson');
    const longPoll = exchange(gateway, '/v1/vms/slow/events?wait=120s&event=STOP');
    const waiting = exchange(gateway, '/v1/vms/away?wait=120s');
    const follower = await JsonRpcClient.connect(gateway);
    await follower.request('subscribe', '{}');
    const monitor = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/vms/slow/monitor`, ['qmp'], {
      headers: { Authorization: `Bearer ${gateway.token ?? ''}` },
    });
    const idle = new Promise<number>((resolve) => monitor.once('close', resolve));
    await new Promise((resolve) => monitor.once('message', resolve));

    // More commands than the slow VM takes at once, by every way in.
    const held = hold(slow);
    const unix = scene.keep(await RawQmpClient.connect(`${directory}/monitors/slow.sock`), (one) => one.close());
    await unix.line();
    unix.write('{"execute":"qmp_capabilities"}');
    expect(await unix.line()).toBe('{"return": {}}');
    unix.write(`{"execute":"${echo}","arguments":{"integer":2},"id":"unix"}`);
    const caller = await JsonRpcClient.connect(gateway);
    const called = [3, 4, 5].map((integer) =>
      caller.request('execute', `{"vm":"slow","command":"${change}","arguments":{"integer":${integer}}}`),
    );
    const posted = [6, 7, 8, 9, 10, 11].map((integer) => run(gateway, 'slow', change, `{"integer":${integer}}`));
    const pipelined = pipelining(gateway);
    const fanOut = exchange(gateway, `/v1/qmp/${echo}?vm=slow&vm=quick`, { body: '{"integer":12}' });
    const bytes = randomBytes(400_000);
    const file = path.join(directory, 'uploaded');
    const uploaded = upload(gateway, file, bytes);
    const load = scene.keep(new KeepAliveLoad(gateway), (made) => made.end());
    const clients = Array.from({ length: 20 }, () => load.client());
    await held.arrived(places);
    await expect.poll(() => runningOperations(gateway, 'slow'), patience).toBe(12);
    await expect.poll(() => load.answers.size, patience).toBeGreaterThan(200);

    gateway.process.kill('SIGTERM');
    await refusesConnections(gateway);
    pipelined.send('/readyz');
    expect(await caller.request('execute', '{"vm":"quick","command":"query-status"}')).toMatchObject({
      error: { data: { code: 'shutting-down', outcome: 'not-sent', retryable: true } },
    });
    expect([(await follower.closed).code, await idle]).toEqual([1001, 1001]);
    while ((await sse.line()) !== null);
    while ((await ndjson.line()) !== null);
    expect((await longPoll).json()).toMatchObject({ events: [] });
    expect((await waiting).json()).toMatchObject({ id: 'away' });

    held.letGo();
    for (const [at, answer] of (await Promise.all(posted)).entries())
      expect([answer.status, answer.text, answer.headers.connection]).toEqual([200, `{"integer":${at + 6}}`, 'close']);
    expect((await Promise.all(called)).map(({ result }) => result)).toEqual([3, 4, 5].map((integer) => ({ integer })));
    expect((await caller.closed).code).toBe(1001);
    expect(await unix.line()).toBe('{"return": {"integer":2}, "id": "unix"}');
    expect(await unix.line()).toBeNull();
    expect(
      (await fanOut).text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown)
        .at(-1),
    ).toEqual({
      ...{ end: true, selected: 2, ok: 2, failed: 0 },
    });
    expect((await pipelined.received).split(/(?=HTTP\/1\.1 )/)).toEqual([
      expect.stringMatching(/^HTTP\/1\.1 200 [^]*\{"integer":1\}$/),
      expect.stringMatching(/^HTTP\/1\.1 503 [^]*Retry-After: \d[^]*Connection: close[^]*"code":"shutting-down"/),
    ]);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    uploaded.finish();
    expect((await uploaded.answered).json()).toMatchObject({ size: bytes.length, sha256 });
    expect(readFileSync(file).equals(bytes)).toBe(true);
    await Promise.all(clients);
    expect(await gateway.ended).toBe(0);
    // Whatever a VM has seen of the clients that kept asking, somebody was told.
    const seen = quick.received.map(argumentsText).filter((asked) => asked !== '{"integer":12}');
    for (const asked of seen) expect([asked, load.answers.get(asked)]).toEqual([asked, { status: 200, text: asked }]);
  });

  it('answers whoever comes by a new connection, and says when to come back', async () => {
    const { socket } = await scene.qemu();
    const gateway = await scene.gateway({ settings: { vms: { quick: { endpoint: `unix:${socket}` } } } });
    await gateway.vmBecomes('quick', 'ready');
    const asking = [clients, `${gateway.url}/v1/vms/quick/qmp/query-status`, '8'];
    const env = { ...process.env, AUTH: `Authorization: Bearer ${gateway.token ?? ''}` };
    const load = spawn(process.execPath, asking, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    scene.keep(load, () => load.kill('SIGKILL'));
    const told = text(load.stdout);
    const ended = once(load, 'close');
    const asked = async () =>
      /^qmpgw_commands_total\{.*"query-status".* (\d+)$/m.exec((await exchange(gateway, '/metrics')).text)?.[1];
    await expect.poll(async () => Number(await asked()), patience).toBeGreaterThan(200);
    gateway.process.kill('SIGTERM');
    const [status] = (await ended) as [number];
    const ends = (await told).trimEnd().split('\n');
    expect([status, ends]).toEqual([0, expect.arrayContaining(['8 refused'])]);
    for (const end of ends) expect(end).toMatch(/^\d+ (?:result|problem shutting-down 503|refused)$/);
    expect(await gateway.ended).toBe(0);
  });

  it('tells what is known of a command that the VM has not answered by the deadline', async () => {
    const directory = scene.directory();
    await scene.guestAgent(directory);
    const machine = await fakeMachine(scene);
    const slow = { endpoint: machine.endpoint, agent: `unix:${directory}/qga` };
    const gateway = await scene.gateway({ settings: { vms: { slow }, ...fakeMachineSettings } });
    await gateway.vmBecomes('slow', 'ready');
    await agentBecomes(gateway, 'slow', 'ready');
    const held = hold(machine);
    const caller = await JsonRpcClient.connect(gateway);
    const called = caller.request('execute', `{"vm":"slow","command":"${echo}"}`);
    const posted = Array.from({ length: places }, () => run(gateway, 'slow', change));
    // Senders that fall silent half way.
    const file = path.join(directory, 'half');
    const toGuest = upload(gateway, file, randomBytes(1000));
    const json = { method: 'POST', type: 'application/json', body: Buffer.from('{"integer":1}') };
    const toVm = halfSent(gateway, `/v1/vms/slow/qmp/${echo}`, json);
    await held.arrived(places);
    await expect.poll(() => runningOperations(gateway, 'slow'), patience).toBe(places + 1);
    await expect.poll(() => existsSync(file), patience).toBe(true);
    const asked = performance.now();
    gateway.process.kill('SIGTERM');
    const unknown = { code: 'outcome-unknown', outcome: 'unknown', retryable: false };
    expect((await called).error?.data).toMatchObject({ ...unknown, retryable: true });
    const answers = (await Promise.all(posted)).map(problemOf);
    expect(answers.slice(0, -1)).toEqual(
      Array.from({ length: places - 1 }, () => expect.objectContaining(unknown) as unknown),
    );
    // This one was still waiting for its turn.
    expect(answers.at(-1)).toMatchObject({ code: 'vm-unavailable', outcome: 'not-sent', retryable: true });
    expect((await caller.closed).code).toBe(1001);
    const shuttingDown = { status: 503, code: 'shutting-down' };
    expect(problemOf(await toGuest.answered)).toMatchObject({ ...shuttingDown, outcome: 'unknown', retryable: false });
    expect(problemOf(await toVm.answered)).toMatchObject({ ...shuttingDown, outcome: 'not-sent', retryable: true });
    expect(await gateway.ended).toBe(0);
    process.stdout.write(`ended ${Math.round(performance.now() - asked)} ms after SIGTERM\n`);
  });
});

describe('a client that comes back to the next gateway', () => {
  it('is told the gap, and then has all that comes', async () => {
    const machine = await fakeMachine(scene);
    const settings = { vms: { web: { endpoint: machine.endpoint } } };
    const state = path.join(scene.directory(), 'state');
    const first = await scene.gateway({ settings, state });
    await first.vmBecomes('web', 'ready');
    const stream = await openLines(first, '/v1/events?event=STOP,RESUME', 'text/event-stream');
    machine.fake.emit('STOP');
    const [stop] = await nextSseEvents(stream, 1);
    const cursor = stop?.cursor ?? '';
    expect(await first.stop()).toBe(0);

    const second = await scene.gateway({ settings, state });
    await second.vmBecomes('web', 'ready');
    const sse = await openLines(second, `/v1/events?event=STOP,RESUME&after=${cursor}`, 'text/event-stream');
    const ndjson = await openLines(second, `/v1/events?event=STOP,RESUME&after=${cursor}`, 'application/x-ndjson');
    const socket = scene.keep(await JsonRpcClient.connect(second), (one) => one.close());
    const { error } = await socket.request('subscribe', `{"event":["STOP","RESUME"],"after":"${cursor}"}`);
    expect(error).toBeUndefined();
    machine.fake.emit('RESUME');
    const gap = { event: 'gap', data: { vm: null, from: cursor, missed: null } };
    const resume = { event: 'RESUME', vm: 'web' };
    expect(await nextSseEvents(sse, 2)).toMatchObject([gap, resume]);
    expect(await nextNdjsonEvents(ndjson, 2)).toMatchObject([gap, resume]);
    expect(await socket.events(2)).toMatchObject([gap, resume]);
    expect(problemOf(await exchange(second, `/v1/events?after=${cursor}`))).toMatchObject({ code: 'cursor-expired' });
  });
});
