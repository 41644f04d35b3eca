import { argumentsFromQuery, compileSchema, type QapiModel } from '@qmp-gateway/qapi';
import { describe, expect, it } from 'vitest';
import type { CommandDescription, DocumentOptions } from './describe.js';
import { catalogDocument, renderVmDocument, vmDocument } from './vm-document.js';

const model = compileSchema('test.json', {
  read: () => `
{ 'struct': 'Info', 'data': { 'up': 'bool' } }
{ 'struct': 'Model', 'data': { 'name': 'str', '*flags': ['str'] } }
{ 'struct': 'Deep', 'data': { '*self': 'Deep', '*list': ['Model'] } }
{ 'command': 'query-info', 'data': { 'model': 'Model', '*more': 'Model', '*deep': 'Deep', '*on': 'bool' },
  'returns': ['Info'] }
{ 'command': 'plug', 'data': { 'driver': 'str' }, 'gen': false, 'features': ['deprecated'], 'allow-oob': true }
{ 'command': 'fd' }
{ 'event': 'STOP' }`,
}).model;

const descriptions: Record<string, CommandDescription> = {
  'query-info': {
    class: 'read',
    summary: 'What there is',
    offered: true,
    openArguments: false,
    example: { arguments: { model: { name: 'x' } }, returns: [{ up: true }] },
  },
  plug: { class: 'host', offered: true, openArguments: true },
  fd: { class: 'host', offered: { reason: 'needs a file descriptor' }, openArguments: false },
};

const options: DocumentOptions = {
  describe: (command) => descriptions[command.name]!,
  problems: [
    { code: 'command-failed', status: 422, title: 'The VM refused' },
    { code: 'malformed-json', status: 400, title: 'Not JSON' },
    { code: 'invalid-request', status: 400, title: 'Bad control' },
    { code: 'unsupported-media-type', status: 415, title: 'Not JSON by name' },
    { code: 'cursor-expired', status: 410, title: 'Gone' },
  ],
};

const document = vmDocument(model, options);

describe('a VM document', () => {
  it('has a path for each command and nothing else', () => {
    expect(Object.keys(document.paths)).toEqual(['/qmp/fd', '/qmp/plug', '/qmp/query-info']);
  });

  it('offers GET beside POST for commands that only read', () => {
    const { get, post } = document.paths['/qmp/query-info']!;
    expect([get?.operationId, post?.operationId]).toEqual(['query-info', 'query-info.post']);
    expect(document.paths['/qmp/plug']?.get).toBeUndefined();
    expect(document.paths['/qmp/plug']?.post?.operationId).toBe('plug');
  });

  it('says of a command what the model and the caller know', () => {
    expect(document.paths['/qmp/plug']?.post).toMatchObject({
      tags: ['test'],
      deprecated: true,
      'x-qapi-class': 'host',
      'x-qapi-features': ['deprecated'],
      'x-qapi-oob': true,
      requestBody: { required: true, content: { 'application/json': { schema: { additionalProperties: true } } } },
      responses: { 200: { headers: { Deprecation: { $ref: '#/components/headers/Deprecation' } } } },
    });
    expect(document.paths['/qmp/fd']?.post).toMatchObject({
      'x-qapi-offered': false,
      'x-qapi-offered-reason': 'needs a file descriptor',
    });
    expect(document.paths['/qmp/fd']?.post).not.toHaveProperty('requestBody');
  });

  it('gives examples where there are any', () => {
    const { get, post } = document.paths['/qmp/query-info']!;
    expect(post?.requestBody?.content['application/json']).toMatchObject({ example: { model: { name: 'x' } } });
    expect(get?.responses['200']).toMatchObject({ content: { 'application/json': { example: [{ up: true }] } } });
    expect(get?.parameters?.[0]).toMatchObject({ name: 'model.name', example: 'x' });
  });

  it('takes arguments of GET as far down as a query can say them', () => {
    const parameters = document.paths['/qmp/query-info']!.get!.parameters!;
    const queries = parameters.flatMap((each) =>
      'name' in each ? [[each.name, each.required ?? false, each.explode ?? null]] : [],
    );
    expect(queries).toEqual([
      ['model.name', true, null],
      ['model.flags', false, true],
      ['more.name', false, null],
      ['more.flags', false, true],
      ['deep.self', false, null],
      ['deep.list', false, true],
      ['on', false, null],
    ]);
    expect(parameters.find((each) => 'name' in each && each.name === 'deep.list')).toMatchObject({
      schema: {
        type: 'array',
        items: {
          type: 'string',
          contentMediaType: 'application/json',
          contentSchema: { $ref: '#/components/schemas/Model' },
        },
      },
    });
  });

  it('names its query parameters as the gateway reads them', () => {
    const given: [string, string][] = [
      ['model.name', 'x'],
      ['model.flags', 'a'],
      ['model.flags', 'b'],
      ['deep.self', '{"self":{}}'],
      ['deep.list', '{"name":"y"}'],
      ['on', 'true'],
    ];
    expect(argumentsFromQuery(model.commands.get('query-info')!, given)).toEqual({
      faults: [],
      json: '{"model":{"name":"x","flags":["a","b"]},"deep":{"self":{"self":{}},"list":[{"name":"y"}]},"on":true}',
    });
  });

  it('lists the problems that each method can end in', () => {
    const { get, post } = document.paths['/qmp/query-info']!;
    expect(Object.keys(get!.responses)).toEqual(['200', '400', '422']);
    expect(Object.keys(post!.responses)).toEqual(['200', '202', '400', '415', '422']);
    expect(Object.keys(document.components.responses)).toEqual(['Accepted', 'Problem400', 'Problem415', 'Problem422']);
    expect(document.components.responses['Problem400']?.description).toBe(
      '`malformed-json`: Not JSON\n\n`invalid-request`: Bad control',
    );
  });

  it('holds only components that something refers to', () => {
    const onlyFd: QapiModel = { ...model, commands: new Map([['fd', model.commands.get('fd')!]]) };
    const { components } = vmDocument(onlyFd, options);
    expect(Object.keys(components.schemas)).toEqual(['DryRun', 'Problem']);
    expect(Object.keys(components.headers)).not.toContain('Deprecation');
  });

  it('is the same text whatever order the commands come in', () => {
    const reversed: QapiModel = { ...model, commands: new Map([...model.commands].reverse()) };
    expect(JSON.stringify(vmDocument(reversed, options))).toBe(JSON.stringify(document));
  });

  it('differs between VMs in its servers alone', () => {
    const text = JSON.stringify(document);
    const rendered = renderVmDocument(text, 'web-1');
    expect(rendered).toBe(renderVmDocument(document, 'web-1'));
    expect(JSON.parse(rendered)).toEqual({ ...document, servers: [{ url: '/v1/vms/web-1' }] });
    expect(rendered.replace('"servers":[{"url":"/v1/vms/web-1"}],', '')).toBe(text);
    expect(() => renderVmDocument('{"openapi":"3.0.0"}', 'web-1')).toThrow(TypeError);
  });

  it('of a catalog leaves the VM to the reader', () => {
    const { servers, ...rest } = catalogDocument(model, options);
    expect(servers?.[0]?.url).toBe('/v1/vms/{vm}');
    expect(rest).toEqual(document);
  });
});
