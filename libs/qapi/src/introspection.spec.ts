import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { modelFromIntrospection } from './introspection.js';
import type { QapiModel } from './model.js';
import { IntrospectionError } from './schema-info.js';
import { readJson } from './strict-json.js';
import { validateArguments } from './validate.js';

const builtins = [
  { name: 'str', 'meta-type': 'builtin', 'json-type': 'string' },
  { name: 'int', 'meta-type': 'builtin', 'json-type': 'int' },
  { name: 'null', 'meta-type': 'builtin', 'json-type': 'null' },
  { name: '0', 'meta-type': 'object', members: [] },
];

const object = (name: string, members: object[], rest: object = {}): object => ({
  name,
  'meta-type': 'object',
  members,
  ...rest,
});
const command = (name: string, argument: string, returns: string, rest: object = {}): object => ({
  name,
  'meta-type': 'command',
  'arg-type': argument,
  'ret-type': returns,
  ...rest,
});

const modelOf = (...entries: object[]): QapiModel => modelFromIntrospection(JSON.stringify([...entries, ...builtins]));

const blockdev = [
  command('blockdev-add', '1', '0', { features: ['deprecated'] }),
  command('query-block', '0', '[2]', { 'allow-oob': true }),
  { name: 'BLOCK_IO_ERROR', 'meta-type': 'event', 'arg-type': '5' },
  { name: 'STOP', 'meta-type': 'event', 'arg-type': '0' },
  object(
    '1',
    [
      { name: 'driver', type: '3' },
      { name: 'node-name', type: 'str', default: null },
    ],
    {
      tag: 'driver',
      variants: [
        { case: 'raw', type: '4' },
        { case: 'null-co', type: '0' },
      ],
    },
  ),
  object('2', [{ name: 'inserted', type: '1', features: ['unstable'] }]),
  {
    name: '3',
    'meta-type': 'enum',
    values: ['raw', 'null-co'],
    members: [{ name: 'raw' }, { name: 'null-co', features: ['deprecated'] }],
  },
  object('4', [{ name: 'file', type: '6' }]),
  object('5', [{ name: 'action', type: '7' }]),
  { name: '6', 'meta-type': 'alternate', members: [{ type: 'str' }, { type: '1' }, { type: 'null' }] },
  { name: '7', 'meta-type': 'enum', values: ['stop', 'report'] },
  { name: '[2]', 'meta-type': 'array', 'element-type': '2' },
];

describe('modelFromIntrospection', () => {
  const model = modelOf(...blockdev);

  it('reads commands and events', () => {
    const add = model.commands.get('blockdev-add');
    expect(add).toMatchObject({ allowOob: false, features: [{ name: 'deprecated' }], returns: { name: 'Empty' } });
    expect(model.commands.get('query-block')).toMatchObject({
      allowOob: true,
      arguments: { name: 'Empty', members: [] },
    });
    expect(model.events.get('STOP')?.data.members).toEqual([]);
    expect([...model.events.keys()]).toEqual(['BLOCK_IO_ERROR', 'STOP']);
  });

  it('names hidden types by the shortest path to them', () => {
    expect([...model.types.keys()].sort()).toEqual([
      'BlockIoErrorEvent',
      'BlockIoErrorEventAction',
      'BlockdevAddArguments',
      'BlockdevAddArgumentsDriver',
      'BlockdevAddArgumentsRaw',
      'BlockdevAddArgumentsRawFile',
      'Empty',
      'QueryBlockReturn',
      '[QueryBlockReturn]',
      'null',
      'str',
    ]);
  });

  it('keeps members, optional flags, features, branches and cycles', () => {
    const add = model.commands.get('blockdev-add')!.arguments;
    expect(add.members.map(({ name, optional }) => [name, optional])).toEqual([
      ['driver', false],
      ['node-name', true],
    ]);
    expect(add.variants).toMatchObject({ tag: 'driver', cases: [{ case: 'raw' }, { case: 'null-co' }] });
    expect(add.members[0]?.type).toMatchObject({
      values: [
        { name: 'raw', features: [] },
        { name: 'null-co', features: [{ name: 'deprecated' }] },
      ],
    });
    const file = add.variants?.cases[0]?.type.members[0]?.type;
    expect(file?.kind === 'alternate' && file.branches[1]?.type).toBe(add);
    const returns = model.commands.get('query-block')!.returns;
    expect(returns.kind === 'array' && returns.element).toMatchObject({
      members: [{ name: 'inserted', type: add, features: [{ name: 'unstable' }] }],
    });
    expect(model.events.get('BLOCK_IO_ERROR')?.data.members[0]?.type).toMatchObject({
      values: [{ name: 'stop' }, { name: 'report' }],
    });
  });

  it('is good for validating', () => {
    const check = (json: string): string[] =>
      validateArguments(model.commands.get('blockdev-add')!, readJson(json)).faults.map((fault) => fault.pointer);
    expect(check('{"driver":"raw","file":{"driver":"raw","file":{"driver":"null-co"}}}')).toEqual([]);
    expect(check('{"driver":"raw","file":{"driver":"raw","file":1}}')).toEqual(['/file/file']);
  });

  it('gives the same model again', () => {
    expect([...modelOf(...blockdev).types.keys()]).toEqual([...model.types.keys()]);
  });

  it('keeps names that are not hidden, and never gives one twice', () => {
    const { types } = modelOf(
      command('a-b', 'ABReturn', '1'),
      command('a_b', '2', '3'),
      object('ABReturn', [{ name: 'x', type: 'int' }]),
      ...['1', '2', '3'].map((name) => object(name, [{ name: `m${name}`, type: 'int' }])),
    );
    expect([...types.keys()]).toEqual(['ABReturn', 'ABReturn2', 'ABArguments', 'ABReturn3', 'int']);
  });

  it('takes kinds of type it does not know as anything', () => {
    const model = modelOf(
      command('x', '9', '8'),
      command('y', '1', '[9]'),
      { name: 'z', 'meta-type': 'event', 'arg-type': '9' },
      object('1', [
        { name: 'm', type: '9' },
        { name: 'n', type: 'blob' },
      ]),
      { name: '9', 'meta-type': 'tuple', of: ['1'] },
      { name: '8', 'meta-type': 'builtin', 'json-type': 'date' },
      { name: 'blob', 'meta-type': 'builtin', 'json-type': 'object' },
      { name: '[9]', 'meta-type': 'array', 'element-type': '9' },
    );
    expect(validateArguments(model.commands.get('x')!, readJson('{"q":[1]}')).faults).toEqual([]);
    expect(validateArguments(model.commands.get('y')!, readJson('{"m":{},"n":1}')).faults).toEqual([]);
    expect(model.commands.get('y')!.returns.name).toBe('[any]');
    expect(model.events.get('z')?.data.members).toEqual([]);
  });

  it.each<[string, unknown]>([
    ['introspection: expected an array', {}],
    ['entry 0: expected an object', [null]],
    ['entry 0: name: expected a string', [{}]],
    [`'x': meta-type: expected a string`, [{ name: 'x' }]],
    [`command 'x': arg-type: expected a string`, [{ name: 'x', 'meta-type': 'command' }]],
    [`command 'x': type '5' is not defined`, [command('x', '5', '0'), ...builtins]],
    [`event 'E': type '5' is not defined`, [{ name: 'E', 'meta-type': 'event', 'arg-type': '5' }]],
    [
      `object '1': type 'gone' is not defined`,
      [command('x', '1', '0'), object('1', [{ name: 'm', type: 'gone' }]), ...builtins],
    ],
    [`command 'x' is defined twice`, [command('x', '0', '0'), command('x', '0', '0')]],
    [`object '1': members: expected an array`, [{ name: '1', 'meta-type': 'object' }]],
    [`object '1': tag 't' is not a member`, [object('1', [], { tag: 't', variants: [] })]],
    [
      `object '1': tag 't' is not of an enum type`,
      [command('x', '1', '0'), object('1', [{ name: 't', type: 'str' }], { tag: 't', variants: [] }), ...builtins],
    ],
    [
      `array '[[]]': lists nested deeper than 16`,
      [command('x', '0', '[[]]'), { name: '[[]]', 'meta-type': 'array', 'element-type': '[[]]' }, ...builtins],
    ],
    [
      `alternate '1' of an alternate`,
      [command('x', '0', '1'), { name: '1', 'meta-type': 'alternate', members: [{ type: '1' }] }, ...builtins],
    ],
  ])('%s', (message, value) => {
    expect(() => modelFromIntrospection(Buffer.from(JSON.stringify(value)))).toThrow(new IntrospectionError(message));
  });

  it('says when it is no JSON', () => {
    expect(() => modelFromIntrospection('{')).toThrow(IntrospectionError);
  });

  it('does not go down with types nested a hundred thousand deep', () => {
    const chain = Array.from({ length: 100_000 }, (_, index) =>
      object(String(index + 1), [{ name: 'next', type: String(index + 2) }]),
    );
    const model = modelOf(command('x', '1', '0'), ...chain, object('100001', []));
    expect(new Set([...model.types.values()].map((type) => type.name)).size).toBe(100_002);
  });

  it('ends with a model or an IntrospectionError for any damage', () => {
    const text = JSON.stringify([...blockdev, ...builtins]);
    const replacement = fc.constantFrom('0', '[]', '{}', 'null', '"1"', '"x"', '"[2]"', 'true');
    fc.assert(
      fc.property(fc.nat(200), replacement, (index, other) => {
        let count = 0;
        const damaged = text.replace(/"[^"]*"(?!:)|\[\]/g, (found) => (count++ === index ? other : found));
        try {
          expect(modelFromIntrospection(damaged).commands.size).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(IntrospectionError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
