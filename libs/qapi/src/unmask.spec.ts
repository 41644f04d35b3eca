import { describe, expect, it } from 'vitest';
import { modelFromIntrospection } from './introspection.js';
import type { QapiModel, QapiType } from './model.js';
import { compileSchema } from './source/index.js';
import { unmask } from './unmask.js';

const catalogOf = (schema: string): QapiModel => compileSchema('block.json', { read: () => schema }).model;

const catalog = catalogOf(`
{ 'enum': 'Driver', 'data': ['raw', 'qcow2', 'ssh'] }
{ 'struct': 'RawOptions', 'data': { 'size': 'size', '*ports': ['uint16'] } }
{ 'union': 'Options', 'base': { 'driver': 'Driver', '*retries': 'uint8' }, 'discriminator': 'driver', 'data': { 'raw': 'RawOptions' } }
{ 'alternate': 'OptionsRef', 'data': { 'reference': 'str', 'definition': 'Options' } }
{ 'struct': 'Info', 'data': { 'count': 'int64', 'options': 'OptionsRef' } }
{ 'struct': 'Other', 'data': { 'x': 'int8', 'y': 'int8' } }
{ 'command': 'add', 'data': 'Options', 'boxed': true, 'gen': false, 'allow-oob': true }
{ 'command': 'get', 'data': { 'id': 'uint32' }, 'returns': ['Info'] }
{ 'command': 'changed', 'data': { 'ref': 'Other', 'old': 'int8' } }
{ 'event': 'GONE', 'data': { 'id': 'uint32' } }
`);

const entry = (name: string, meta: string, rest: object): object => ({ name, 'meta-type': meta, ...rest });
const live = modelFromIntrospection(
  JSON.stringify([
    entry('add', 'command', { 'arg-type': '1', 'ret-type': '0' }),
    entry('get', 'command', { 'arg-type': '2', 'ret-type': '[3]' }),
    entry('changed', 'command', { 'arg-type': '8', 'ret-type': '0' }),
    entry('future', 'command', { 'arg-type': '9', 'ret-type': '1' }),
    entry('GONE', 'event', { 'arg-type': '2' }),
    entry('0', 'object', { members: [] }),
    entry('1', 'object', {
      members: [
        { name: 'driver', type: '4' },
        { name: 'retries', type: 'int' },
        { name: 'new', type: 'int', default: null },
      ],
      tag: 'driver',
      variants: [{ case: 'raw', type: '5' }],
    }),
    entry('2', 'object', { members: [{ name: 'id', type: 'int', features: ['deprecated'] }] }),
    entry('3', 'object', {
      members: [
        { name: 'count', type: 'int' },
        { name: 'options', type: '6' },
      ],
    }),
    entry('4', 'enum', { values: ['raw', 'nbd'] }),
    entry('5', 'object', {
      members: [
        { name: 'size', type: 'int' },
        { name: 'ports', type: '[int]', default: null },
      ],
    }),
    entry('6', 'alternate', { members: [{ type: 'str' }, { type: '1' }] }),
    entry('7', 'object', { members: [{ name: 'q', type: 'int' }] }),
    entry('8', 'object', {
      members: [
        { name: 'ref', type: '7' },
        { name: 'old', type: 'str' },
      ],
    }),
    entry('9', 'object', { members: [{ name: 'list', type: '[int]' }] }),
    entry('[3]', 'array', { 'element-type': '3' }),
    entry('[int]', 'array', { 'element-type': 'int' }),
    entry('int', 'builtin', { 'json-type': 'int' }),
    entry('str', 'builtin', { 'json-type': 'string' }),
  ]),
);

describe('unmask', () => {
  const model = unmask(live, catalog);
  const members = (type: QapiType | undefined): string[] =>
    type?.kind === 'object' ? type.members.map((member) => `${member.name}:${member.type.name}`) : [];

  it('takes names and modules where both agree', () => {
    expect([...model.types.keys()].sort()).toEqual([
      'ChangedArgumentsRef',
      'Driver',
      'FutureArguments',
      'Info',
      'Options',
      'OptionsRef',
      'RawOptions',
      '[Info]',
      '[int]',
      '[uint16]',
      'int',
      'int64',
      'q_empty',
      'q_obj_changed-arg',
      'q_obj_get-arg',
      'size',
      'str',
      'uint16',
      'uint32',
      'uint8',
    ]);
    for (const [name, type] of model.types) expect(type.name).toBe(name);
    expect(model.types.get('Options')).toMatchObject({ module: 'block' });
    expect(model.types.get('FutureArguments')).not.toHaveProperty('module');
  });

  it('takes integer widths, also of lists, and only of integers', () => {
    expect(members(model.types.get('Options'))).toEqual(['driver:Driver', 'retries:uint8', 'new:int']);
    expect(members(model.types.get('RawOptions'))).toEqual(['size:size', 'ports:[uint16]']);
    expect(members(model.commands.get('get')?.arguments)).toEqual(['id:uint32']);
    expect(members(model.commands.get('future')?.arguments)).toEqual(['list:[int]']);
    expect(members(model.commands.get('changed')?.arguments)).toEqual(['ref:ChangedArgumentsRef', 'old:str']);
  });

  it('changes nothing of what the VM takes', () => {
    const options = model.types.get('Options');
    expect(options?.kind === 'object' && options.members.map((member) => member.optional)).toEqual([
      false,
      false,
      true,
    ]);
    expect(options?.kind === 'object' && options.variants?.cases.map((variant) => variant.type.name)).toEqual([
      'RawOptions',
    ]);
    expect(model.types.get('Driver')).toMatchObject({ values: [{ name: 'raw' }, { name: 'nbd' }] });
    expect(model.commands.get('get')?.arguments.members[0]?.features).toEqual([{ name: 'deprecated' }]);
    expect(members(model.types.get('ChangedArgumentsRef'))).toEqual(['q:int']);
  });

  it('takes how a command is called, but not whether it may run out of band', () => {
    expect(model.commands.get('add')).toMatchObject({ boxed: true, gen: false, allowOob: false, module: 'block' });
    expect(model.commands.get('future')).not.toHaveProperty('boxed');
    expect([...model.commands.keys()]).toEqual([...live.commands.keys()]);
  });

  it('keeps one object for one type, through cycles', () => {
    const options = model.types.get('Options');
    expect(model.commands.get('add')?.arguments).toBe(options);
    expect(model.commands.get('future')?.returns).toBe(options);
    expect(model.types.get('OptionsRef')).toMatchObject({ branches: [{ name: 'reference' }, { name: 'definition' }] });
    const ref = model.types.get('OptionsRef');
    expect(ref?.kind === 'alternate' && ref.branches[1]?.type).toBe(options);
  });

  it('takes over summary and since', () => {
    const described: QapiModel = {
      ...catalog,
      commands: new Map([['add', { ...catalog.commands.get('add')!, summary: 'Adds.', since: '2.9' }]]),
      events: new Map([['GONE', { ...catalog.events.get('GONE')!, summary: 'Went.', since: '1.0' }]]),
    };
    const result = unmask(live, described);
    expect(result.commands.get('add')).toMatchObject({ summary: 'Adds.', since: '2.9' });
    expect(result.events.get('GONE')).toMatchObject({ summary: 'Went.', since: '1.0' });
    expect(result.commands.get('get')).not.toHaveProperty('summary');
  });

  it('leaves the live model and an unrelated one as they are', () => {
    const unrelated = unmask(live, catalogOf(`{ 'command': 'nothing-of-that' }`));
    expect([...unrelated.types.keys()].sort()).toEqual([...live.types.keys()].sort());
    expect(unrelated.commands).toEqual(live.commands);
    expect(live.types.has('AddArguments')).toBe(true);
  });

  it('gives a name of the catalog to one type only', () => {
    const merged = catalogOf(`
      { 'struct': 'Same', 'data': { 'id': 'int' } }
      { 'command': 'get', 'data': 'Same' }
      { 'command': 'changed', 'data': { 'ref': 'GetArguments', 'old': 'str' } }
      { 'command': 'future', 'data': { 'list': ['int'] }, 'returns': 'Same' }
      { 'struct': 'GetArguments', 'data': { 'q': 'uint8' } }
      { 'event': 'GONE', 'data': 'Same' }
    `);
    const { types } = unmask(live, merged);
    expect([...types.keys()].sort()).toContain('GetArguments');
    expect([...types.values()].filter((type) => type.name === 'Same')).toHaveLength(1);
    for (const [name, type] of types) expect(type.name).toBe(name);
  });
});
