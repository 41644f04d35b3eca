import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { FakeCommand } from '@qmp-gateway/test-kit';
import { hostname } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { problemCatalogue, problemCodes } from '../../apps/gateway/src/problems/catalogue.js';
import { change, echo, fakeMachine, fakeMachineSettings, type FakeMachine } from './fake-machine.js';
import { buildAddon, postFd } from './file-descriptors/descriptor-scene.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, makeToken, nextSession, registerVm, run } from './gateway-scene.js';
import { exchange, type Exchange } from './http-exchange.js';
import { pipelinedAtShutdown } from './pipelined-at-shutdown.js';

const scene = new GatewayScene();
let gateway: GatewayProcess;
let machine: FakeMachine;
let vm: string;

beforeAll(async () => {
  buildAddon();
  gateway = await scene.gateway({ settings: { ...fakeMachineSettings, limits: { queue: 2, replyBytes: '1KiB' } } });
  machine = await fakeMachine(scene);
  vm = await registerVm(gateway, machine.endpoint);
});
afterAll(() => scene.end());

/** What the machine saw of the request that was answered with a problem. */
type Sight = 'nothing' | 'the command';

interface Row {
  readonly code: string;
  readonly what: string;
  readonly provoke: () => Promise<Exchange>;
  readonly outcome: 'not-sent' | 'refused' | 'unknown';
  readonly seen: Sight;
  readonly headers?: Record<string, unknown>;
  readonly more?: Record<string, unknown>;
}

const row = (
  code: string,
  what: string,
  provoke: Row['provoke'],
  rest: Partial<Omit<Row, 'code' | 'what' | 'provoke'>> = {},
): Row => ({ code, what, provoke, outcome: 'not-sent', seen: 'nothing', ...rest });

const path = (command: string) => `/v1/vms/${vm}/qmp/${command}`;
const put = (id: string, headers = {}) =>
  exchange(gateway, `/v1/vms/${id}`, { method: 'PUT', body: '{"endpoint":"unix:/nowhere/a"}', headers });

/** Commands until one is refused because nobody reads the answer to this request. */
const heldUpBy = (requestLine: (vm: string) => string) => async () => {
  machine = await fakeMachine(scene);
  machine.fake.on(echo, () => ({ json: `"${'x'.repeat(2 ** 24)}"` }));
  const id = await registerVm(gateway, machine.endpoint);
  const reader = connect(Number(new URL(gateway.url).port), '127.0.0.1').pause();
  scene.keep(reader, (socket) => socket.destroy());
  const head = `${requestLine(id)} HTTP/1.1\r\nHost: localhost:${new URL(gateway.url).port}\r\nContent-Length: 0\r\n`;
  reader.write(`${head}Authorization: Bearer ${gateway.token ?? ''}\r\n\r\n`);
  await machine.fake.next(echo);
  for (;;) {
    machine.takeReceived();
    const answer = await run(gateway, id, change);
    if (answer.status === 200) continue;
    reader.destroy();
    return answer;
  }
};

/** The machine answers a command with an error of this class. */
const failing = (errorClass: string) => async () => {
  machine.fake.on(change, () => ({ error: { class: errorClass, desc: `no: ${errorClass}` } }));
  return run(gateway, vm, change);
};
const refused = (errorClass: string): Partial<Row> => ({
  outcome: 'refused',
  seen: 'the command',
  more: { vm: expect.stringMatching(/^vm-/), command: change, qmp: { class: errorClass, desc: `no: ${errorClass}` } },
});

async function withKey(body: string, answer: boolean): Promise<Exchange> {
  const headers = { 'Idempotency-Key': `key-${body.length}-${String(answer)}` };
  machine.fake.on(echo, () => (answer ? { json: '{}' } : null));
  const arrived = machine.fake.next(echo);
  const first = run(gateway, vm, echo, { args: body, headers });
  const command = await arrived;
  if (answer) await first;
  machine.takeReceived();
  const second = await run(gateway, vm, echo, { args: answer ? '{"integer":2}' : body, headers });
  machine.fake.answer(command, { json: '{}' });
  await first;
  return second;
}

const rows: Row[] = [
  row('malformed-json', 'a body cut short', () => run(gateway, vm, change, '{')),
  row('invalid-arguments', 'a string for an integer', () => run(gateway, vm, change, '{"integer":"x"}'), {
    more: { errors: [{ pointer: '/integer', message: expect.any(String) }] },
  }),
  row(
    'invalid-request',
    'an unknown control',
    () => exchange(gateway, `${path(change)}?timeot=1`, { method: 'POST' }),
    {
      more: { errors: [expect.objectContaining({ suggestions: ['timeout'] })] },
    },
  ),
  row('unauthenticated', 'no token', () => run(gateway, vm, change, { headers: { Authorization: null } }), {
    headers: { 'www-authenticate': expect.stringMatching(/^Bearer/) },
  }),
  row(
    'forbidden',
    'a level too low',
    () => {
      const token = makeToken(gateway, { level: 'read', vms: ['*'] });
      return run(gateway, vm, change, { headers: { Authorization: `Bearer ${token}` } });
    },
    { more: { detail: expect.stringMatching(/needs level operate; the credentials have level read \(rule /) } },
  ),
  row('origin-refused', 'a foreign page', () =>
    run(gateway, vm, change, { headers: { Origin: 'https://evil.example' } }),
  ),
  row('host-refused', 'a foreign name', () => run(gateway, vm, change, { headers: { Host: 'evil.example' } })),
  row('vm-not-found', 'nobody', () => run(gateway, 'nobody', change)),
  row('command-not-found', 'unknown to the model', () => run(gateway, vm, 'query-statsu')),
  row('command-not-found', 'unknown to the VM', failing('CommandNotFound'), refused('CommandNotFound')),
  row('device-not-found', 'told by the VM', failing('DeviceNotFound'), refused('DeviceNotFound')),
  row('device-not-active', 'told by the VM', failing('DeviceNotActive'), refused('DeviceNotActive')),
  row('kvm-missing-cap', 'told by the VM', failing('KVMMissingCap'), refused('KVMMissingCap')),
  row('command-failed', 'told by the VM', failing('GenericError'), refused('GenericError')),
  row('command-failed', 'a class nobody knows', failing('NewError'), refused('NewError')),
  row('command-failed', 'a class like a member of objects', failing('constructor'), refused('constructor')),
  row('route-not-found', 'no resource', () => exchange(gateway, '/v1/nothing')),
  row('operation-not-found', 'no operation', () => exchange(gateway, `/v1/vms/${vm}/operations/none`)),
  row('method-not-allowed', 'GET of a change', () => exchange(gateway, path(change)), { headers: { allow: 'POST' } }),
  row('method-not-allowed', 'PUT of a query', () => exchange(gateway, path(echo), { method: 'PUT' }), {
    headers: { allow: 'GET, POST' },
  }),
  row('vm-exists', 'PUT for a new one only', async () => {
    await put('taken');
    return put('taken', { 'If-None-Match': '*' });
  }),
  row('node-reachable', 'the node itself is to be forgotten', () =>
    exchange(gateway, `/v1/nodes/${hostname()}`, { method: 'DELETE' }),
  ),
  row('idempotency-in-progress', 'a key whose command runs', () => withKey('{"integer":11}', false)),
  row('idempotency-mismatch', 'a key of another body', () => withKey('{"integer":1}', true)),
  row(
    'cursor-expired',
    'a cursor of another run',
    async () => {
      const { cursor } = (await exchange(gateway, '/v1/vms')).json() as { cursor: string };
      return exchange(gateway, `/v1/events?after=${cursor.replace(/^./, (first) => (first === 'a' ? 'b' : 'a'))}`);
    },
    { more: { oldest: expect.any(String) } },
  ),
  row('epoch-changed', 'another session', () => run(gateway, vm, change, { headers: { 'QMP-VM-Epoch': 'old.1' } })),
  row('body-too-large', 'over commandBytes', () =>
    run(gateway, vm, change, JSON.stringify({ text: 'x'.repeat(70_000) })),
  ),
  row('unsupported-media-type', 'plain text', () =>
    run(gateway, vm, change, { args: '{}', headers: { 'Content-Type': 'text/plain' } }),
  ),
  row('upgrade-required', 'plain GET', () => exchange(gateway, '/v1/ws'), { headers: { upgrade: 'websocket' } }),
  row('headers-too-large', 'a long header', () =>
    run(gateway, vm, change, { headers: { 'X-Long': 'x'.repeat(20_000) } }),
  ),
  row('expectation-failed', 'an unknown expectation', () =>
    run(gateway, vm, change, { headers: { Expect: 'the unexpected' } }),
  ),
  row('not-offered', 'a command of file descriptors', () => run(gateway, vm, 'getfd', '{"fdname":"a"}')),
  row(
    'deadline-exceeded',
    'a silent VM',
    async () => {
      machine.fake.on(change, () => null);
      return exchange(gateway, `${path(change)}?timeout=50ms`, { method: 'POST' });
    },
    {
      outcome: 'unknown',
      seen: 'the command',
      more: { operation: expect.stringMatching(/^\/v1\/vms\/.*\/operations\/./) },
    },
  ),
  row(
    'outcome-unknown',
    'a connection lost after sending',
    async () => {
      machine.fake.on(change, ({ connection }) => {
        connection.socket.destroy();
        return null;
      });
      return run(gateway, vm, change);
    },
    { outcome: 'unknown', seen: 'the command' },
  ),
];

/** Each needs a gateway or a machine of its own. */
const ownRows: Row[] = [
  row('vm-managed', 'a VM of the settings', async () => {
    const own = await scene.gateway({ settings: { vms: { fixed: { endpoint: 'unix:/nowhere/a' } } } });
    return exchange(own, '/v1/vms/fixed', { method: 'DELETE' });
  }),
  row('fleet-unavailable', 'nothing listens where NATS should', async () => {
    const own = await scene.gateway({ settings: { fleet: { name: 'prod', servers: ['nats://127.0.0.1:1'] } } });
    return exchange(own, '/readyz?fleet=1');
  }),
  row('last-credentials', 'the only token revokes itself', async () => {
    const own = await scene.gateway();
    return exchange(own, `/v1/tokens/${own.token?.split('_')[1] ?? ''}`, { method: 'DELETE' });
  }),
  row('host-path-unusable', 'a directory for a VM', async () => {
    const own = await scene.gateway({ settings: { ...fakeMachineSettings, hostPaths: ['/*'] } });
    machine = await fakeMachine(scene);
    return postFd(own, await registerVm(own, machine.endpoint), { path: '/dev', name: 'a' });
  }),
  row('descriptor-lost', 'a descriptor of the session before', async () => {
    const own = await scene.gateway({ settings: { ...fakeMachineSettings, hostPaths: ['/dev/null'] } });
    machine = await fakeMachine(scene);
    machine.fake.on('getfd', () => ({ json: '{}' }));
    const id = await registerVm(own, machine.endpoint);
    const { epoch } = (await postFd(own, id, { path: '/dev/null', name: 'a' })).json();
    machine.fake.connections[0]?.socket.destroy();
    await nextSession(own, id, String(epoch));
    machine.takeReceived();
    return run(own, id, change, '{"text":"fd:a"}');
  }),
  row('vm-not-running', 'keys for a paused guest', async () => {
    machine = await fakeMachine(scene);
    const { json } = (await machine.fake.handlers.get('query-qmp-schema')?.({} as FakeCommand)) as { json: string };
    const keyboard = { name: 'send-key', 'meta-type': 'command', 'arg-type': 'empty', 'ret-type': 'any' };
    machine.fake.on('query-qmp-schema', () => ({ return: [...(JSON.parse(json) as unknown[]), keyboard] }));
    machine.fake.on('query-status', () => ({ json: '{"running": false, "status": "paused"}' }));
    const id = await registerVm(gateway, machine.endpoint);
    machine.takeReceived();
    return exchange(gateway, `/v1/vms/${id}/keys`, { body: '{"text":"a"}' });
  }),
  row(
    'no-display',
    'a picture of a VM without a display',
    async () => {
      const { socket } = await scene.qemu();
      const id = await registerVm(gateway, `unix:${socket}`);
      return exchange(gateway, `/v1/vms/${id}/screen.png`);
    },
    { outcome: 'refused', more: { command: 'screendump', qmp: { class: 'GenericError' } } },
  ),
  row(
    'audit-unavailable',
    'a log that cannot be written',
    async () => {
      machine = await fakeMachine(scene);
      const own = await scene.gateway({
        // Registering it would be refused as well.
        settings: {
          ...fakeMachineSettings,
          audit: { file: '/dev/full', required: true },
          vms: { web: { endpoint: machine.endpoint } },
        },
      });
      await own.vmBecomes('web', 'ready');
      machine.takeReceived();
      for (;;) {
        const answer = await run(own, 'web', change);
        if (answer.status !== 200) return answer;
        // The log fails when it is written, so a first command may pass.
        machine.takeReceived();
      }
    },
    { headers: { 'retry-after': expect.any(String) } },
  ),
  row(
    'idempotency-unavailable',
    'a key that cannot be written down',
    async () => {
      machine = await fakeMachine(scene);
      const state = join(scene.directory(), 'state');
      const own = await scene.gateway({ state, settings: fakeMachineSettings });
      const id = await registerVm(own, machine.endpoint);
      machine.takeReceived();
      mkdirSync(join(state, 'idempotency-1.log'));
      return run(own, id, change, { headers: { 'Idempotency-Key': 'key' } });
    },
    { headers: { 'retry-after': expect.any(String) } },
  ),
  row(
    'vm-unavailable',
    'no connection',
    async () => {
      const id = await registerVm(gateway, 'unix:/nowhere/a', { state: 'waiting' });
      return run(gateway, id, change);
    },
    { headers: { 'retry-after': expect.any(String) } },
  ),
  row(
    'queue-full',
    'limits.queue commands wait',
    async () => {
      machine = await fakeMachine(scene);
      machine.fake.on(change, () => null);
      const id = await registerVm(gateway, machine.endpoint);
      const all = Array.from({ length: 11 }, () => run(gateway, id, change));
      const answer = await Promise.race(all);
      while (machine.received.length < 8) await machine.fake.next(change);
      expect(machine.takeReceived()).toHaveLength(8);
      machine.fake.connections[0]?.socket.destroy();
      const statuses = (await Promise.all(all)).map(({ status }) => status).sort();
      expect(statuses).toEqual([429, ...Array<number>(8).fill(502), 503, 503]);
      return answer;
    },
    { headers: { 'retry-after': expect.any(String) } },
  ),
  row('deadline-exceeded', 'its turn did not come', async () => {
    machine = await fakeMachine(scene);
    machine.fake.on(change, () => null);
    const id = await registerVm(gateway, machine.endpoint);
    const before = Array.from({ length: 8 }, () => run(gateway, id, change));
    while (machine.received.length < 8) await machine.fake.next(change);
    machine.takeReceived();
    const answer = await run(gateway, id, change, { headers: { 'Request-Timeout': '50ms' } });
    machine.fake.connections[0]?.socket.destroy();
    await Promise.all(before);
    return answer;
  }),
  row(
    'too-many-requests',
    'an answer waits for a slow reader',
    heldUpBy((id) => `GET /v1/vms/${id}/qmp/${echo}`),
    {
      headers: { 'retry-after': expect.any(String) },
    },
  ),
  row(
    'too-many-requests',
    'a row of a fan-out does',
    heldUpBy((id) => `POST /v1/qmp/${echo}?vm=${id}`),
    {
      headers: { 'retry-after': expect.any(String) },
    },
  ),
  row('shutting-down', 'a request on an open connection', async () => {
    const own = await scene.gateway({ settings: fakeMachineSettings });
    machine = await fakeMachine(scene);
    machine.fake.on(echo, () => null);
    const id = await registerVm(own, machine.endpoint);
    return pipelinedAtShutdown(own, id, machine);
  }),
];

async function check({ code, provoke, outcome, seen, headers = {}, more = {} }: Row): Promise<void> {
  machine.takeReceived();
  const answer = await provoke();
  const kind = problemCatalogue[code as keyof typeof problemCatalogue];
  expect(answer.json()).toMatchObject({ code, status: kind.status, title: kind.title, outcome, ...more });
  expect(answer.status).toBe(kind.status);
  expect(answer.headers).toMatchObject({ 'content-type': 'application/problem+json', ...headers });
  expect(machine.takeReceived()).toHaveLength(seen === 'nothing' ? 0 : 1);
}

describe('every problem, through real HTTP, and what the VM saw of it', () => {
  it.each(rows)('$code: $what', async (entry) => {
    await gateway.vmBecomes(vm, 'ready');
    await check(entry);
  });

  it.each(ownRows)('$code: $what', async (entry) => check(entry));

  it('leaves out only what no request can provoke', () => {
    const produced = new Set([...rows, ...ownRows].map(({ code }) => code));
    expect(problemCodes.filter((code) => !produced.has(code))).toEqual([
      // Of a fleet with more than one node: test/fleet provokes them.
      ...['vm-ambiguous', 'internal-error', 'fleet-misconfigured'],
    ]);
  });

  it('has a page for each code', async () => {
    for (const code of problemCodes) {
      const page = await exchange(gateway, `/problems/${code}`, { headers: { Authorization: null } });
      expect([code, page.status]).toEqual([code, 200]);
      expect(page.text).toContain(code);
    }
    expect((await exchange(gateway, '/problems/none')).status).toBe(404);
  });
});
