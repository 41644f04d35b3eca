import { Scene } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';
import type { Level } from '../access/principal.js';
import { HttpExchange, type RequestParts } from '../http/http-exchange.scene.js';
import { ReplyBudget } from '../http/reply-budget.js';
import type { VmRegistry } from '../vms/vm-registry.js';
import { CommandScene, FakeVm, principalOf } from './command.scene.js';
import { FanOut } from './fan-out.js';
import { Lane } from './lane.js';

const scene = new Scene();
afterEach(() => scene.end());

/** The command lane of a gateway with fake VMs. */
class LaneScene {
  readonly stage: CommandScene;
  readonly replies = new ReplyBudget({ replyBytes: 100_000 });
  readonly #lane: Lane;

  constructor(vms = [new FakeVm()]) {
    this.stage = new CommandScene(scene, vms);
    const { path, clock, operations, work } = this.stage;
    const registry = { all: () => this.stage.vms.values() } as unknown as VmRegistry;
    this.#lane = new Lane({
      ...{ path, clock, replies: this.replies, awaited: { operations, work, clock } },
      fanOut: new FanOut(registry, path, clock),
      limits: { bodyBytes: 8000, commandBytes: 1000 },
    });
  }

  get vm(): FakeVm {
    return this.stage.vm;
  }

  /** Undefined for what is not of the lane. */
  handle(url: string, parts: RequestParts = {}, level: Level = 'host'): HttpExchange | undefined {
    const exchange = new HttpExchange(url, parts);
    const [path = '', query = ''] = url.split('?');
    const taken = this.#lane.handle(exchange.request, exchange.response, {
      ...{ principal: principalOf(level), requestId: 'r1', arrivedAt: this.stage.clock.now(), path, query },
      ...{ answerHeaders: {}, replies: this.replies },
    });
    return taken ? exchange : undefined;
  }

  ask(url: string, parts?: RequestParts, level?: Level): HttpExchange {
    const exchange = this.handle(url, parts, level);
    if (exchange === undefined) throw new Error(`${url} is not of the lane`);
    return exchange;
  }

  /** The answer of a request that is refused: its status, `Allow`, and the code of its problem. */
  async refusal(url: string, parts?: RequestParts): Promise<[number, string | undefined, unknown]> {
    const { status, headers, body } = await this.ask(url, parts).answer();
    return [status, headers['allow'], (JSON.parse(body) as { code: unknown }).code];
  }
}

const qmp = '/v1/vms/web-1/qmp';
const post = (body?: string, headers: Record<string, string> = {}): RequestParts => ({
  ...{ method: 'POST', headers },
  ...(body === undefined ? {} : { body }),
});
/** What goes on in this turn of the event loop, and in those of the body, is over. */
const later = () => new Promise<void>((resolve) => void setImmediate(resolve));

describe('the lane', () => {
  it.each(['/v1/vms/web-1', '/v1/vms/web-1/agent/files', '/v1/vms', '/docs'])('leaves %s to the router', (url) => {
    const lane = new LaneScene();
    expect(lane.handle(url)).toBeUndefined();
    expect(lane.stage.audited).toEqual([]);
  });

  it('runs a command of class read by GET, with arguments from the query', async () => {
    const lane = new LaneScene();
    const exchange = lane.ask(`${qmp}/qom-list?path=/machine`);
    expect(lane.vm.commands).toEqual(['qom-list {"path":"/machine"}']);
    lane.vm.reply([]);
    const { status, headers, body } = await exchange.answer();
    expect([status, body]).toEqual([200, '[]']);
    expect(headers).toMatchObject({ 'x-request-id': 'r1', 'qmp-vm-epoch': 'e.1', 'qmp-event-cursor': 'r.7' });
  });

  it('runs a command by POST, with the very bytes of its body', async () => {
    const lane = new LaneScene();
    const exchange = lane.ask(`${qmp}/device_del`, post('{"id":  "d0"}'));
    await later();
    expect(lane.vm.commands).toEqual(['device_del {"id":  "d0"}']);
    lane.vm.reply();
    expect(await exchange.answer()).toMatchObject({ status: 200, body: '{}' });
  });

  it.each([
    ['GET', 'stop', 'POST'],
    ['PUT', 'stop', 'POST'],
    ['DELETE', 'query-status', 'GET, POST'],
  ])('takes no %s of %s', async (method, command, allow) => {
    const lane = new LaneScene();
    expect(await lane.refusal(`${qmp}/${command}`, { method })).toEqual([405, allow, 'method-not-allowed']);
    expect([lane.vm.commands, lane.stage.audited]).toMatchObject([[], [{ command, problem: 'method-not-allowed' }]]);
  });

  it('waits for a VM that was never seen, and applies the rule of methods to it then', async () => {
    const vm = new FakeVm();
    Object.assign(vm, { schema: undefined, ready: false, arriving: true });
    const lane = new LaneScene([vm]);
    const [status, change] = [lane.ask(`${qmp}/query-status`), lane.ask(`${qmp}/stop`)];
    await later();
    expect([status.isAnswered, change.isAnswered]).toEqual([false, false]);
    vm.change({ schema: new FakeVm().schema, ready: true, arriving: false });
    vm.reply('running');
    expect(await status.answer()).toMatchObject({ status: 200, body: '"running"' });
    expect(await change.answer()).toMatchObject({ status: 405 });
  });

  it('takes controls from headers and the query, and refuses unknown ones', async () => {
    const lane = new LaneScene();
    const dry = lane.ask(`${qmp}/stop`, post(undefined, { 'dry-run': 'true' }));
    expect(await dry.answer()).toMatchObject({ status: 200 });
    expect(await lane.refusal(`${qmp}/stop?tiemout=1`, post())).toEqual([400, undefined, 'invalid-request']);
    expect(lane.vm.commands).toEqual([]);
  });

  it('gives up after the deadline that the request sets', async () => {
    const lane = new LaneScene();
    const exchange = lane.ask(`${qmp}/query-status`, { headers: { 'request-timeout': '2s' } });
    lane.stage.clock.advance(1999);
    await later();
    expect(exchange.isAnswered).toBe(false);
    lane.stage.clock.advance(1);
    const { status, body } = await exchange.answer();
    expect([status, JSON.parse(body)]).toMatchObject([504, { code: 'deadline-exceeded' }]);
  });

  it.each([
    ['over the bytes of a body', ' '.repeat(9000), 'body-too-large'],
    // Not read first: it would be malformed otherwise.
    ['over what its command may have', `{"id":"${'a'.repeat(6000)}`, 'body-too-large'],
    ['no JSON', '{"id":', 'malformed-json'],
  ])('refuses a body that is %s', async (_, body, code) => {
    const lane = new LaneScene();
    expect((await lane.refusal(`${qmp}/device_del`, post(body)))[2]).toBe(code);
    expect([lane.vm.commands, lane.stage.audited]).toMatchObject([[], [{ problem: code }]]);
  });

  it('takes no command while too many answers wait for their readers', async () => {
    const lane = new LaneScene();
    const slow = new HttpExchange('/');
    lane.replies.count(slow.response, 200_000);
    expect((await lane.refusal(`${qmp}/query-status`))[2]).toBe('too-many-requests');
    expect(lane.stage.audited).toMatchObject([{ command: 'query-status', problem: 'too-many-requests' }]);
  });
});

describe('a QMP message', () => {
  it('is a command with its name inside', async () => {
    const lane = new LaneScene();
    const exchange = lane.ask(qmp, post('{"execute": "device_del", "arguments": {"id": "d0"}}'));
    await later();
    expect(lane.vm.commands).toEqual(['device_del {"id": "d0"}']);
    lane.vm.reply();
    expect(await exchange.answer()).toMatchObject({ status: 200, body: '{}' });
  });

  it.each([
    ['another method', { method: 'PUT' }, [405, 'POST', 'method-not-allowed']],
    ['no body', post(), [400, undefined, 'malformed-json']],
    ['no name', post('{"arguments": {}}'), [400, undefined, 'invalid-request']],
  ])('is refused with %s', async (_, parts, refusal) => {
    const lane = new LaneScene();
    expect(await lane.refusal(qmp, parts)).toEqual(refusal);
    expect(lane.vm.commands).toEqual([]);
  });
});

describe('a fan-out', () => {
  it('is a POST', async () => {
    const lane = new LaneScene();
    expect(await lane.refusal('/v1/qmp/query-status?vm=*')).toEqual([405, 'POST', 'method-not-allowed']);
    expect(lane.stage.audited).toMatchObject([{ vm: '*', problem: 'method-not-allowed' }]);
  });

  it('goes to all VMs that are selected', async () => {
    const vms = ['a', 'b'].map((id) => new FakeVm(id));
    const lane = new LaneScene(vms);
    const exchange = lane.ask('/v1/qmp/query-status?vm=*', post());
    for (const [at, vm] of vms.entries()) vm.reply(at);
    const { status, body } = await exchange.answer();
    expect(status).toBe(200);
    expect(body).toMatch(/"vm":"a".*"return":0[^]*"vm":"b".*"return":1[^]*"end":true/);
  });
});

describe('an answer', () => {
  it('leaves at the end of the turn, after the VM has its next commands', async () => {
    const lane = new LaneScene();
    const names = ['query-status', 'query-version', 'query-name'];
    const exchanges = names.map((name) => lane.ask(`${qmp}/${name}`));
    lane.vm.reply(1);
    lane.vm.reply(2);
    expect(lane.vm.commands).toEqual(['query-name']);
    expect(exchanges.map(({ isAnswered }) => isAnswered)).toEqual([false, false, false]);
    await later();
    expect(exchanges.map(({ isAnswered }) => isAnswered)).toEqual([true, true, false]);
  });

  it('names where the work is that goes on, for who prefers not to wait', async () => {
    const lane = new LaneScene();
    const exchange = lane.ask(`${qmp}/system_powerdown`, post(undefined, { prefer: 'respond-async' }));
    await later();
    lane.vm.reply();
    const { status, headers } = await exchange.answer();
    expect([status, headers['preference-applied']]).toEqual([202, 'respond-async']);
    expect(headers['location']).toBe(`/v1/vms/web-1/operations/${String(headers['qmp-operation'])}`);
  });

  it('is not waited for by a client that left', async () => {
    const lane = new LaneScene();
    const exchange = lane.ask(`${qmp}/system_powerdown`, post(undefined, { prefer: 'wait=30' }));
    await later();
    lane.vm.reply();
    const pending = lane.stage.clock.pending;
    exchange.response.emit('close');
    expect(lane.stage.clock.pending).toBe(pending - 1);
  });
});

describe('the requests of the lane', () => {
  const refused = async (url: string, parts: RequestParts): Promise<Record<string, unknown>> =>
    JSON.parse((await new LaneScene().ask(url, parts).answer()).body) as Record<string, unknown>;
  const fault = (place: string, pointer: string, message: string) => ({
    ...{ status: 400, code: 'invalid-request' },
    errors: [{ in: place, pointer, message: expect.stringContaining(message) as string }],
  });

  it.each([
    ['timeout=1s&timeout=2s', '/timeout'],
    ['timeout=1s&timeout=1s', '/timeout'],
    ['dryRun=true&dryRun=false', '/dryRun'],
    ['int64=string&int64=string', '/int64'],
  ])('give a control once: ?%s', async (query, pointer) => {
    expect(await refused(`${qmp}/stop?${query}`, post())).toMatchObject(fault('query', pointer, 'more than once'));
  });

  it.each(['Idempotency-Key', 'QMP-VM-Epoch', 'Request-Timeout', 'Dry-Run'])(
    'give a control once, also as a header: %s',
    async (name) => {
      const [one, other] = [name, name.toUpperCase()];
      const rawHeaders = ['Host', '127.0.0.1:8080', one, '5', other, '5'];
      const sent = { ...post(undefined, { [name.toLowerCase()]: '5, 5' }), rawHeaders };
      expect(await refused(`${qmp}/stop`, sent)).toMatchObject(fault('header', `/${name}`, 'more than once'));
    },
  );

  it('may have a comma in a key', async () => {
    const lane = new LaneScene();
    lane.ask(`${qmp}/stop`, post(undefined, { 'idempotency-key': 'a, b' }));
    await later();
    expect(lane.vm.commands).toEqual(['stop']);
  });

  it.each([
    ['timeout=1s', 'request-timeout', '2s', 'Request-Timeout'],
    ['dryRun=true', 'dry-run', 'false', 'Dry-Run'],
    ['int64=number', 'accept', 'application/json;int64=string', 'Accept'],
  ])('say the same as ?%s where they repeat it as %s: %s', async (query, name, value, pointer) => {
    const sent = post(undefined, { [name]: value });
    expect(await refused(`${qmp}/stop?${query}`, sent)).toMatchObject(fault('header', `/${pointer}`, 'the same'));
  });

  it('may repeat a control in other words', async () => {
    const lane = new LaneScene();
    lane.ask(`${qmp}/stop?timeout=1s`, post(undefined, { 'request-timeout': '1000ms' }));
    await later();
    expect(lane.vm.commands).toEqual(['stop']);
  });

  it.each([
    [`${qmp}/stop?timeout=99d`, post(), fault('query', '/timeout', 'at most')],
    [`${qmp}/stop`, post(undefined, { 'request-timeout': '99d' }), fault('header', '/Request-Timeout', 'at most')],
    [`${qmp}/stop?timeout=0`, post(), fault('query', '/timeout', 'more than 0')],
  ])('say where a deadline is that cannot be: %s', async (url, sent, expected) => {
    const answer = await refused(url, sent);
    expect(answer).toMatchObject(expected);
    expect(answer['detail']).toMatch(/does not fit: /);
  });

  it('have no body where they are a GET, but an empty one', async () => {
    const withBody = (body: string, headers: Record<string, string>): RequestParts => ({
      method: 'GET',
      body,
      headers,
    });
    for (const headers of [{ 'content-length': '2' }, { 'transfer-encoding': 'chunked' }])
      expect(await refused(`${qmp}/qom-list`, withBody('{}', headers))).toMatchObject(fault('body', '', 'query'));
    const lane = new LaneScene();
    lane.ask(`${qmp}/qom-list?path=/machine`, withBody('', { 'transfer-encoding': 'chunked' }));
    await later();
    await later();
    expect(lane.vm.commands).toHaveLength(1);
  });

  it('have JSON in UTF-8, and are told that another charset is the fault', async () => {
    const sent = post('{}', { 'content-type': 'application/json; charset=latin1', 'content-length': '2' });
    expect(await refused(`${qmp}/stop`, sent)).toMatchObject({
      ...{ status: 415, code: 'unsupported-media-type' },
      detail: expect.stringContaining('charset "latin1"') as string,
    });
  });

  it('are for many VMs without a session of one', async () => {
    const sent = post(undefined, { 'qmp-vm-epoch': 'e.1' });
    expect(await refused('/v1/qmp/stop?vm=*', sent)).toMatchObject(fault('header', '/QMP-VM-Epoch', 'one VM'));
  });
});
