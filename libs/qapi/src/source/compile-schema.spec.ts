import { describe, expect, it } from 'vitest';
import type { ObjectType } from '../model.js';
import { compile, errorOf, manyFeatures, PART, TWO, union } from './schema-text.scene.js';

describe('what is accepted', () => {
  it.each([
    ['an empty file', ''],
    ['nothing but comments', '# nothing\n  # here'],
    ['Windows line ends', "{ 'enum': 'Ee',\r\n  'data': [] }\r\n"],
    ['an escaped backslash, where names need not hold', "{ 'pragma': { 'documentation-exceptions': [ 'a\\\\b' ] } }"],
    ['a digit at the start of a value', "{ 'enum': 'Ee', 'data': [ '2nd' ] }"],
    ['a downstream name', "{ 'command': '__com.example_do-it' }"],
    ['an experimental name', "{ 'command': 'x-do' }"],
    [
      'exceptions to names of members',
      "{ 'pragma': { 'member-name-exceptions': [ 'Ss' ] } }\n{ 'struct': 'Ss', 'data': { 'A_b': 'int' } }",
    ],
    [
      'exceptions given after their use',
      "{ 'command': 'a_b' }\n{ 'pragma': { 'command-name-exceptions': [ 'a_b' ] } }",
    ],
    [
      'exceptions to returns',
      "{ 'pragma': { 'command-returns-exceptions': [ 'a' ] } }\n{ 'command': 'a', 'returns': [ 'int' ] }",
    ],
    [
      'branches that share members',
      `${TWO}\n${PART}\n{ 'union': 'Uu', 'base': { 't': 'Two' }, 'discriminator': 't', 'data': { 'one': 'Part', 'two': 'Part' } }`,
    ],
    [
      'an enum without on beside a boolean',
      `${TWO}\n{ 'alternate': 'Aa', 'data': { 'a': 'Two', 'b': 'bool', 'c': 'int', 'd': 'null', 'e': [ 'int' ] } }`,
    ],
    ['62 features beside the special two', manyFeatures(62)],
    ['the name of an array as type', "{ 'struct': 'Ss', 'data': { 'a': 'intList' } }"],
    ['a struct in itself, as a member', "{ 'struct': 'Ss', 'data': { '*next': 'Ss' } }"],
  ])('%s', (_, text) => expect(() => compile(text)).not.toThrow());
});

describe('the model', () => {
  it('has flat members and the base', () => {
    const { model } = compile(`${PART}\n{ 'struct': 'Ss', 'base': 'Part', 'data': { '*a': [ 'Part' ] } }`);
    const type = model.types.get('Ss') as ObjectType;
    expect(type.base).toBe(model.types.get('Part'));
    expect(type.members.map(({ name, optional }) => [name, optional])).toEqual([
      ['size', false],
      ['a', true],
    ]);
    expect(type.members[1]!.type).toEqual({ kind: 'array', name: 'PartList', element: type.base });
  });

  it('has the cases of a union that are given, with their conditions', () => {
    const { model } = compile(
      union("'discriminator': 't'", "{ 't': 'Two' }", "{ 'two': { 'type': 'Part', 'if': 'CONFIG_TWO' } }"),
    );
    const type = model.types.get('Uu') as ObjectType;
    expect(type.variants).toEqual({
      tag: 't',
      cases: [{ case: 'two', type: model.types.get('Part'), if: 'CONFIG_TWO' }],
    });
    expect(type.base).toMatchObject({ name: 'q_obj_Uu-base', implicit: true });
  });

  it('has commands with flags, features and module', () => {
    const { model } = compile(
      `{ 'command': 'go', 'data': { 'at': 'int' }, 'gen': false, 'success-response': false, 'allow-oob': true,
         'allow-preconfig': true, 'if': { 'not': 'X' }, 'features': [ 'deprecated', { 'name': 'f', 'if': 'Y' } ] }`,
    );
    expect(model.commands.get('go')).toMatchObject({
      kind: 'command',
      module: 'test',
      arguments: { name: 'q_obj_go-arg', implicit: true, members: [{ name: 'at' }] },
      returns: { name: 'q_empty', members: [] },
      allowOob: true,
      allowPreconfig: true,
      boxed: false,
      coroutine: false,
      gen: false,
      successResponse: false,
      if: { not: 'X' },
      features: [{ name: 'deprecated' }, { name: 'f', if: 'Y' }],
    });
  });

  it('has events and alternates', () => {
    const { model } = compile(
      `{ 'alternate': 'Aa', 'data': { 'n': 'int', 's': { 'type': [ 'str' ], 'if': 'X' } } }
       { 'event': 'DONE', 'data': { 'a': 'Aa' } }`,
    );
    const alternate = model.types.get('Aa');
    expect(alternate).toMatchObject({
      kind: 'alternate',
      branches: [
        { name: 'n', type: { kind: 'builtin', name: 'int', json: 'int' } },
        { name: 's', type: { kind: 'array', element: { name: 'str' } }, if: 'X' },
      ],
    });
    expect(model.events.get('DONE')?.data.members[0]!.type).toBe(alternate);
  });

  it('names only those built-in types that are used', () => {
    const { model } = compile("{ 'struct': 'Ss', 'data': { 'a': [ 'uint8' ] } }");
    expect([...model.types.keys()].sort()).toEqual(['Ss', 'uint8', 'uint8List']);
  });

  it('tells of a chain of bases that is too long, in either order', () => {
    const chain = Array.from(
      { length: 300 },
      (_, n) => `{ 'struct': 'S${n}x', ${n === 0 ? '' : `'base': 'S${n - 1}x', `}'data': {} }`,
    );
    expect(errorOf(chain.join('\n'))).toMatchObject({ line: 202 });
    expect(errorOf(chain.toReversed().join('\n')).problem).toContain('deeper than 200');
  });

  it('is made in time when branches multiply', () => {
    const levels = Array.from({ length: 100 }, (_, n) => {
      const next = n === 0 ? 'Part' : `U${n - 1}x`;
      const both = `{ 'one': '${next}', 'two': '${next}' }`;
      return `{ 'union': 'U${n}x', 'base': { 't${n}': 'Two' }, 'discriminator': 't${n}', 'data': ${both} }`;
    });
    expect(compile([TWO, PART, ...levels].join('\n')).model.types.has('U99x')).toBe(true);
  });
});
