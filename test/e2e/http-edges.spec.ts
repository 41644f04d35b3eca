import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { change, echo, fakeMachine, fakeMachineSettings, type FakeMachine } from './fake-machine.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, makeToken, registerVm } from './gateway-scene.js';
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

interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** Sends this request line as it is, with the headers of an ordinary request, on a connection of its own. */
async function raw(line: string, headers: Readonly<Record<string, string>> = {}): Promise<RawAnswer> {
  const { port } = new URL(gateway.url);
  const socket = connect(Number(port), '127.0.0.1');
  const all = {
    ...{ Host: `localhost:${port}`, Authorization: `Bearer ${gateway.token ?? ''}`, Connection: 'close' },
    ...headers,
  };
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`${line} HTTP/1.1\r\n${head.join('')}\r\n`);
  const answer = await text(socket);
  const end = answer.indexOf('\r\n\r\n');
  return { status: Number(answer.slice(9, 12)), head: answer.slice(0, end), body: answer.slice(end + 4) };
}

const notFound = (...suggestions: string[]) => ({
  ...{ status: 404, code: 'route-not-found', outcome: 'not-sent', retryable: false },
  ...(suggestions.length === 0 ? {} : { suggestions }),
});

describe('a path', () => {
  it.each([
    ['/V1/tokens', 'POST', '/v1/tokens'],
    ['/v1/Tokens', 'POST', '/v1/tokens'],
    ['/v1/tokens/', 'POST', '/v1/tokens'],
    ['/v1/tokens/', 'GET', '/v1/tokens'],
    ['/v1/vms/', 'GET', '/v1/vms'],
    ['//v1/vms', 'GET', '/v1/vms'],
    ['/v1//vms', 'GET', '/v1/vms'],
    [`/V1/vms/a/qmp/${echo}`, 'GET', `/v1/vms/a/qmp/${echo}`],
    [`/v1/vms/a/qmp/${echo}/`, 'POST', `/v1/vms/a/qmp/${echo}`],
    [`/v1/vms/a//qmp/${echo}`, 'GET', `/v1/vms/a/qmp/${echo}`],
  ])('is exact, letters and slashes too: %s by %s is led to %s', async (path, method, meant) => {
    const body = method === 'POST' ? { body: '{"level":"read"}' } : {};
    const answer = await exchange(gateway, path, { method, ...body });
    expect(problemOf(answer)).toEqual(notFound(meant));
  });

  it.each(['/Livez', '/livez/', '/DOCS', '/docs/', '/V1', '/v1/'])(
    'is no public one by being like it, whoever asks: %s',
    async (path) => {
      const anyone = await exchange(gateway, path, { headers: { Authorization: null } });
      expect(problemOf(anyone)).toMatchObject(notFound());
      expect(problemOf(await exchange(gateway, path))).toEqual(problemOf(anyone));
    },
  );

  it.each(['POST /livez', 'DELETE /docs', 'PUT /v1'])('is public, and does not take every method: %s', async (line) => {
    const [method = '', path = ''] = line.split(' ');
    const anyone = await exchange(gateway, path, { method, headers: { Authorization: null } });
    expect([anyone.status, anyone.headers.allow]).toEqual([405, 'GET, HEAD']);
  });

  it.each(['/v1/vms/', '/V1/VMS', '/v1/ws', '/docs/x/y/'])(
    'needs credentials where it is like none: %s',
    async (path) => {
      expect((await exchange(gateway, path, { headers: { Authorization: null } })).status).toBe(401);
    },
  );

  it('of nothing leads to the documentation, and a browser to the console', async () => {
    for (const headers of [{}, { Authorization: null }]) {
      expect(problemOf(await exchange(gateway, '/', { headers }))).toMatchObject(notFound('/v1', '/docs', '/console'));
      const page = await exchange(gateway, '/', { headers: { ...headers, Accept: 'text/html,*/*;q=0.8' } });
      expect([page.status, page.headers['location']]).toEqual([303, '/console']);
    }
  });

  it.each(['/v1/vms/%zz', '/v1/%', '/v1/vms/%FF', '/v1/vms/a%/qmp/stop', '/v1/vms/%C3%28/operations', '/%E0%A4%A'])(
    'is none with an escape that is no text: %s',
    async (path) => {
      for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
        const answer = await exchange(gateway, path, { method });
        expect(problemOf(answer)).toEqual(notFound());
        expect(answer.json()['detail']).toContain('percent-encoding');
      }
    },
  );

  it.each(['/v1/./vms', '/v1/x/../vms', '/v1/vms;v=1', '/v1%2Fvms', `/v1/${'x'.repeat(14_000)}`])(
    'is none that has to be resolved, or is too long: %.40s',
    async (path) => {
      const { status, body } = await raw(`GET ${path}`);
      expect(status).toBe(404);
      expect(JSON.parse(body)).toMatchObject(notFound());
      expect(body.length).toBeLessThan(1000);
    },
  );

  it('is too long when the head of the request is', async () => {
    const { status, body } = await raw(`GET /v1/${'x'.repeat(20_000)}`);
    expect([status, (JSON.parse(body) as { code: string }).code]).toEqual([431, 'headers-too-large']);
  });

  it.each(['http://localhost/v1/vms', 'http://example.org/v1/vms', 'https://localhost/livez'])(
    'is no URL: %s',
    async (target) => {
      const { status, body } = await raw(`GET ${target}`);
      expect(status).toBe(403);
      expect(JSON.parse(body)).toMatchObject({
        code: 'host-refused',
        detail: expect.stringContaining('absolute URL') as string,
      });
    },
  );
});

describe('a method', () => {
  const own = () => `/v1/vms/${vm}`;

  it.each(['OPTIONS', 'TRACE', 'PATCH', 'PROPFIND'])(
    'that no resource takes gets the ones it takes: %s',
    async (method) => {
      for (const [path, allow] of [
        ['/v1', 'GET, HEAD'],
        ['/livez', 'GET, HEAD'],
        ['/v1/tokens', 'GET, HEAD, POST'],
        [own(), 'DELETE, GET, HEAD, PUT'],
        // A command is no resource to ask for the head of.
        [`${own()}/qmp/${echo}`, 'GET, POST'],
        [`${own()}/qmp/${change}`, 'POST'],
      ] as const) {
        const { status, head, body } = await raw(`${method} ${path}`);
        expect([path, status]).toEqual([path, 405]);
        expect(head).toContain(`\r\nAllow: ${allow}\r\n`);
        expect(JSON.parse(body)).toMatchObject({ code: 'method-not-allowed' });
      }
      expect(JSON.parse((await raw(`${method} /v1/nothing`)).body)).toMatchObject(notFound());
    },
  );

  it('that has a wrong body besides is told of the method first', async () => {
    const files = `${own()}/agent/files?path=/x`;
    for (const method of ['POST', 'DELETE', 'PATCH']) {
      const answer = await exchange(gateway, files, { method, body: 'x', headers: { 'Content-Type': 'text/plain' } });
      expect(problemOf(answer)).toMatchObject({ status: 405, code: 'method-not-allowed' });
      expect(answer.headers['allow']).toBe('GET, PUT');
    }
    const plain = { body: 'x', headers: { 'Content-Type': 'text/plain' } };
    expect(problemOf(await exchange(gateway, '/v1/tokens', { ...plain, method: 'PUT' }))).toMatchObject({
      status: 405,
    });
    expect(problemOf(await exchange(gateway, '/v1/tokens', plain))).toMatchObject({ status: 415 });
  });

  it('asks for the whole server: there is no such resource', async () => {
    expect(JSON.parse((await raw('OPTIONS *')).body)).toMatchObject(notFound());
  });

  it.each(['example.org:443', 'localhost:80', '[::1]:22'])('asks for a tunnel to %s: refused', async (target) => {
    const { status, head, body } = await raw(`CONNECT ${target}`);
    expect(status).toBe(403);
    expect(head).toMatch(/\r\nContent-Type: application\/problem\+json\r\n[^]*\r\nConnection: close$/);
    expect(JSON.parse(body)).toMatchObject({
      code: 'host-refused',
      detail: expect.stringContaining('not a proxy') as string,
    });
  });
});

describe('an expectation', () => {
  it.each(['nonsense', '200-ok', 'x'.repeat(1000)])('that nobody can meet: %.20s', async (expectation) => {
    machine.takeReceived();
    const answer = await exchange(gateway, `/v1/vms/${vm}/qmp/${change}`, {
      body: '{"integer":1}',
      headers: { Expect: expectation },
    });
    expect(problemOf(answer)).toEqual({
      ...{ status: 417, code: 'expectation-failed', outcome: 'not-sent', retryable: false },
    });
    expect(answer.json()['detail']).toContain(`"${expectation.slice(0, 200)}"`);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/problem+json',
      'x-request-id': expect.any(String) as string,
    });
    expect(machine.takeReceived()).toEqual([]);
  });

  it('is answered where the request came from a page that may read it', async () => {
    const own = await scene.gateway({ settings: { allowedOrigins: ['https://console.example'] } });
    const headers = { Expect: 'nonsense', Origin: 'https://console.example' };
    const answer = await exchange(own, '/v1/vms', { headers });
    expect(answer.status).toBe(417);
    expect(answer.headers['access-control-allow-origin']).toBe('https://console.example');
    const foreign = await exchange(own, '/v1/vms', { headers: { ...headers, Origin: 'https://evil.example' } });
    expect(problemOf(foreign)).toMatchObject({ code: 'origin-refused' });
  });
});

describe('words that are nearly right', () => {
  it('select no event: told, with the name that was meant', async () => {
    for (const path of ['/v1/events', `/v1/vms/${vm}/events`]) {
      const answer = await exchange(gateway, `${path}?event=stop`);
      expect(problemOf(answer)).toMatchObject({
        ...{ status: 400, code: 'invalid-request' },
        errors: [{ in: 'query', pointer: '/event', suggestions: ['STOP'] }],
      });
    }
    expect((await exchange(gateway, '/v1/events?event=STOP,vm-changed,B*')).status).toBe(200);
  });

  it.each([
    ['timeout=2s', 'Request-Timeout'],
    ['dryRun=true', 'Dry-Run'],
    ['int64=string', 'Accept: application/json;int64=string'],
  ])('are a control in the query of a GET, %s: told which header takes it', async (query, header) => {
    const { socket } = await scene.qemu();
    const machineOfQemu = await registerVm(gateway, `unix:${socket}`);
    const answer = await exchange(gateway, `/v1/vms/${machineOfQemu}/qmp/query-status?${query}`);
    const [name = ''] = query.split('=');
    expect(problemOf(answer)).toMatchObject({
      ...{ status: 400, code: 'invalid-arguments' },
      errors: [{ pointer: `/${name}`, message: expect.stringContaining(header) as string }],
    });
  });

  it('are malformed JSON: the place is told once', async () => {
    const answer = await exchange(gateway, `/v1/vms/${vm}/qmp/${change}`, { body: '{"a":}' });
    expect(problemOf(answer)).toMatchObject({ status: 400, code: 'malformed-json' });
    expect(String(answer.json()['detail']).match(/column 6/g)).toHaveLength(1);
  });
});

describe('the form of events', () => {
  it.each([
    ['text/event-stream, */*', 'text/event-stream'],
    ['*/*, text/event-stream', 'text/event-stream'],
    ['application/x-ndjson, */*;q=0.8', 'application/x-ndjson'],
    ['text/event-stream;q=0.5, */*', 'application/json'],
    ['*/*', 'application/json'],
    ['text/html', 'application/json'],
  ])('is the one that Accept: %s names: %s', async (accept, type) => {
    const answer = await gateway.fetch('/v1/events', { headers: { Accept: accept } });
    expect(answer.headers.get('content-type')).toBe(type);
    await answer.body?.cancel();
  });
});

describe('the last token of level host', () => {
  it('is revoked at the shell, not by its holder', async () => {
    const own = await scene.gateway();
    const id = own.token?.split('_')[1] ?? '';
    const answer = await exchange(own, `/v1/tokens/${id}`, { method: 'DELETE' });
    expect(problemOf(answer)).toEqual({
      ...{ status: 409, code: 'last-credentials', outcome: 'not-sent', retryable: false },
    });
    expect((await exchange(own, '/v1/vms')).status).toBe(200);
    makeToken(own, { level: 'host', vms: ['*'] });
    expect((await exchange(own, `/v1/tokens/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await exchange(own, '/v1/vms')).status).toBe(401);
  });
});

it('a refusal says the level first, and the reason last', async () => {
  const token = makeToken(gateway, { level: 'read', vms: ['*'] });
  const answer = await exchange(gateway, `/v1/vms/${vm}/qmp/${change}`, {
    ...{ method: 'POST', headers: { Authorization: `Bearer ${token}` } },
  });
  expect(answer.json()['detail']).toBe(
    `${change} needs level operate; the credentials have level read (rule settings: the settings make it operate).`,
  );
});
