import type { JsonSchema, OpenApiDocument, OpenApiOperation, Parameter, Response } from '@qmp-gateway/qapi-openapi';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CheckedGateway } from './documented-answers/checked-gateway.js';
import { scriptedVm } from './documented-answers/scripted-servers.js';
import { GatewayScene, registerVm } from './gateway-scene.js';
import { exchange } from './http-exchange.js';

const scene = new GatewayScene();
let checked: CheckedGateway;
let document: OpenApiDocument;
let schemas: Readonly<Record<string, JsonSchema>>;

beforeAll(async () => {
  const gateway = await scene.gateway();
  checked = await CheckedGateway.of(gateway);
  document = (await exchange(gateway, '/openapi.json')).json() as unknown as OpenApiDocument;
  ({ schemas } = document.components);
  const scripted = await scriptedVm(scene);
  checked.vm = await registerVm(gateway, scripted.endpoint, { agent: scripted.agentEndpoint });
});
afterAll(() => scene.end());

function operation(path: string, method: 'get' | 'post'): OpenApiOperation {
  const found = document.paths[path]?.[method];
  if (found === undefined) throw new Error(`no ${method} ${path}`);
  return found;
}

function parameter(path: string, wanted: string): Parameter {
  const found = operation(path, 'get').parameters?.find((each) => 'name' in each && each.name === wanted);
  if (found === undefined || '$ref' in found) throw new Error(`${path} has no parameter ${wanted}`);
  return found;
}

const nothingWrong = () => expect(checked.check.takeFaults()).toEqual([]);

describe('what document, client and answer once told differently', () => {
  it('a VM that was never connected has no kind; a registered agent is shown', async () => {
    const body = JSON.stringify({ endpoint: 'unix:/nowhere/a', agent: 'unix:/nowhere/b' });
    const answer = await checked.askFor(201, 'putVm', { body });
    expect(answer.json()).toMatchObject({ kind: null, agent: { state: expect.any(String) as string } });
    await checked.askFor(200, 'getVm', { path: '/v1/vms/sample' });
    await checked.askFor(200, 'listVms');
    expect(schemas['Vm']?.properties?.['kind']?.type).toEqual(['string', 'null']);
    expect(schemas['Vm']?.properties).toHaveProperty('agent');
    nothingWrong();
  });

  it('events take `int64`, and the oldest cursor of an expired one is a member of problems', async () => {
    expect(parameter('/v1/events', 'int64').schema.enum).toEqual(['string']);
    await checked.askFor(200, 'getEvents', { path: '/v1/events?int64=string' });
    expect(schemas['Problem']?.properties).toHaveProperty('oldest');
    nothingWrong();
  });

  it('the page of a problem is text', async () => {
    const { content } = operation('/problems/{code}', 'get').responses['200'] as Response;
    expect(Object.keys(content ?? {})).toEqual(['text/plain']);
    await checked.askFor(200, 'getProblem');
    nothingWrong();
  });

  it('the schema of a VM is described to its last member', async () => {
    await checked.askFor(200, 'getVmSchema');
    nothingWrong();
  });

  it('a dry run is one of the answers of a command', async () => {
    await checked.askFor(200, 'runQmpMessage', { headers: { 'Dry-Run': 'true' } });
    const { content } = operation('/v1/vms/{vm}/qmp/query-status', 'post').responses['200'] as Response;
    expect(content?.['application/json']?.schema.anyOf).toContainEqual({ $ref: '#/components/schemas/DryRun' });
    nothingWrong();
  });

  it('headers of problems are documented', async () => {
    const answer = await checked.askFor(401, 'getVm', { headers: { Authorization: null } });
    expect(answer.headers).toHaveProperty('www-authenticate');
    const { Problem401, Problem405, Problem429, Problem503 } = document.components.responses;
    expect(Object.keys(Problem401?.headers ?? {})).toEqual(
      expect.arrayContaining(['WWW-Authenticate', 'X-Request-Id']),
    );
    expect(Problem405?.headers).toHaveProperty('Allow');
    for (const busy of [Problem429, Problem503]) expect(busy?.headers).toHaveProperty('Retry-After');
    nothingWrong();
  });

  it('each tag is there once', () => {
    const names = document.tags.map(({ name }) => name);
    expect(names).toContain('qom');
    expect(new Set(names).size).toBe(names.length);
  });

  it.each([
    ['/v1/vms/{vm}', 'wait', '121s'],
    ['/v1/vms/{vm}/operations/{id}', 'wait', '1d'],
    ['/v1/events', 'wait', '121s'],
    ['/v1/events', 'limit', '10001'],
    ['/v1/vms/{vm}/qom', 'depth', '1000'],
    ['/v1/vms/{vm}/qom', 'type', 'x'.repeat(201)],
    ['/v1/vms/{vm}/qom', 'search', 'x'.repeat(201)],
  ])('%s tells what `%s` may be, and refuses %s', async (path, name, value) => {
    const { id } = checked.check.operations.find((each) => each.path === path && each.method === 'GET') ?? { id: '' };
    const { schema } = parameter(path, name);
    expect(schema.maximum ?? schema.maxLength ?? /at most `\d+[sm]`/.exec(schema.description ?? '')?.[0]).toBeDefined();
    await checked.askFor(400, id, { path: `${checked.sample(id).path}?${name}=${value}` });
    nothingWrong();
  });

  it('the root names what this gateway can do as its document does', async () => {
    await checked.askFor(200, 'getApiRoot');
    nothingWrong();
  });
});
