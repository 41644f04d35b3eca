import type { OpenApiDocument, OpenApiOperation } from '@qmp-gateway/qapi-openapi';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene } from './gateway-scene.js';
import { exchange, problemOf } from './http-exchange.js';

/** One method of one path of the gateway, as its document has it. */
interface Route {
  readonly method: string;
  readonly path: string;
  readonly operation: OpenApiOperation;
}

const scene = new GatewayScene();
let gateway: GatewayProcess;
let document: OpenApiDocument;
let routes: Route[];
/** Those that change something. */
let unsafe: Route[];

beforeAll(async () => {
  gateway = await scene.gateway({ settings: { allowedOrigins: ['https://console.example'] } });
  document = (await exchange(gateway, '/openapi.json')).json() as unknown as OpenApiDocument;
  routes = Object.entries(document.paths).flatMap(([path, { parameters: _, ...item }]) =>
    Object.entries(item).map(([method, operation]) => ({
      ...{ method: method.toUpperCase(), operation },
      path: path.replaceAll(/\{\w+\}/g, 'none'),
    })),
  );
  unsafe = routes.filter(({ method }) => method !== 'GET');
  expect(unsafe.length).toBeGreaterThan(15);
});
afterAll(() => scene.end());

/** Names of the headers that an operation declares, in lower case. */
function headersOf({ parameters = [] }: OpenApiOperation): string[] {
  return parameters.flatMap((parameter) => {
    const found =
      '$ref' in parameter ? document.components.parameters[parameter.$ref.split('/').at(-1) ?? ''] : parameter;
    return found?.in === 'header' ? [found.name.toLowerCase()] : [];
  });
}

const controls = { 'Dry-Run': 'true', 'Idempotency-Key': 'k', 'QMP-VM-Epoch': 'e.1', 'Request-Timeout': '5s' };

describe('no resource that changes something ignores', () => {
  it.each(Object.entries(controls))('the header %s', async (name, value) => {
    const refusals: unknown[] = [];
    const expected: unknown[] = [];
    for (const { method, path, operation } of unsafe) {
      if (headersOf(operation).includes(name.toLowerCase())) continue;
      const selected = path === '/v1/qmp/none' ? `${path}?vm=*` : path;
      const answer = await exchange(gateway, selected, { method, headers: { [name]: value } });
      const { status, code, errors } = problemOf(answer);
      refusals.push([method, path, status, code, errors]);
      const fault = { in: 'header', pointer: `/${name}`, message: expect.stringContaining('take it') as string };
      expected.push([method, path, 400, 'invalid-request', [fault]]);
    }
    expect(expected).not.toEqual([]);
    expect(refusals).toEqual(expected);
  });

  it('a body', async () => {
    for (const { method, path, operation } of unsafe) {
      // A command says itself that it takes no arguments.
      if (operation.requestBody !== undefined || 'x-qapi-class' in operation) continue;
      const answer = await exchange(gateway, path, { method, body: '{"a":1}' });
      expect([method, path, problemOf(answer)]).toMatchObject([
        ...[method, path],
        { status: 400, code: 'invalid-request', errors: [{ in: 'body', pointer: '' }] },
      ]);
      expect(answer.json()['detail']).toContain('takes no body');
    }
    for (const body of ['[]', 'null', '1']) expect((await exchange(gateway, '/v1/session', { body })).status).toBe(400);
    expect((await exchange(gateway, '/v1/session', { body: '{}' })).status).toBe(204);
  });

  it('what would have kept it from doing anything', async () => {
    const body = '{"endpoint":"unix:/nowhere/a"}';
    const sent = { method: 'PUT', body, headers: { 'Dry-Run': 'true' } };
    expect((await exchange(gateway, '/v1/vms/dry', sent)).status).toBe(400);
    expect((await exchange(gateway, '/v1/vms/dry')).status).toBe(404);
    expect((await exchange(gateway, '/v1/vms/dry', { ...sent, headers: { 'Dry-Run': 'false' } })).status).toBe(201);
    expect((await exchange(gateway, '/v1/vms/dry', { method: 'DELETE' })).status).toBe(204);
  });
});

it('pages of allowed origins may send every header that is declared, and read every one that is answered', async () => {
  const Origin = 'https://console.example';
  const asked = { Origin, 'Access-Control-Request-Method': 'PUT' };
  const { headers } = await exchange(gateway, '/v1/vms', { method: 'OPTIONS', headers: asked });
  const allowed = String(headers['access-control-allow-headers']).toLowerCase().split(', ');
  const declared = new Set(routes.flatMap(({ operation }) => headersOf(operation)));
  expect([...declared].filter((name) => !allowed.includes(name))).toEqual([]);
  const answer = await exchange(gateway, '/v1', { headers: { Origin } });
  const exposed = String(answer.headers['access-control-expose-headers']).toLowerCase().split(', ');
  const answered = routes.flatMap(({ operation }) =>
    Object.values(operation.responses).flatMap((response) => {
      const found =
        '$ref' in response ? document.components.responses[response.$ref.split('/').at(-1) ?? ''] : response;
      return Object.keys((found !== undefined && 'headers' in found ? found.headers : undefined) ?? {});
    }),
  );
  // Pages may read these without being told.
  const always = ['cache-control', 'content-language', 'content-length', 'content-type', 'expires', 'last-modified'];
  const missing = [...new Set(answered.map((name) => name.toLowerCase()))].filter(
    (name) => !exposed.includes(name) && !always.includes(name) && name !== 'set-cookie',
  );
  expect(missing).toEqual([]);
});

it('every refusal of a method names the same methods', async () => {
  const paths = [...new Set(routes.map(({ path }) => path))].filter((path) => !path.startsWith('/v1/vms/none/qmp/'));
  for (const path of paths) {
    const told = new Set<string>();
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH']) {
      const { status, headers } = await exchange(gateway, path, { method });
      if (status === 405) told.add(String(headers.allow));
    }
    expect([path, told.size]).toEqual([path, expect.toSatisfy((size: number) => size <= 1) as number]);
  }
});

it('the events of one VM are not selected by VM', async () => {
  expect((await exchange(gateway, '/v1/vms/x', { method: 'PUT', body: '{"endpoint":"unix:/nowhere/x"}' })).status).toBe(
    201,
  );
  for (const name of ['vm', 'label'])
    expect(problemOf(await exchange(gateway, `/v1/vms/x/events?${name}=a=b`))).toMatchObject({
      ...{ status: 400, code: 'invalid-request', errors: [{ in: 'query', pointer: `/${name}` }] },
    });
  const { parameters = [] } = document.paths['/v1/vms/{vm}/events']?.get ?? {};
  expect(parameters.flatMap((each) => ('name' in each ? [each.name] : []))).not.toContain('vm');
  expect((await exchange(gateway, '/v1/events?vm=x&label=a=b')).status).toBe(200);
});
