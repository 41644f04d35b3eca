import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { argumentsText, change, echo, fakeMachine, fakeMachineSettings, type FakeMachine } from './fake-machine.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, makeToken, nextSession, registerVm, run, runningOperations } from './gateway-scene.js';
import { exchange, problemOf } from './http-exchange.js';

const scene = new GatewayScene();
let gateway: GatewayProcess;
let machine: FakeMachine;
let vm: string;

beforeAll(async () => {
  gateway = await scene.gateway({ settings: fakeMachineSettings });
  machine = await fakeMachine(scene);
  vm = await registerVm(gateway, machine.endpoint);
});
afterAll(() => scene.end());

const post = (query: string, headers = {}) =>
  exchange(gateway, `/v1/vms/${vm}/qmp/${change}${query}`, { method: 'POST', headers });

describe('dry run', () => {
  it.each([
    ['by query', '?dryRun=true', {}],
    ['by header', '', { 'Dry-Run': 'true' }],
  ])('%s: says what would be sent, and sends nothing', async (_, query, headers) => {
    machine.takeReceived();
    const answer = await exchange(gateway, `/v1/vms/${vm}/qmp/${change}${query}`, {
      body: '{"integer":"9223372036854775807", "text":"a"}',
      headers,
    });
    expect(answer.status).toBe(200);
    expect(answer.text).toBe(
      `{"wouldSend":{"execute":"${change}","arguments":{"integer":9223372036854775807, "text":"a"}},"class":"operate"}`,
    );
    expect(answer.headers['qmp-operation']).toBeUndefined();
    expect(machine.takeReceived()).toEqual([]);
  });

  it('validates and authorizes', async () => {
    const wrong = await run(gateway, vm, change, { args: '{"integer":"x"}', headers: { 'Dry-Run': 'true' } });
    expect(problemOf(wrong)).toMatchObject({ code: 'invalid-arguments' });
    const token = makeToken(gateway, { level: 'read', vms: ['*'] });
    const headers = { 'Dry-Run': 'true', Authorization: `Bearer ${token}` };
    expect(problemOf(await run(gateway, vm, change, { headers }))).toMatchObject({ code: 'forbidden' });
    const get = await exchange(gateway, `/v1/vms/${vm}/qmp/${echo}?integer=1`, { headers: { 'Dry-Run': 'true' } });
    expect(get.json()).toEqual({ wouldSend: { execute: echo, arguments: { integer: 1 } }, class: 'read' });
    expect(machine.takeReceived()).toEqual([]);
  });
});

describe('timeout', () => {
  it.each([
    ['?timeout=100ms', {}],
    ['', { 'Request-Timeout': '100ms' }],
  ])('by %s %s: 504 with the operation', async (query, headers) => {
    machine.fake.on(change, () => null);
    const answer = await post(query, headers);
    const operation = `/v1/vms/${vm}/operations/${String(answer.headers['qmp-operation'])}`;
    expect(problemOf(answer)).toEqual({
      ...{
        status: 504,
        code: 'deadline-exceeded',
        vm,
        command: change,
        outcome: 'unknown',
        retryable: false,
        operation,
      },
    });
    machine.fake.answer(machine.received.at(-1)!, { json: '{}' });
  });

  it('of a command that changes nothing: trying again cannot do it twice', async () => {
    machine.fake.on(echo, () => null);
    const answer = await exchange(gateway, `/v1/vms/${vm}/qmp/${echo}`, { headers: { 'Request-Timeout': '50ms' } });
    expect(problemOf(answer)).toMatchObject({ code: 'deadline-exceeded', retryable: true });
    machine.fake.answer(machine.received.at(-1)!, { json: '{}' });
    machine.fake.on(echo, (command) => ({ json: argumentsText(command) }));
  });

  it.each(['0', '-1', '1 s', 'soon', '1h1m', '', '5us', '400d'])('is no duration: %j', async (timeout) => {
    machine.takeReceived();
    const answer = await post(`?timeout=${encodeURIComponent(timeout)}`);
    expect(problemOf(answer)).toMatchObject({
      code: 'invalid-request',
      errors: [{ in: 'query', pointer: '/timeout' }],
    });
    expect(machine.takeReceived()).toEqual([]);
  });

  it('has a ceiling', async () => {
    const answer = await post('?timeout=24h');
    expect(problemOf(answer)).toMatchObject({ status: 400, code: 'invalid-request' });
  });
});

describe('unknown and doubtful controls', () => {
  it.each([
    ['?dryrun=true', 'dryrun', ['dryRun']],
    ['?Timeout=1', 'Timeout', ['timeout']],
    ['?integer=1', 'integer', undefined],
    ['?dryRun=yes', 'dryRun', undefined],
    ['?int64=text', 'int64', undefined],
  ])('%s', async (query, pointer, suggestions) => {
    const { errors } = problemOf(await post(query)) as { errors: object[] };
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({
      in: 'query',
      pointer: `/${pointer}`,
      ...(suggestions === undefined ? {} : { suggestions }),
    });
  });

  it.each(['Idempotency-Key', 'QMP-VM-Epoch', 'Request-Timeout', 'Dry-Run'])(
    'are headers that come twice: %s',
    async (name) => {
      machine.takeReceived();
      const answer = await post('', { [name]: ['5', '5'] });
      expect(problemOf(answer)).toMatchObject({
        ...{ status: 400, code: 'invalid-request' },
        errors: [{ in: 'header', pointer: `/${name}`, message: 'given more than once' }],
      });
      expect(machine.takeReceived()).toEqual([]);
    },
  );

  it('are all told at once', async () => {
    const answer = await post('?a=1&dryRun=2', { 'Request-Timeout': 'x', 'Idempotency-Key': 'x'.repeat(300) });
    const { errors } = problemOf(answer) as { errors: { pointer: string }[] };
    expect(errors.map(({ pointer }) => pointer).sort()).toEqual([
      '/Idempotency-Key',
      '/Request-Timeout',
      '/a',
      '/dryRun',
    ]);
  });
});

describe('QMP-VM-Epoch', () => {
  it('lets a command into its session alone', async () => {
    machine.fake.on(change, (command) => ({ json: argumentsText(command) }));
    const epoch = String((await post('')).headers['qmp-vm-epoch']);
    machine.takeReceived();
    expect((await post('', { 'QMP-VM-Epoch': epoch })).status).toBe(200);
    expect(machine.takeReceived()).toEqual([change]);
    machine.fake.connections[0]?.socket.destroy();
    await nextSession(gateway, vm, epoch);
    const late = await post('', { 'QMP-VM-Epoch': epoch });
    expect(problemOf(late)).toMatchObject({
      status: 412,
      code: 'epoch-changed',
      outcome: 'not-sent',
      retryable: false,
    });
    expect(machine.takeReceived()).toEqual([]);
  });

  it('holds for commands that wait while the session changes', async () => {
    const epoch = String((await post('')).headers['qmp-vm-epoch']);
    machine.takeReceived();
    const introspect = machine.fake.handlers.get('query-qmp-schema')!;
    const preparing = machine.fake.next('query-qmp-schema');
    machine.fake.on('query-qmp-schema', () => null);
    machine.fake.connections[0]?.socket.destroy();
    const preparation = await preparing;
    const waiting = post('', { 'QMP-VM-Epoch': epoch });
    while ((await runningOperations(gateway, vm)) === 0);
    machine.fake.answer(preparation, await introspect(preparation));
    expect(problemOf(await waiting)).toMatchObject({ code: 'epoch-changed', outcome: 'not-sent' });
    expect(machine.takeReceived()).toEqual([]);
  });
});

describe('answer headers', () => {
  it('tell the way of the command', async () => {
    const own = await fakeMachine(scene);
    const id = await registerVm(gateway, own.endpoint);
    const answer = await run(gateway, id, echo, { headers: { 'X-Request-Id': 'mine.1' } });
    const { epoch } = await gateway.vmBecomes(id, 'ready');
    expect(answer.headers).toMatchObject({
      'cache-control': 'no-store',
      'content-type': 'application/json',
      'x-request-id': 'mine.1',
      'x-content-type-options': 'nosniff',
      'qmp-vm-epoch': epoch,
      'qmp-event-cursor': expect.stringMatching(/^[a-z0-9]+\.\d+$/),
      'qmp-operation': expect.stringMatching(/./),
      'server-timing': expect.stringMatching(/^queue;dur=\d+(\.\d+)?, qmp;dur=\d+(\.\d+)?$/),
    });
    expect(answer.headers['deprecation']).toBeUndefined();
    for (const odd of ['two words', 'x'.repeat(129), 'ümlaut']) {
      const made = await run(gateway, id, echo, { headers: { 'X-Request-Id': Buffer.from(odd).toString('latin1') } });
      expect(made.headers['x-request-id']).toMatch(/^[A-Za-z0-9._-]{1,128}$/);
    }
    const failed = await run(gateway, id, 'nope');
    expect(failed.headers).toMatchObject({ 'cache-control': 'no-store', 'x-request-id': expect.any(String) });
  });

  it('name a cursor after which the events of the command come, events of before do not', async () => {
    const own = await fakeMachine(scene);
    const id = await registerVm(gateway, own.endpoint);
    own.fake.on(change, ({ connection }) => {
      connection.event('AFTER');
      return { json: '{}' };
    });
    own.fake.emit('BEFORE');
    const first = await exchange(gateway, `/v1/vms/${id}/events?event=BEFORE&wait=5s`);
    const { events } = first.json() as { events: { cursor: string }[] };
    const answer = await run(gateway, id, change);
    const cursor = String(answer.headers['qmp-event-cursor']);
    expect(cursor).toBe(events[0]?.cursor);
    const after = await exchange(gateway, `/v1/vms/${id}/events?after=${cursor}&wait=5s&limit=1`);
    expect(after.json()).toMatchObject({ events: [{ event: 'AFTER' }] });
  });
});
