import { compileSchema, type QapiModel } from '@qmp-gateway/qapi';
// eslint-disable-next-line no-restricted-imports -- Ajv has JSON Schema 2020-12 only under this path
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { argumentTypes, jsonSchemaOf, SchemaComponents } from './json-schema.js';
import type { JsonSchema } from './schema-keywords.js';

const ajv = new Ajv2020({ strict: false, validateFormats: false });

function compile(text: string): QapiModel {
  return compileSchema('test.json', { read: () => text }).model;
}

function argumentsOf(text: string): JsonSchema {
  return jsonSchemaOf(compile(text).commands.get('c')!.arguments);
}

describe('builtin types', () => {
  it.each([
    ['str', { type: 'string' }],
    ['bool', { type: 'boolean' }],
    ['null', { type: 'null' }],
    ['any', {}],
    ['number', { type: 'number', format: 'double' }],
    ['int8', { type: 'integer', minimum: -128, maximum: 127 }],
    ['uint8', { type: 'integer', minimum: 0, maximum: 255 }],
    ['uint32', { type: 'integer', minimum: 0, maximum: 4294967295 }],
    ['int', { type: 'integer', format: 'int64' }],
    ['int64', { type: 'integer', format: 'int64' }],
    ['uint64', { type: 'integer', format: 'uint64' }],
    ['size', { type: 'integer', format: 'uint64' }],
  ])('%s', (name, schema) => {
    expect(argumentsOf(`{ 'command': 'c', 'data': { 'm': '${name}' } }`).properties).toEqual({ m: schema });
  });
});

describe('objects', () => {
  const text = `{ 'command': 'c', 'data': { 'a': 'str', '*b': ['int8'] } }`;

  it('of arguments are closed, with the members that must be there', () => {
    expect(argumentsOf(text)).toEqual({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: {
        a: { type: 'string' },
        b: { type: 'array', items: { type: 'integer', minimum: -128, maximum: 127 } },
      },
      required: ['a'],
      additionalProperties: false,
    });
  });

  it('of replies are open', () => {
    const type = compile(text).commands.get('c')!.arguments;
    expect(jsonSchemaOf(type, { direction: 'reply' })).not.toHaveProperty('additionalProperties');
  });

  it('with open arguments admit other members at the top only', () => {
    const model = compile(`
{ 'struct': 'In', 'data': { '*x': 'str' } }
{ 'command': 'c', 'data': { 'in': 'In' } }`);
    const accepts = ajv.compile(jsonSchemaOf(model.commands.get('c')!.arguments, { openArguments: true }));
    expect(accepts({ in: {}, more: 1 })).toBe(true);
    expect(accepts({ in: { more: 1 } })).toBe(false);
  });

  it('say which members are deprecated and name their features', () => {
    const schema = argumentsOf(
      `{ 'command': 'c', 'data': { 'm': { 'type': 'str', 'features': ['deprecated', 'unstable'] } } }`,
    );
    expect(schema.properties?.['m']).toEqual({
      type: 'string',
      deprecated: true,
      'x-qapi-features': ['deprecated', 'unstable'],
    });
  });

  it('that contain themselves end in a reference', () => {
    const schema = argumentsOf(`
{ 'struct': 'Chain', 'data': { '*next': 'Chain', 'name': 'str' } }
{ 'command': 'c', 'data': 'Chain' }`);
    expect(schema.$ref).toBe('#/$defs/Chain');
    expect(schema.$defs?.['Chain']?.properties?.['next']).toEqual({ $ref: '#/$defs/Chain' });
    const accepts = ajv.compile(schema);
    expect(accepts({ name: 'a', next: { name: 'b' } })).toBe(true);
    expect(accepts({ name: 'a', next: { nam: 'b' } })).toBe(false);
  });
});

describe('enums', () => {
  it('keep the order of their values and say which are deprecated', () => {
    const schema = argumentsOf(`
{ 'enum': 'Choice', 'data': ['z', { 'name': 'a', 'features': ['deprecated'] }] }
{ 'command': 'c', 'data': { 'e': 'Choice' } }`);
    expect(schema.$defs).toEqual({
      Choice: { type: 'string', enum: ['z', 'a'], 'x-qapi-value-features': { a: ['deprecated'] } },
    });
  });
});

describe('alternates', () => {
  it('are one of their branches', () => {
    const schema = argumentsOf(`
{ 'alternate': 'IntOrFlag', 'data': { 'i': 'uint8', 'b': 'bool' } }
{ 'command': 'c', 'data': { 'm': 'IntOrFlag' } }`);
    expect(schema.$defs?.['IntOrFlag']).toEqual({
      oneOf: [{ type: 'integer', minimum: 0, maximum: 255 }, { type: 'boolean' }],
    });
  });
});

describe('unions', () => {
  const text = `
{ 'enum': 'Kind', 'data': ['disk', 'null', 'zero', 'many'] }
{ 'struct': 'Disk', 'data': { 'path': 'str' } }
{ 'enum': 'Count', 'data': ['few', 'lots'] }
{ 'struct': 'Lots', 'data': { 'number': 'int' } }
{ 'union': 'Many', 'base': { 'count': 'Count' }, 'discriminator': 'count', 'data': { 'lots': 'Lots' } }
{ 'union': 'Device', 'base': { 'kind': 'Kind', '*id': 'str' }, 'discriminator': 'kind',
  'data': { 'disk': 'Disk', 'many': 'Many' } }
{ 'command': 'c', 'data': 'Device', 'boxed': true }`;
  const schema = argumentsOf(text);

  it('are one of their branches, told by the tag; values without a case have one too', () => {
    expect(schema.$defs?.['Device']).toEqual({
      type: 'object',
      oneOf: [
        { $ref: '#/$defs/DeviceOfDisk' },
        { $ref: '#/$defs/DeviceOfMany' },
        { $ref: '#/$defs/DeviceOfNull' },
        { $ref: '#/$defs/DeviceOfZero' },
      ],
      discriminator: {
        propertyName: 'kind',
        mapping: {
          disk: '#/$defs/DeviceOfDisk',
          many: '#/$defs/DeviceOfMany',
          null: '#/$defs/DeviceOfNull',
          zero: '#/$defs/DeviceOfZero',
        },
      },
    });
    expect(schema.$defs?.['DeviceOfDisk']).toEqual({
      type: 'object',
      properties: { kind: { type: 'string', enum: ['disk'] }, id: { type: 'string' }, path: { type: 'string' } },
      required: ['kind', 'path'],
      additionalProperties: false,
    });
  });

  it.each([
    [true, { kind: 'disk', path: 'p', id: 'i' }],
    [true, { kind: 'zero' }],
    [true, { kind: 'many', count: 'few', id: 'i' }],
    [true, { kind: 'many', count: 'lots', number: 3 }],
    [false, { kind: 'disk' }],
    [false, { kind: 'zero', path: 'p' }],
    [false, { kind: 'many', count: 'few', number: 3 }],
    [false, { kind: 'tape' }],
    [false, { path: 'p' }],
  ])('say %s to %j', (verdict, value) => {
    expect(ajv.compile(schema)(value)).toBe(verdict);
  });

  it('whose branch leads back to them, as only a peer can say, end', () => {
    const tag = compile(text).types.get('Kind')!;
    const members = [{ name: 'kind', type: tag, optional: false, features: [] }];
    const loop = { kind: 'object' as const, name: 'Loop', features: [], members };
    Object.assign(loop, { variants: { tag: 'kind', cases: [{ case: 'disk', type: loop }] } });
    expect(Object.keys(jsonSchemaOf(loop).$defs ?? {})).toEqual([
      'Loop',
      'LoopOfDisk',
      'LoopOfMany',
      'LoopOfNull',
      'LoopOfZero',
    ]);
  });
});

describe('components', () => {
  it('hold a type twice only when it goes both ways and the ways differ', () => {
    const model = compile(`
{ 'struct': 'Both', 'data': { 'e': 'Choice' } }
{ 'enum': 'Choice', 'data': ['x'] }
{ 'struct': 'Out', 'data': { 'both': 'Both' } }
{ 'command': 'c', 'data': { 'both': 'Both' }, 'returns': 'Out' }`);
    const components = new SchemaComponents({ prefix: '#/x/', argumentTypes: argumentTypes(model) });
    const command = model.commands.get('c')!;
    components.reply(command.returns);
    components.arguments(command.arguments);
    const schemas = components.schemas();
    expect(Object.keys(schemas)).toEqual(['Both', 'BothReply', 'Choice', 'Out']);
    expect(schemas['Out']?.properties?.['both']).toEqual({ $ref: '#/x/BothReply' });
    expect(schemas['Both']?.additionalProperties).toBe(false);
  });

  it('are not made of a type without members, named or not', () => {
    const none = { kind: 'object' as const, name: 'Nothing', features: [], members: [] };
    expect(jsonSchemaOf(none)).not.toHaveProperty('$defs');
    expect(jsonSchemaOf(none)).toMatchObject({ type: 'object', additionalProperties: false });
  });

  it('get legal names that are their own, whatever a peer calls its types', () => {
    const components = new SchemaComponents({ prefix: '#/x/' });
    const named = (name: string) => ({ kind: 'enum' as const, name, features: [], values: [] });
    const references = ['a/b c', 'a_b_c', '__proto__'].map((name) => components.argumentValue(named(name)).$ref);
    expect(references).toEqual(['#/x/a_b_c', '#/x/a_b_c_2', '#/x/__proto__']);
    expect(Object.keys(components.schemas())).toEqual(['__proto__', 'a_b_c', 'a_b_c_2']);
  });

  it('of a reply require what servers of older releases send too', () => {
    const read = (members: string) =>
      compile(`{ 'struct': 'Info', 'data': { ${members} } } { 'command': 'c', 'data': 'Info', 'returns': ['Info'] }`);
    const now = read(`'name': 'str', 'since': 'int', 'size': 'int'`);
    const components = new SchemaComponents({
      prefix: '#/x/',
      argumentTypes: argumentTypes(now),
      older: [read(`'name': 'str', '*size': 'int'`), compile(`{ 'command': 'other' }`)],
    });
    const command = now.commands.get('c')!;
    components.arguments(command.arguments);
    components.reply(command.returns);
    expect(components.schemas()).toMatchObject({
      Info: { required: ['name', 'since', 'size'] },
      InfoReply: { required: ['name'] },
    });
  });
});
