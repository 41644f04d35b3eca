import { writeJson, type SchemaCommand } from '@qmp-gateway/client';
import { describe, expect, it } from 'vitest';
import { readPair } from './argument-pairs.js';
import { readInteger } from './scalar-values.js';
import type { ServerModel } from './schema-model.js';
import { keyAtPointer, typedArguments, type OpenTypes } from './typed-arguments.js';

const command: SchemaCommand = {
  ...{ name: 'x', arguments: 'Args', returns: 'q_empty', summary: null, deprecated: false, oob: false },
  ...{ class: 'read', lowestClass: 'read', highestClass: 'read' },
};
const member = (name: string, type: string) => ({ name, type, optional: true });
const model: ServerModel = {
  commands: [command],
  types: {
    Kind: { kind: 'enum', values: ['one', 'two'] },
    Args: {
      kind: 'object',
      members: [
        ...[member('kind', 'Kind'), member('int', 'int'), member('flag', 'bool'), member('text', 'str')],
        ...[member('list', '[int]'), member('either', 'Either'), member('many', 'ManyOrOne'), member('a.b', 'str')],
        ...[member('inner', 'Inner'), member('empty', 'null'), member('number', 'number'), member('any', 'any')],
        member('switch', 'EnumOrBool'),
      ],
      tag: 'kind',
      variants: { one: 'One' },
    },
    One: { kind: 'object', members: [member('only', 'int')] },
    Inner: { kind: 'object', members: [member('deep', 'int'), member('more', 'Inner')] },
    Either: { kind: 'alternate', types: ['Inner', 'str'] },
    ManyOrOne: { kind: 'alternate', types: ['int', '[int]'] },
    EnumOrBool: { kind: 'alternate', types: ['Kind', 'bool'] },
  },
};
const typed = (words: readonly string[], open?: OpenTypes) => typedArguments(model, command, words.map(readPair), open);
const sent = (...words: string[]): unknown => {
  const { value, faults } = typed(words);
  return faults.length > 0 ? faults.map(({ key, message }) => `${key}: ${message}`) : writeJson(value);
};

describe('what was typed, by the model', () => {
  it.each([
    [['int=007', 'text=007'], '{"int":7,"text":"007"}'],
    [['int=0xff', 'int:=1'], ['int: takes one value, and is given 2 times']],
    [['flag=yes'], '{"flag":true}'],
    [['kind=one', 'only=5'], '{"kind":"one","only":5}'],
    [['kind=two', 'only=5'], '{"kind":"two","only":"5"}'],
    [['list=1'], '{"list":[1]}'],
    [['list=[1, 2]'], '{"list":[1, 2]}'],
    [['many=1', 'many=2'], '{"many":[1,2]}'],
    [['many=1'], '{"many":1}'],
    [['either={"deep": 1.0}'], '{"either":{"deep": 1.0}}'],
    [['either=a', 'either.deep=1'], ['either: is given as a whole and by its members']],
    [['inner.more.deep=1', 'inner.deep=2'], '{"inner":{"more":{"deep":1},"deep":2}}'],
    [['a.b=x'], '{"a.b":"x"}'],
    [['empty=null', 'number=1e3'], '{"empty":null,"number":1e3}'],
    [['empty=0'], ['empty: takes null alone']],
    [['number=one'], ['number: takes a number']],
    [['list=x'], ['list: takes an integer']],
    [['switch=one', 'any:=[]'], '{"switch":"one","any":[]}'],
    [['switch=true'], '{"switch":true}'],
    [['switch=three'], '{"switch":"three"}'],
    [['__proto__=x'], '{"__proto__":"x"}'],
    [['text='], '{"text":""}'],
  ])('%j', (words, expected) => expect(sent(...words)).toEqual(expected));

  it('is nothing where nothing was typed', () => expect(typed([]).value).toBeUndefined());

  it('has members that no schema lists as strings, or as somebody else says', () => {
    const words = ['max-bytes=1024', 'mac=52', 'on:=true'];
    expect([writeJson(typed(words).value), typed(words).undeclared]).toEqual([
      '{"max-bytes":"1024","mac":"52","on":true}',
      ['max-bytes', 'mac'],
    ]);
    expect(writeJson(typed(words, new Map([['max-bytes', 'int']])).value)).toContain('"max-bytes":1024');
  });

  it('can be found again by a JSON Pointer', () => {
    const { keys } = typed(['inner.more.deep=1', 'a/b=2']);
    expect(keyAtPointer('/inner/more/deep', keys)).toBe('inner.more.deep');
    expect(keyAtPointer('/inner/more/other', keys)).toBe('inner.more.other');
    expect(keyAtPointer('/a~1b', keys)).toBe('a/b');
    expect(keyAtPointer('/list/0', keys)).toBe('list.0');
    expect(keyAtPointer('', keys)).toBe('');
  });
});

describe('a word', () => {
  it('is key=value, or key:=JSON', () => {
    expect(readPair('a=b=c')).toEqual({ key: 'a', value: 'b=c', isJson: false });
    expect(readPair('a:={"b":"="}')).toEqual({ key: 'a', value: '{"b":"="}', isJson: true });
    for (const word of ['', 'a', '=b', ':=1']) expect(() => readPair(word)).toThrow('is no argument');
  });
});

describe('an integer', () => {
  it.each([
    ['4K', 4096n],
    ['2GiB', 2n ** 31n],
    ['-1', -1n],
    ['0X1f', 31n],
    ['99999999999999999999', 99_999_999_999_999_999_999n],
  ])('%s', (text, value) => expect(readInteger(text)).toEqual({ value }));

  it.each(['', '1.5', '1e3', '+1', '4KB', 'K', '1 ', '0b1', '١'])('%j is none', (text) =>
    expect(readInteger(text)).toEqual({ fault: 'takes an integer' }),
  );
});
