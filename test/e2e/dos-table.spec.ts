/** Denial of service by what is sent: each kind of request that costs more than it should, then a good client. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { change, echo, fakeMachine, fakeMachineSettings, type FakeMachine } from './fake-machine.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, makeToken, registerVm, run } from './gateway-scene.js';
import { GoodClient, probedMemory } from './good-client.js';
import { exchange } from './http-exchange.js';
import { JsonRpcClient } from './json-rpc-client.js';

const scene = new GatewayScene();
let gateway: GatewayProcess;
let machine: FakeMachine;
let vm: string;
let good: GoodClient;
let attack: string;

beforeAll(async () => {
  gateway = await scene.gateway({ settings: fakeMachineSettings, env: probedMemory });
  machine = await fakeMachine(scene);
  vm = await registerVm(gateway, machine.endpoint);
  good = new GoodClient(gateway, vm, change);
});
afterAll(() => scene.end());
beforeEach(async ({ task }) => {
  attack = task.name;
  await good.before();
  machine.takeReceived();
});
afterEach(async () => {
  await good.afterwards(attack);
  const codes = gateway.log().filter(({ level }) => Number(level) >= 50);
  expect(codes).toEqual([]);
});

/** Sends bytes, goes on as long as it is read, and gives the head of the answer; empty when there is none. */
function send(head: string, body: () => Iterable<string>): Promise<string> {
  const { hostname, port } = new URL(gateway.url);
  const socket = connect(Number(port), hostname);
  return new Promise((resolve) => {
    let answer = '';
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer));
    socket.on('end', () => socket.destroy());
    socket.write(head);
    for (const piece of body()) socket.write(piece);
  });
}

const headOf = (token: string | undefined, length: string) =>
  [
    `POST /v1/vms/${vm}/qmp/${change} HTTP/1.1\r\nHost: ${new URL(gateway.url).host}`,
    ...['Content-Type: application/json', length, 'Connection: close'],
    ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
    '\r\n',
  ].join('\r\n');
const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`;

describe('bodies', () => {
  it('huge ones are refused without being kept, with credentials and without', async () => {
    const attempts = Array.from({ length: 40 }, (_, at) => {
      const token = at % 2 === 0 ? gateway.token : undefined;
      const declared = at % 4 < 2;
      return send(headOf(token, declared ? 'Content-Length: 1000000000' : 'Transfer-Encoding: chunked'), function* () {
        // 4 MiB of what was said to come.
        for (let n = 0; n < 64; n++) yield declared ? ' '.repeat(0x10000) : chunk;
      });
    });
    await good.isServed('during');
    const statuses = (await Promise.all(attempts)).map((answer) => answer.slice(9, 12));
    // Who goes on sending may lose the answer to the reset of its connection.
    const told = (odd: number) => statuses.filter((status, at) => at % 2 === odd && status !== '');
    expect(new Set(told(0))).toEqual(new Set(['413']));
    expect(new Set(told(1))).toEqual(new Set(['401']));
  });

  it.each([
    ['deep', '['.repeat(100_000), 400],
    ['deep objects', '{"a":'.repeat(20_000), 400],
    ['of a hundred thousand members', `{${Array.from({ length: 60_000 }, (_, n) => `"k${n}":0`).join(',')}}`, 413],
    ['of ten thousand members', `{${Array.from({ length: 8000 }, (_, n) => `"${n}":0`).join(',')}}`, 413],
    ['of duplicate members', `{${Array.from({ length: 8000 }, () => '"a":0').join(',')}}`, 400],
    ['of half a million items', `{"integers":[${'0,'.repeat(500_000)}0]}`, 413],
    ['of a long number', `{"integer":${'9'.repeat(60_000)}}`, 200],
    ['of lone surrogates', `{"text":"${'\\ud800'.repeat(10_000)}"}`, 400],
  ])('%s', async (_what, body, expected) => {
    const answers = Array.from({ length: 50 }, () => run(gateway, vm, change, body));
    await good.isServed('during');
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([expected]));
  });

  it('that are compressed are not taken: no bomb goes off', async () => {
    const bomb = gzipSync(Buffer.alloc(50 * 2 ** 20, 0x20));
    for (const encoding of ['gzip', 'deflate', 'br', 'gzip, gzip']) {
      const options = { body: bomb, headers: { 'Content-Encoding': encoding } };
      expect((await exchange(gateway, `/v1/vms/${vm}/qmp/${change}`, options)).status).toBe(415);
      expect((await exchange(gateway, '/v1/tokens', options)).status).toBe(415);
    }
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/ws`, ['qmp-gateway.v1'], {
      headers: { Authorization: `Bearer ${gateway.token ?? ''}` },
      perMessageDeflate: true,
    });
    await once(socket, 'open');
    expect(socket.extensions).toBe('');
    socket.send(`{"jsonrpc":"2.0","id":1,"method":"ping","params":"${' '.repeat(2 ** 20)}"}`);
    expect((await once(socket, 'close'))[0]).toBe(1009);
  });
});

describe('slow requests', () => {
  it('whose head or body never ends are ended, and cost nobody anything', async () => {
    const { hostname, port } = new URL(gateway.url);
    const dribble = (head: string, more = ' '): { socket: Socket; gone: Promise<string> } => {
      const socket = connect(Number(port), hostname).on('error', () => undefined);
      let answer = '';
      socket.on('data', (bytes: Buffer) => (answer += bytes.toString('latin1')));
      socket.write(head);
      const timer = setInterval(() => socket.write(more), 500);
      const gone = once(socket, 'close').then(() => {
        clearInterval(timer);
        return answer;
      });
      return { socket, gone };
    };
    const silent = Array.from({ length: 100 }, () => dribble('', ''));
    const heads = Array.from({ length: 200 }, () => dribble('GET /v1/vms HTTP/1.1\r\nX: '));
    const bodies = Array.from({ length: 50 }, () => dribble(headOf(gateway.token, 'Content-Length: 1000')));
    await good.isServed('during');
    const endings = await Promise.all([...silent, ...heads, ...bodies].map(({ gone }) => gone));
    // A head may take 10 s, a whole request 30 s.
    for (const answer of endings) expect(answer).toMatch(/^HTTP\/1\.1 400 .*did not arrive in time/s);
  });
});

describe('patterns and names', () => {
  it('filters are names and globs: an expression that explodes is none, and no glob does', async () => {
    const ask = async (query: string) => (await exchange(gateway, `/v1/events?${query}`)).status;
    for (const expression of ['(a+)+$', '(.*a){20}', '[a-z]+', 'a{1,9999}'])
      expect(await ask(`event=${encodeURIComponent(expression)}`)).toBe(400);
    const stars = '*a'.repeat(60);
    const rpc = scene.keep(await JsonRpcClient.connect(gateway), (client) => client.close());
    const subscribe = (params: object) => rpc.request('subscribe', JSON.stringify(params));
    for (let n = 0; n < 20; n++) {
      const answer = await subscribe({
        vm: Array.from({ length: 1000 }, () => stars),
        event: [`${stars}b`.toUpperCase()],
      });
      expect(answer.error).toBeUndefined();
    }
    const tooMany = Array.from({ length: 20_000 }, () => '*a');
    for (const list of [{ vm: tooMany }, { event: tooMany }, { label: tooMany.map((glob) => `a=${glob}`) }])
      expect((await subscribe(list)).error?.code).toBe(-32602);
    for (let n = 0; n < 100; n++) machine.fake.emit(`A${'A'.repeat(100)}`, { n });
    await good.isServed('during');
    rpc.close();
  });

  it('what is hidden and what does not exist are answered alike', async () => {
    const stranger = { ...gateway, token: makeToken(gateway, { level: 'host', vms: ['elsewhere-*'] }) };
    const rpc = scene.keep(await JsonRpcClient.connect(stranger), (client) => client.close());
    const seen = async (id: string) => {
      const answers: unknown[] = [];
      for (const path of [
        '',
        '/events',
        '/schema',
        '/openapi.json',
        '/operations',
        '/operations/1',
        '/qmp/stop',
        '/monitor',
      ]) {
        for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
          const body = method === 'PUT' ? { body: '{"endpoint":"unix:/nowhere/x"}' } : {};
          const answer = await exchange(stranger, `/v1/vms/${id}${path}`, { method, ...body });
          const { instance, ...problem } = answer.json();
          answers.push([answer.status, JSON.stringify(problem).replaceAll(id, 'ID')]);
        }
      }
      const { error } = await rpc.request('execute', JSON.stringify({ vm: id, command: 'stop' }));
      answers.push(error?.message.replaceAll(id, 'ID'));
      return answers;
    };
    const [hidden, none] = [await seen(vm), await seen('vm-0')];
    expect(hidden).toEqual(none);
    rpc.close();
    const guess = async (token: string) => {
      const { status, ...answer } = await exchange({ ...gateway, token }, '/v1/vms');
      return [status, answer.json()['detail'], answer.headers['www-authenticate']];
    };
    const [, id] = (gateway.token ?? '').split('_');
    expect(await guess(`qmpgw_${id ?? ''}_${'A'.repeat(43)}`)).toEqual(await guess(`qmpgw_zzz_${'A'.repeat(43)}`));
  });

  it.each(['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'])(
    '%s is a name like any other, wherever it stands',
    async (name) => {
      const rpc = scene.keep(await JsonRpcClient.connect(gateway), (client) => client.close());
      const value = `{"polluted":"yes","${name}":{"polluted":"yes"}}`;
      const answers = [
        await run(gateway, vm, change, `{"${name}":${value}}`),
        await run(gateway, vm, change, `{"anything":${value},"inner":{"${name}":1}}`),
        await run(gateway, vm, name),
        await run(gateway, name, 'stop'),
        await exchange(gateway, `/v1/vms/${vm}/qmp/${echo}?${name}=1&${name}.polluted=yes&inner.${name}=1`),
        await exchange(gateway, `/v1/events?${name}=1&label=${name}=1`),
        await exchange(gateway, '/v1/tokens', { body: `{"level":"read","${name}":${value}}` }),
        await exchange(gateway, `/v1/vms/${vm}/qmp`, { body: `{"execute":"stop","${name}":${value}}` }),
        await exchange(gateway, `/v1/tokens/${name}`, { method: 'DELETE' }),
        await exchange(gateway, `/problems/${name}`),
      ];
      expect(answers.filter(({ status }) => status >= 500 || status === 204)).toEqual([]);
      const labelled = await exchange(gateway, '/v1/vms/labelled', {
        method: 'PUT',
        body: `{"endpoint":"${machine.endpoint}x","labels":{"${name}":"yes"}}`,
      });
      if (labelled.status < 300)
        expect(JSON.parse(labelled.text)).toMatchObject({
          labels: expect.objectContaining({ [name]: 'yes' }) as unknown,
        });
      for (const [method, params] of [
        [name, '{}'],
        ['execute', `{"vm":"${vm}","command":"${change}","arguments":{"${name}":${value}},"${name}":${value}}`],
        ['execute', `{"vm":"${vm}","command":"${name}"}`],
        ['subscribe', value],
      ] as const)
        expect((await rpc.request(method, params)).error?.data?.['code']).not.toBe('internal-error');
      rpc.close();
      await exchange(gateway, '/v1/vms/labelled', { method: 'DELETE' });
      const row = (await exchange(gateway, `/v1/vms/${vm}`)).json();
      expect(row['polluted']).toBeUndefined();
    },
  );
});
