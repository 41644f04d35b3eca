import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { fakeMachine, fakeMachineSettings, type FakeMachine } from './fake-machine.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, makeToken, registerVm } from './gateway-scene.js';
import { exchange, type ExchangeOptions } from './http-exchange.js';

const scene = new GatewayScene();
const dash = 'https://dash.example.org';
let gateway: GatewayProcess;
let machine: FakeMachine;
let vm: string;
let port: string;

beforeAll(async () => {
  gateway = await scene.gateway({ settings: { ...fakeMachineSettings, allowedOrigins: [dash] } });
  port = new URL(gateway.url).port;
  machine = await fakeMachine(scene);
  vm = await registerVm(gateway, machine.endpoint);
});
afterAll(() => scene.end());

const code = async (resource: string, options?: ExchangeOptions) => {
  const answer = await exchange(gateway, resource, options);
  return answer.status < 400 ? answer.status : String(answer.json()['code']);
};
/** Bytes as they are, and all that comes back. */
async function raw(text: string): Promise<string> {
  const socket = connect(Number(port), '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.write(text);
  await once(socket, 'end');
  return Buffer.concat(chunks).toString();
}
const upgrade = (resource: string, headers: Record<string, string>, protocols = ['qmp-gateway.v1']) =>
  new Promise<number>((resolve) => {
    const socket = new WebSocket(gateway.url.replace('http', 'ws') + resource, protocols, { headers });
    socket.on('open', () => {
      socket.terminate();
      resolve(101);
    });
    socket.on('unexpected-response', (_request, response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    socket.on('error', () => undefined);
  });
const authorized = () => ({ Authorization: `Bearer ${gateway.token ?? ''}` });

describe('a rebound name', () => {
  it('is refused on GET, POST, streams and upgrades, before credentials', async () => {
    const headers = { Host: 'evil.example' };
    const stop = `/v1/vms/${vm}/qmp/stop`;
    machine.takeReceived();
    expect(await code('/v1', { headers })).toBe('host-refused');
    expect(await code('/docs', { headers })).toBe('host-refused');
    expect(await code(stop, { headers, method: 'POST' })).toBe('host-refused');
    expect(await code('/v1/events', { headers: { ...headers, Accept: 'text/event-stream' } })).toBe('host-refused');
    expect(await code('/v1/vms', { headers: { ...headers, Authorization: null } })).toBe('host-refused');
    expect(await upgrade('/v1/ws', { ...authorized(), Host: 'evil.example' })).toBe(403);
    expect(await upgrade(`/v1/vms/${vm}/monitor`, { ...authorized(), Host: `localhost.evil.example:${port}` })).toBe(
      403,
    );
    expect(machine.takeReceived()).toEqual([]);
  });

  it('has no way around it: two Host headers, none, a whole URL', async () => {
    const ask = (line: string, ...headers: string[]) =>
      raw([line, ...headers, `Authorization: Bearer ${gateway.token ?? ''}`, 'Connection: close', '', ''].join('\r\n'));
    const own = `Host: 127.0.0.1:${port}`;
    expect(await ask('GET /v1/vms HTTP/1.1', own)).toMatch(/^HTTP\/1\.1 200 /);
    expect(await ask('GET /v1/vms HTTP/1.1', own, 'Host: evil.example')).toMatch(/^HTTP\/1\.1 403 .*host-refused/s);
    expect(await ask('GET /v1/vms HTTP/1.1', 'host: evil.example', own)).toMatch(/^HTTP\/1\.1 403 .*host-refused/s);
    expect(await ask('GET /v1/vms HTTP/1.1')).toMatch(/^HTTP\/1\.1 403 .*host-refused/s);
    expect(await ask('GET http://evil.example/v1/vms HTTP/1.1', own)).toMatch(/^HTTP\/1\.1 403 .*host-refused/s);
  });
});

describe('a page of another origin', () => {
  const evil = { Origin: 'https://evil.example' };

  it('gets nothing, whatever it sends and whatever credentials it has', async () => {
    machine.takeReceived();
    for (const headers of [
      evil,
      { Origin: 'null' },
      { 'Sec-Fetch-Site': 'cross-site' },
      { 'Sec-Fetch-Site': 'same-site' },
    ]) {
      expect(await code('/v1/vms', { headers })).toBe('origin-refused');
      expect(await code(`/v1/vms/${vm}/qmp/stop`, { headers, method: 'POST' })).toBe('origin-refused');
      expect(await code('/v1/tokens', { headers, body: '{"level":"host"}' })).toBe('origin-refused');
    }
    expect(await upgrade('/v1/ws', { ...authorized(), ...evil })).toBe(403);
    expect(await upgrade('/v1/ws', { ...authorized(), Origin: 'null' })).toBe(403);
    expect(await upgrade('/v1/ws', { ...authorized(), Origin: `http://127.0.0.1:${port}` })).toBe(101);
    expect(await upgrade('/v1/ws', { ...authorized(), Origin: dash })).toBe(101);
    expect(await upgrade('/v1/ws', { Origin: dash })).toBe(401);
    expect(machine.takeReceived()).toEqual([]);
  });

  it('that is allowed is told so, and never that it may send cookies', async () => {
    const answer = await exchange(gateway, '/v1/vms', { headers: { Origin: dash, 'Sec-Fetch-Site': 'cross-site' } });
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({ 'access-control-allow-origin': dash, vary: 'Origin' });
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
    const own = await exchange(gateway, '/v1/vms');
    expect(own.headers['access-control-allow-origin']).toBeUndefined();
  });

  it('asks first without a token, and is answered only when it is allowed', async () => {
    const preflight = (origin: string) =>
      exchange(gateway, `/v1/vms/${vm}/qmp/stop`, {
        method: 'OPTIONS',
        headers: { Authorization: null, Origin: origin, 'Access-Control-Request-Method': 'POST' },
      });
    const allowed = await preflight(dash);
    expect(allowed.status).toBe(204);
    expect(allowed.headers['access-control-allow-headers']).toContain('Idempotency-Key');
    const refused = await preflight('https://dash.example.org.evil.example');
    expect(refused.status).toBe(403);
    expect(refused.headers['access-control-allow-origin']).toBeUndefined();
  });

  it('cannot send what needs no asking: text, forms, no type, a method in disguise', async () => {
    machine.takeReceived();
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      '',
      'text/json',
      null,
    ])
      expect(await code(`/v1/vms/${vm}/qmp`, { body: '{"execute":"stop"}', headers: { 'Content-Type': type } })).toBe(
        'unsupported-media-type',
      );
    const disguise = { 'X-HTTP-Method-Override': 'POST', 'X-Method-Override': 'POST' };
    expect(await code(`/v1/vms/${vm}/qmp/stop`, { headers: disguise })).toBe('method-not-allowed');
    expect(await code(`/v1/vms/${vm}/qmp/stop?_method=POST`, { headers: disguise })).toBe('method-not-allowed');
    expect(machine.takeReceived()).toEqual([]);
  });
});

describe('credentials in an address', () => {
  it('are refused, valid or not, and are in no log', async () => {
    const token = gateway.token ?? '';
    expect(await code(`/v1/vms?token=${token}`)).toBe('invalid-request');
    expect(await code(`/v1/vms?access_token=${token}`, { headers: { Authorization: null } })).toBe('invalid-request');
    expect(await code(`/v1/vms/${vm}/qmp/query-status?x=${token}`)).toBe('invalid-request');
    expect(await upgrade(`/v1/ws?token=${token}`, {})).toBe(400);
    expect(gateway.stderr()).not.toContain(token);
  });
});

it.each([
  '/V1/vms',
  '/v1//vms',
  '//v1/vms',
  '/v1/vms/',
  '/v1/./vms',
  '/docs/../v1/vms',
  '/v1/Tokens',
  '/METRICS',
  '/metrics/',
])('%s is no way past the credentials', async (path) => {
  expect(await raw(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`)).toMatch(
    /^HTTP\/1\.1 (?:401|404) /,
  );
});

it('protects every page that is HTML, and lets nothing be taken for another type', async () => {
  const docs = await exchange(gateway, '/docs');
  expect(docs.headers['content-type']).toContain('text/html');
  expect(docs.headers['content-security-policy']).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
  for (const path of [
    '/v1',
    '/v1/vms',
    '/openapi.json',
    '/docs/',
    '/docs/docs.js',
    '/docs/nosuch',
    '/problems/forbidden',
    '/nosuch',
  ]) {
    const { headers } = await exchange(gateway, path);
    expect(headers['x-content-type-options'], path).toBe('nosniff');
    if (!path.startsWith('/docs/') || path === '/docs/nosuch')
      expect(headers['content-type'], path).not.toContain('html');
  }
});

describe('POST /v1/session', () => {
  const cookieOf = (header: string[] | undefined) => header?.[0]?.split(';')[0] ?? '';
  const session = async (token: string | undefined, headers: Record<string, string> = {}) =>
    exchange({ ...gateway, token }, '/v1/session', { method: 'POST', headers });
  const withCookie = (cookie: string, resource: string, options: ExchangeOptions = {}) =>
    exchange(gateway, resource, { ...options, headers: { Authorization: null, Cookie: cookie, ...options.headers } });

  it('gives a cookie that scripts, other sites and other paths do not get', async () => {
    const answer = await session(gateway.token);
    expect(answer.status).toBe(204);
    expect(answer.headers['set-cookie']?.[0]).toMatch(
      /^qmpgw_session=[\w-]{43}; Max-Age=43200; Path=\/v1; HttpOnly; SameSite=Strict$/,
    );
    expect((await session(undefined)).status).toBe(401);
  });

  it('is honoured on GET of event streams, and nowhere else', async () => {
    const cookie = cookieOf((await session(gateway.token)).headers['set-cookie']);
    expect((await withCookie(cookie, '/v1/events')).status).toBe(200);
    expect((await withCookie(`a=b; ${cookie}; c=d`, `/v1/vms/${vm}/events`)).status).toBe(200);
    for (const [method, resource] of [
      ['GET', '/v1/vms'],
      ['GET', `/v1/vms/${vm}/qmp/query-status`],
      ['POST', `/v1/vms/${vm}/qmp/stop`],
      ['POST', '/v1/events'],
      ['POST', '/v1/session'],
      ['GET', '/v1/tokens'],
      ['GET', '/metrics'],
    ] as const)
      expect((await withCookie(cookie, resource, { method })).status, `${method} ${resource}`).toBe(401);
    expect(await upgrade('/v1/ws', { Cookie: cookie })).toBe(401);
    expect((await withCookie('qmpgw_session=x', '/v1/events')).status).toBe(401);
    expect((await withCookie(cookie, '/v1/events', { headers: { Origin: 'https://evil.example' } })).status).toBe(403);
  });

  it('ends with the token it was made with', async () => {
    const token = makeToken(gateway, { level: 'read', vms: ['*'] });
    const cookie = cookieOf((await session(token)).headers['set-cookie']);
    expect((await withCookie(cookie, '/v1/events')).status).toBe(200);
    const id = token.split('_')[1] ?? '';
    expect((await exchange(gateway, `/v1/tokens/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await withCookie(cookie, '/v1/events')).status).toBe(401);
  });
});
