import { compileSchema } from '@qmp-gateway/qapi';
import { describe, expect, it } from 'vitest';
import type { DocumentOptions } from './describe.js';
import { gatewayDocument } from './gateway-document.js';
import type { Operation } from './openapi.js';

const { model } = compileSchema('test.json', {
  read: () =>
    `{ 'struct': 'Status', 'data': { 'running': 'bool' } } { 'command': 'query-status', 'returns': 'Status' }`,
});

/** The codes of DESIGN.md section 6. */
const statuses: Record<number, string[]> = {
  400: ['malformed-json', 'invalid-arguments', 'invalid-request'],
  401: ['unauthenticated'],
  403: ['forbidden', 'origin-refused', 'host-refused'],
  404: ['vm-not-found', 'command-not-found', 'device-not-found', 'route-not-found', 'operation-not-found'],
  405: ['method-not-allowed'],
  409: ['device-not-active', 'vm-not-running', 'no-display', 'vm-exists', 'vm-managed', 'idempotency-in-progress'],
  410: ['cursor-expired'],
  412: ['epoch-changed'],
  413: ['body-too-large'],
  415: ['unsupported-media-type'],
  422: ['command-failed', 'idempotency-mismatch'],
  426: ['upgrade-required'],
  429: ['too-many-requests', 'queue-full'],
  431: ['headers-too-large'],
  500: ['internal-error'],
  501: ['not-offered', 'kvm-missing-cap'],
  502: ['outcome-unknown'],
  503: ['vm-unavailable', 'shutting-down', 'audit-unavailable', 'idempotency-unavailable'],
  504: ['deadline-exceeded'],
};
const problems = Object.entries(statuses).flatMap(([status, codes]) =>
  codes.map((code) => ({ code, status: Number(status), title: code })),
);
const options: DocumentOptions = {
  describe: () => ({ class: 'read', offered: true, openArguments: false }),
  problems,
};
const agent = {
  model: compileSchema('agent.json', { read: () => `{ 'command': 'guest-ping' }` }).model,
  describe: options.describe,
};
const document = gatewayDocument(model, { ...options, agent });

function operations(): Operation[] {
  return Object.values(document.paths).flatMap(({ get, put, post, delete: remove }) =>
    [get, put, post, remove].filter((each) => each !== undefined),
  );
}

describe('the gateway document', () => {
  it('has the resources of the gateway and the commands of the catalog', () => {
    const methods = Object.entries(document.paths).map(
      ([path, item]) =>
        `${Object.keys(item)
          .filter((key) => key !== 'parameters')
          .sort()
          .join('|')} ${path}`,
    );
    expect(methods.sort()).toEqual(
      [
        'get /asyncapi.json',
        'get /docs',
        'get /livez',
        'get /metrics',
        'get /openapi.json',
        'get /problems/{code}',
        'get /readyz',
        'get /v1',
        'get|post /v1/access',
        'get /v1/events',
        'get /v1/vms',
        'get /v1/vms/{vm}/agent/openapi.json',
        'get /v1/vms/{vm}/events',
        'get /v1/vms/{vm}/monitor',
        'get /v1/vms/{vm}/openapi.json',
        'get /v1/vms/{vm}/operations',
        'delete|get /v1/vms/{vm}/operations/{id}',
        'get /v1/operations',
        'get /v1/vms/{vm}/qom',
        'get /v1/vms/{vm}/schema',
        'get /v1/vms/{vm}/screen.png',
        'get /v1/ws',
        'get|post /v1/tokens',
        'get|post /v1/vms/{vm}/agent',
        'get|post /v1/vms/{vm}/agent/guest-ping',
        'get|post /v1/vms/{vm}/qmp/query-status',
        'get|put /v1/vms/{vm}/qom/{path}',
        'get|put /v1/vms/{vm}/agent/files',
        'delete /v1/tokens/{id}',
        'delete|get|put /v1/vms/{vm}',
        'post /v1/qmp/{command}',
        'post /v1/session',
        'post /v1/vms/{vm}/agent/exec',
        'post /v1/vms/{vm}/keys',
        'post /v1/vms/{vm}/qmp',
      ].sort(),
    );
  });

  it('names each operation once', () => {
    const ids = operations().map((operation) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('names every path parameter it uses', () => {
    for (const [path, item] of Object.entries(document.paths)) {
      const named = (item.parameters ?? []).map((each) => ('$ref' in each ? 'vm' : each.name));
      expect(named, path).toEqual([...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]));
    }
  });

  it('tells of every problem in the catalogue, and of no other', () => {
    const told = Object.values(document.components.responses).flatMap((response) =>
      [...response.description.matchAll(/`([a-z0-9-]+)`: /g)].map((match) => match[1]),
    );
    expect(told.sort()).toEqual(problems.map((row) => row.code).sort());
    const without = problems.filter((row) => row.code !== 'vm-managed');
    expect(() => gatewayDocument(model, { ...options, problems: without })).toThrow("no problem 'vm-managed'");
  });

  it('asks for credentials everywhere but at what holds no data of a VM', () => {
    const open = operations().filter((operation) => operation.security?.length === 0);
    expect(open.map((operation) => operation.operationId).sort()).toEqual(
      ['getApiRoot', 'getAsyncApi', 'getDocs', 'getLiveness', 'getOpenApi', 'getProblem', 'getReadiness'].sort(),
    );
  });
});
