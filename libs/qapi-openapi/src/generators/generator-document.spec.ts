import { compileSchema } from '@qmp-gateway/qapi';
import { describe, expect, it } from 'vitest';
import type { CommandDescription } from '../describe.js';
import type { OpenApiOperation } from '../index.js';
import { renderVmDocument, vmDocument } from '../vm-document.js';
import { generatorDocument } from './generator-document.js';

const { model } = compileSchema('test.json', {
  read: () => `
{ 'pragma': { 'command-name-exceptions': ['node_add'], 'command-returns-exceptions': ['query-any'] } }
{ 'enum': 'Kind', 'data': ['file', 'none'] }
{ 'struct': 'File', 'data': { 'path': 'str', 'offset': 'uint64' } }
{ 'union': 'Node', 'base': { 'kind': 'Kind' }, 'discriminator': 'kind', 'data': { 'file': 'File' } }
{ 'alternate': 'NodeOrName', 'data': { 'node': 'Node', 'name': 'str', 'nothing': 'null' } }
{ 'struct': 'Info', 'data': { 'size': 'uint32', 'flags': 'uint8', 'old': { 'type': 'Kind', 'features': ['deprecated'] } } }
{ 'command': 'query-info', 'data': { '*list': ['File'] }, 'returns': ['Info'] }
{ 'command': 'query-any', 'returns': 'any' }
{ 'command': 'node_add', 'data': { 'node': 'NodeOrName' } }
{ 'command': 'plug', 'data': { 'driver': 'str' }, 'gen': false }`,
});

const describeCommand = ({ name, gen }: { name: string; gen?: boolean }): CommandDescription => ({
  class: name.startsWith('query-') ? 'read' : 'host',
  offered: true,
  openArguments: gen === false,
});
const problems = [
  { code: 'invalid-request', status: 400, title: 'Bad' },
  { code: 'command-failed', status: 422, title: 'Refused' },
  { code: 'vm-unavailable', status: 503, title: 'Away' },
];
const full = vmDocument(model, { describe: describeCommand, problems });
const document = generatorDocument(full);
const { schemas, responses, parameters } = document.components;

function operation(name: string, method: 'get' | 'post' = 'post'): OpenApiOperation {
  return document.paths[`/qmp/${name}`]![method]!;
}

describe('the flavour for generators', () => {
  it('is OpenAPI 3.0 with the same operations', () => {
    expect(document.openapi).toBe('3.0.3');
    expect(Object.keys(document.paths)).toEqual(Object.keys(full.paths));
    expect(JSON.stringify(document)).not.toMatch(/"(?:const|contentSchema|contentMediaType|examples)":/);
  });

  it('has 64 bits where more than 32 are needed', () => {
    expect(schemas['File']?.properties?.['offset']).toEqual({ type: 'integer', format: 'int64' });
    expect(schemas['Info']?.properties).toMatchObject({
      size: { type: 'integer', minimum: 0, maximum: 4294967295, format: 'int64' },
      flags: { type: 'integer', minimum: 0, maximum: 255 },
    });
    expect(schemas['Info']?.properties?.['flags']).not.toHaveProperty('format');
  });

  it('says null beside a type, and what stands beside a reference in `allOf`', () => {
    expect(schemas['NodeOrName']).toEqual({
      oneOf: [{ $ref: '#/components/schemas/Node' }, { type: 'string', nullable: true }],
    });
    expect(schemas['Info']?.properties?.['old']).toEqual({
      allOf: [{ $ref: '#/components/schemas/Kind' }],
      deprecated: true,
      'x-qapi-features': ['deprecated'],
    });
  });

  it('says no type beside a union', () => {
    expect(schemas['Node']).not.toHaveProperty('type');
    expect(schemas['Node']?.discriminator?.propertyName).toBe('kind');
    expect(schemas['NodeOfFile']?.type).toBe('object');
  });

  it('names arguments by their command', () => {
    expect(operation('plug').requestBody?.content['application/json']?.schema).toEqual({
      $ref: '#/components/schemas/PlugArguments',
    });
    expect(schemas['PlugArguments']).toMatchObject({ required: ['driver'], additionalProperties: true });
    expect(schemas).toHaveProperty('NodeAddArguments');
  });

  it('has one form of each control, and dry runs only where any answer fits', () => {
    const names = (name: string) => operation(name).parameters!.map((each) => ('$ref' in each ? each.$ref : each.name));
    expect(Object.keys(parameters)).toEqual([
      'DryRunHeader',
      'IdempotencyKeyHeader',
      'PreferHeader',
      'RequestIdHeader',
      'RequestTimeoutHeader',
      'VmEpochHeader',
    ]);
    expect(names('query-any')).toContain('#/components/parameters/DryRunHeader');
    expect(names('query-info')).not.toContain('#/components/parameters/DryRunHeader');
    expect(operation('query-info').responses['200']).toMatchObject({
      content: { 'application/json': { schema: { type: 'array', items: { $ref: '#/components/schemas/Info' } } } },
    });
  });

  it('has one type for all problems', () => {
    expect(Object.keys(operation('plug').responses)).toEqual(['200', '202', '4XX', '5XX']);
    expect(responses['Problem4XX']).toMatchObject({
      description: '`invalid-request`: Bad\n\n`command-failed`: Refused',
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    });
  });

  it('becomes that of one VM as the other flavour does', () => {
    expect(JSON.parse(renderVmDocument(document, 'web-1'))).toEqual({
      ...document,
      servers: [{ url: '/v1/vms/web-1' }],
    });
  });
});
