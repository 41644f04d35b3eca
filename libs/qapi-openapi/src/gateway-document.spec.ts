import { compileSchema } from '@qmp-gateway/qapi';
import { describe, expect, it } from 'vitest';
import { gatewayDocument, type ResourceDocuments } from './gateway-document.js';

const { model } = compileSchema('test.json', {
  read: () =>
    `{ 'struct': 'Status', 'data': { 'running': 'bool' } } { 'command': 'query-status', 'returns': 'Status' }`,
});

const problems = [
  { code: 'invalid-request', status: 400, title: 'invalid-request' },
  { code: 'vm-not-found', status: 404, title: 'vm-not-found' },
];
const reference = { $ref: '#/components/parameters/VmId' };
const resources: ResourceDocuments = {
  tags: [{ name: 'vms', description: 'Which VMs there are' }],
  vmParameter: { name: 'vm', in: 'path', required: true, description: 'Id of a VM', schema: { type: 'string' } },
  schemas: { Vm: { type: 'object' }, Unused: { type: 'object' } },
  paths: {
    '/v1/vms/{vm}': {
      parameters: [reference],
      get: {
        operationId: 'getVm',
        tags: ['vms'],
        summary: 'One VM',
        responses: {
          200: {
            description: 'The VM',
            content: { 'application/json': { schema: { $ref: '#/components/schemas/Vm' } } },
          },
        },
      },
    },
  },
};
const options = {
  resources,
  describe: () => ({ class: 'read' as const, offered: true as const, openArguments: false }),
  problems,
};
const agent = {
  model: compileSchema('agent.json', { read: () => `{ 'command': 'guest-ping' }` }).model,
  describe: options.describe,
};
const document = gatewayDocument(model, { ...options, agent });

describe('the gateway document', () => {
  it('has the resources of the gateway and the commands of both catalogs', () => {
    expect(Object.keys(document.paths)).toEqual([
      '/v1/vms/{vm}',
      '/v1/vms/{vm}/agent/guest-ping',
      '/v1/vms/{vm}/qmp/query-status',
    ]);
    expect(document.tags[0]).toEqual(resources.tags[0]);
  });

  it('keeps the components that something refers to', () => {
    expect(Object.keys(document.components.schemas)).toEqual(['DryRun', 'Problem', 'Status', 'Vm']);
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
  });
});
