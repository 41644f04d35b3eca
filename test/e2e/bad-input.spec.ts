import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { fakeMachine, fakeMachineSettings, strict, type FakeMachine } from './fake-machine.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, registerVm } from './gateway-scene.js';
import { exchange, problemOf, type ExchangeOptions } from './http-exchange.js';

const scene = new GatewayScene();
let gateway: GatewayProcess;
let machine: FakeMachine;
let vm: string;

beforeAll(async () => {
  gateway = await scene.gateway({
    settings: { ...fakeMachineSettings, limits: { bodyBytes: '8KiB', commandBytes: '2KiB' } },
  });
  machine = await fakeMachine(scene);
  vm = await registerVm(gateway, machine.endpoint);
});
afterAll(() => scene.end());
// Whatever was wrong with a request: the VM never saw it.
afterEach(() => expect(machine.takeReceived()).toEqual([]));

const command = () => `/v1/vms/${vm}/qmp/${strict}`;
const refused = async (path: string, options: ExchangeOptions = {}) => {
  const answer = await exchange(gateway, path, options);
  expect(answer.headers['content-type']).toBe('application/problem+json');
  expect(answer.json()).toMatchObject({
    type: `/problems/${String(answer.json()['code'])}`,
    status: answer.status,
    title: expect.any(String),
    detail: expect.any(String),
    instance: expect.stringMatching(/^urn:uuid:[0-9a-f-]{36}$/),
  });
  return problemOf(answer);
};
const notSent = { outcome: 'not-sent', retryable: false };

describe('what does not exist', () => {
  it('names no VM', async () => {
    expect(await refused('/v1/vms/nobody/qmp/stop', { method: 'POST' })).toEqual({
      ...{ status: 404, code: 'vm-not-found', vm: 'nobody', command: 'stop', ...notSent },
    });
  });

  it('names no command: the nearest names', async () => {
    expect(await refused(`/v1/vms/${vm}/qmp/query-statsu`)).toEqual({
      ...{ status: 404, code: 'command-not-found', vm, command: 'query-statsu', ...notSent },
      errors: [{ pointer: '', message: expect.any(String), suggestions: ['query-status'] }],
      suggestions: ['query-status'],
    });
  });

  it('spells a VM in a way that cannot be decoded: no route, and never a fan-out', async () => {
    const path = `/v1/vms/%ZZ/qmp/${strict}?vm=*`;
    expect(await refused(path, { method: 'POST' })).toMatchObject({ status: 404, code: 'route-not-found' });
  });

  it('names no resource', async () => {
    expect(await refused('/v1/nothing')).toMatchObject({ status: 404, code: 'route-not-found' });
  });
});

describe('arguments', () => {
  it('are refused with every fault, each at its place', async () => {
    const body = '{"integer":"x","colour":"red","color":"blue","inner":{"depth":true,"nme":"a"},"integers":[1,2.5]}';
    const { errors, ...problem } = await refused(command(), { body });
    expect(problem).toEqual({ status: 400, code: 'invalid-arguments', vm, command: strict, ...notSent });
    expect(errors).toHaveLength(6);
    expect(errors).toEqual(
      expect.arrayContaining([
        { pointer: '/integer', message: expect.any(String) },
        { pointer: '/colour', message: expect.any(String), suggestions: ['color'] },
        expect.objectContaining({ pointer: '/color', message: expect.stringMatching(/red.*green/) }),
        { pointer: '/inner/depth', message: expect.any(String) },
        { pointer: '/inner/nme', message: expect.any(String), suggestions: ['name'] },
        { pointer: '/integers/1', message: expect.any(String) },
      ]),
    );
  });

  it('miss a member: it is pointed at where it should be', async () => {
    expect(await refused(`/v1/vms/${vm}/qmp/device_del`, { method: 'POST' })).toMatchObject({
      code: 'invalid-arguments',
      errors: [{ pointer: '/id' }],
    });
    expect(await refused(`/v1/vms/${vm}/qmp/device_del`, { body: '{"di":"a"}' })).toMatchObject({
      errors: expect.arrayContaining([
        expect.objectContaining({ pointer: '/id' }),
        expect.objectContaining({ pointer: '/di' }),
      ]),
    });
  });

  it.each(['1e3', '1.0', '1.5', '-0.0', '"0x10"', '"1 "', '""', 'true', 'null', '[]'])(
    'are no integer: %s',
    async (value) => {
      expect(await refused(command(), { body: `{"integer":${value}}` })).toMatchObject({
        code: 'invalid-arguments',
        errors: [{ pointer: '/integer' }],
      });
    },
  );
});

describe('a body that is no strict JSON', () => {
  it.each([
    ['cut', '{"integer":1'],
    ['with a trailing comma', '{"integer":1,}'],
    ['with a duplicate key', '{"integer":1,"integer":2}'],
    ['with a duplicate key written otherwise', '{"text":"a","te\\u0078t":"b"}'],
    ['with a duplicate key inside', '{"anything":{"a":[{"b":1,"b":1}]}}'],
    ['with a lone surrogate', '{"text":"\\ud83d"}'],
    ['with a raw control character', '{"text":"a\tb"}'],
    ['with two values', '{} {}'],
    ['with nothing in it', ' '],
    ['too deep', `{"anything":${'['.repeat(64)}${']'.repeat(64)}}`],
    ['with a byte order mark', '\uFEFF{}'],
    ['with a comment', '{/**/}'],
    ['with NaN', '{"number":NaN}'],
  ])('%s', async (_, body) => {
    const answer = await exchange(gateway, command(), { body });
    expect(problemOf(answer)).toMatchObject({ status: 400, code: 'malformed-json', ...notSent });
    expect(answer.json()['detail']).toMatch(/^line \d+, column \d+: [^(]+ \(offset \d+\)$/);
  });

  it.each([
    ['a lone continuation byte', Buffer.from([0x80])],
    ['an overlong NUL', Buffer.from([0xc0, 0x80])],
    ['a surrogate in UTF-8', Buffer.from([0xed, 0xa0, 0x80])],
    ['a cut sequence', Buffer.from([0xe2, 0x82])],
  ])('not UTF-8: %s', async (_, bytes) => {
    const body = Buffer.concat([Buffer.from('{"text":"'), bytes, Buffer.from('"}')]);
    expect(await refused(command(), { body })).toMatchObject({ status: 400, code: 'malformed-json' });
  });

  it('is JSON, but no object', async () => {
    for (const body of ['[]', '1', '"x"', 'null'])
      expect(await refused(command(), { body })).toMatchObject({ status: 400, code: 'invalid-arguments' });
  });
});

describe('a body of the wrong kind', () => {
  it.each([['text/plain'], ['application/x-www-form-urlencoded'], ['application/jsonp'], [null]])(
    'of type %s',
    async (type) => {
      const answer = await exchange(gateway, command(), { body: '{}', headers: { 'Content-Type': type } });
      expect(problemOf(answer)).toMatchObject({ status: 415, code: 'unsupported-media-type', ...notSent });
      expect(answer.json()['detail']).toContain('curl --json');
    },
  );

  it('compressed', async () => {
    const headers = { 'Content-Encoding': 'gzip' };
    expect(await refused(command(), { body: '{}', headers })).toMatchObject({ code: 'unsupported-media-type' });
  });

  it('over the size of a body, and over the size of a command', async () => {
    const text = (length: number) => JSON.stringify({ text: 'x'.repeat(length) });
    const tooLarge = { status: 413, code: 'body-too-large', ...notSent };
    expect(await refused(command(), { body: text(9000) })).toMatchObject(tooLarge);
    expect(await refused(command(), { body: text(3000) })).toMatchObject(tooLarge);
    // What is over the bound by a MiB at most is read on, so that the sender gets its answer.
    expect(await refused(command(), { body: text(2 ** 20) })).toMatchObject(tooLarge);
  });
});

describe('a sender who may not', () => {
  it.each([
    ['sends no token', null],
    ['sends an unknown token', 'Bearer qmpgw_abc_0123456789012345678901234567890123456789012'],
    ['sends something else', 'Basic cm9vdDpyb290'],
    ['sends half a token', 'Bearer qmpgw_abc'],
  ])('%s', async (_, authorization) => {
    const everywhere = authorization === null ? ['/v1/vms', '/v1/events', '/v1/nothing', '/metrics'] : [];
    for (const path of [command(), ...everywhere]) {
      const answer = await exchange(gateway, path, { headers: { Authorization: authorization } });
      expect([path, answer.status, answer.json()['code']]).toEqual([path, 401, 'unauthenticated']);
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
    }
  });

  it.each(['https://evil.example', 'null', 'http://localhost', 'http://127.0.0.1:1', 'http://127.0.0.1.evil.example'])(
    'is a page of %s',
    async (origin) => {
      const answer = await exchange(gateway, command(), { body: '{}', headers: { Origin: origin } });
      expect(problemOf(answer)).toMatchObject({ status: 403, code: 'origin-refused', ...notSent });
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    },
  );

  it('is a page of another site, says the browser', async () => {
    for (const site of ['cross-site', 'same-site'])
      expect(await refused(command(), { body: '{}', headers: { 'Sec-Fetch-Site': site } })).toMatchObject({
        ...{ status: 403, code: 'origin-refused' },
      });
  });

  it('means another host', async () => {
    const { port } = new URL(gateway.url);
    for (const host of ['evil.example', `evil.example:${port}`, '127.1:1', 'localhost.evil.example', `[::1`])
      for (const path of [command(), '/metrics', '/v1'])
        expect(await refused(path, { headers: { Host: host } })).toMatchObject({ status: 403, code: 'host-refused' });
    for (const host of [`localhost:${port}`, `LOCALHOST.:${port}`, `[::1]:${port}`, 'localhost', '127.0.0.1:1'])
      expect((await exchange(gateway, '/v1', { headers: { Host: host } })).status).toBe(200);
  });

  it.each([
    ['without a token', {}, 401],
    ['of another origin', { Origin: 'https://evil.example' }, 403],
    ['for another host', { Host: 'evil.example' }, 403],
  ])('opens a WebSocket %s', async (_, headers, status) => {
    const authorization = status === 401 ? {} : { Authorization: `Bearer ${gateway.token ?? ''}` };
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/ws`, ['qmp-gateway.v1'], {
      headers: { ...authorization, ...headers },
    });
    socket.on('error', () => undefined);
    const [, response] = (await once(socket, 'unexpected-response')) as [
      unknown,
      { statusCode: number; headers: object },
    ];
    expect(response.statusCode).toBe(status);
    expect(response.headers).toMatchObject({ 'content-type': 'application/problem+json' });
    socket.terminate();
  });
});
