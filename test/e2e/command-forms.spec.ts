import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  argumentsText,
  change,
  echo,
  fakeMachine,
  fakeMachineSettings,
  strict,
  type FakeMachine,
} from './fake-machine.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, registerVm } from './gateway-scene.js';
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
beforeEach(() => machine.takeReceived());
afterAll(() => scene.end());

const message = (body: string, headers = {}) => exchange(gateway, `/v1/vms/${vm}/qmp`, { body, headers });
const get = (query: string, command = strict) => exchange(gateway, `/v1/vms/${vm}/qmp/${command}${query}`);

describe('a QMP message as body', () => {
  it('runs as the endpoint of its command does; its id is ignored', async () => {
    const answer = await message(` {"execute" : "${echo}", "arguments":{"text" : "\\u0041"}, "id":{"a":[1]}}\n`);
    expect([answer.status, answer.text]).toEqual([200, '{"text":"\\u0041"}']);
    expect(machine.received[0]?.id).not.toContain('[1]');
    expect((await message(`{"execute":"${change}"}`)).status).toBe(200);
    expect(machine.received.at(-1)?.raw.toString()).not.toContain('arguments');
  });

  it('runs out of band', async () => {
    const answer = await message('{"exec-oob":"query-yank"}');
    expect([answer.status, answer.text]).toEqual([200, '[]']);
    expect(machine.fake.commands.at(-1)).toMatchObject({ name: 'query-yank', outOfBand: true });
  });

  it('takes the controls', async () => {
    const dry = await message('{"exec-oob":"query-yank"}', { 'Dry-Run': 'true' });
    expect(dry.json()).toEqual({ wouldSend: { 'exec-oob': 'query-yank' }, class: 'read' });
    machine.fake.on(change, () => null);
    const late = await message(`{"execute":"${change}"}`, { 'Request-Timeout': '50ms' });
    expect(problemOf(late)).toMatchObject({ code: 'deadline-exceeded' });
    machine.fake.answer(machine.received.at(-1)!, { json: '{}' });
    machine.fake.on(change, () => ({ json: '{}' }));
  });

  it.each([
    ['[]', 'invalid-request', ''],
    ['{}', 'invalid-request', '/execute'],
    ['{"execute":1}', 'invalid-request', '/execute'],
    ['{"execute":"stop","exec-oob":"stop"}', 'invalid-request', '/exec-oob'],
    ['{"execute":"stop","argument":{}}', 'invalid-request', '/argument'],
    ['{"execute":"stop","arguments":null}', 'invalid-request', '/arguments'],
    ['{"execute":"stop","arguments":[]}', 'invalid-request', '/arguments'],
    [`{"execute":"${strict}","arguments":{"integr":1}}`, 'invalid-arguments', '/integr'],
    ['{"execute":"stopp"}', 'command-not-found', ''],
  ])('%s is refused', async (body, code, pointer) => {
    const problem = problemOf(await message(body));
    const place = code === 'invalid-request' ? { in: 'body' } : {};
    expect(problem).toMatchObject({ code, outcome: 'not-sent', errors: [{ ...place, pointer }] });
    expect(machine.takeReceived()).toEqual([]);
  });

  it('is one message', async () => {
    expect(problemOf(await message('{"execute":"stop"}{"execute":"cont"}'))).toMatchObject({ code: 'malformed-json' });
    expect(problemOf(await message(''))).toMatchObject({ code: 'malformed-json' });
    expect(problemOf(await message('{"execute":"stop","execute":"cont"}'))).toMatchObject({ code: 'malformed-json' });
    const wrong = await exchange(gateway, `/v1/vms/${vm}/qmp`, { method: 'GET' });
    expect([wrong.status, wrong.headers['allow']]).toEqual([405, 'POST']);
    expect(machine.takeReceived()).toEqual([]);
  });
});

describe('arguments of GET', () => {
  it.each([
    ['?integer=7', '{"integer":7}'],
    ['?flag=true', '{"flag":true}'],
    ['?number=1.50', '{"number":1.50}'],
    ['?text=true', '{"text":"true"}'],
    ['?text=a%20b%2B%22', '{"text":"a b+\\""}'],
    ['?color=red', '{"color":"red"}'],
    ['?integers=1&integers=2', '{"integers":[1,2]}'],
    ['?integers=1', '{"integers":[1]}'],
    ['?inner.depth=2&inner.name=x', '{"inner":{"depth":2,"name":"x"}}'],
    ['?anything=%7B%22a%22%3A1%7D', '{"anything":{"a":1}}'],
    ['?anything=18446744073709551615', '{"anything":18446744073709551615}'],
    ['?anything=plain', '{"anything":"plain"}'],
    ['?either=some', '{"either":"some"}'],
    ['?integer=', undefined],
    ['?integer=1.0', undefined],
    ['?flag=1', undefined],
    ['?color=blue', undefined],
    ['?integer=1&integer=2', undefined],
  ])('%s', async (query, args) => {
    const answer = await get(query);
    if (args === undefined) {
      expect(problemOf(answer)).toMatchObject({ status: 400, code: 'invalid-arguments' });
      expect(machine.takeReceived()).toEqual([]);
    } else {
      expect([answer.status, argumentsText(machine.received[0]!)]).toEqual([200, args]);
    }
  });

  it('none: nothing is sent for them', async () => {
    expect((await get('')).status).toBe(200);
    expect(machine.received[0]?.raw.toString()).not.toContain('arguments');
  });

  it('unknown ones: all of them, with the nearest names; controls are none', async () => {
    const { errors } = problemOf(await get('?integr=1&timeout=5&inner.nme=x')) as { errors: { pointer: string }[] };
    expect(errors.map(({ pointer }) => pointer).sort()).toEqual(['/inner/nme', '/integr', '/timeout']);
    expect(errors.find(({ pointer }) => pointer === '/integr')).toMatchObject({
      suggestions: expect.arrayContaining(['integer']),
    });
  });

  it('HEAD is refused, and other methods too', async () => {
    for (const method of ['HEAD', 'PUT', 'DELETE', 'PATCH']) {
      const answer = await exchange(gateway, `/v1/vms/${vm}/qmp/${strict}`, { method });
      expect([method, answer.status, answer.headers['allow']]).toEqual([method, 405, 'GET, POST']);
    }
    expect(machine.takeReceived()).toEqual([]);
  });

  it('escaped names of VM and command are the same', async () => {
    const answer = await exchange(gateway, `/v1/vms/${vm.replace('-', '%2D')}/qmp/query%2Dstatus`);
    expect(answer.status).toBe(200);
    expect((await exchange(gateway, `/v1/vms/${vm}/qmp/%ff`)).status).toBe(404);
  });
});

describe('arguments of POST', () => {
  it('need no content type when there is no body', async () => {
    const answer = await exchange(gateway, `/v1/vms/${vm}/qmp/${change}`, { method: 'POST' });
    expect(answer.status).toBe(200);
    expect(machine.received[0]?.raw.toString()).not.toContain('arguments');
  });

  it('may be of any name where the catalogs do not know the command', async () => {
    const body = '{"undeclared":[1,{"a":1e400}]}';
    const answer = await exchange(gateway, `/v1/vms/${vm}/qmp/${echo}`, { body });
    expect([answer.status, argumentsText(machine.received[0]!)]).toEqual([200, body]);
  });

  it('come in any chunks', async () => {
    const body = '{"text":"\u{1F600}"}';
    const bytes = Buffer.from(body);
    for (let cut = 1; cut < bytes.length; cut++) {
      const stream = new ReadableStream({
        start: (controller) => {
          controller.enqueue(bytes.subarray(0, cut));
          controller.enqueue(bytes.subarray(cut));
          controller.close();
        },
      });
      const streamed = {
        method: 'POST',
        headers: { 'Content-Type': 'application/json; charset=utf-8' },
        body: stream,
        // Node's fetch asks for it; the DOM's types do not know it.
        duplex: 'half',
      };
      const answer = await gateway.fetch(`/v1/vms/${vm}/qmp/${echo}`, streamed);
      expect(await answer.text()).toBe(body);
    }
  });
});
