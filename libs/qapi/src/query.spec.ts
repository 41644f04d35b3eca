import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { argumentsFromQuery } from './query.js';
import { compileSchema } from './source/index.js';

const schema = `
{ 'enum': 'Format', 'data': ['raw', 'qcow2'] }
{ 'struct': 'File', 'data': { 'filename': 'str', '*offset': 'int' } }
{ 'struct': 'Tree', 'data': { '*left': 'Tree', '*value': 'int', '*any': 'any' } }
{ 'struct': 'Qcow2', 'data': { 'backing': 'Ref' } }
{ 'union': 'Image', 'base': { 'driver': 'Format' }, 'discriminator': 'driver',
  'data': { 'raw': 'File', 'qcow2': 'Qcow2' } }
{ 'alternate': 'Ref', 'data': { 'reference': 'str', 'definition': 'Image' } }
{ 'alternate': 'Stat', 'data': { 'scalar': 'int', 'flag': 'bool', 'list': ['int'] } }
{ 'command': 'get', 'data': { '*path': 'str', '*recursive': 'bool', '*count': 'int', '*ratio': 'number',
  '*ids': ['int'], '*names': ['str'], '*any': 'any', '*stat': 'Stat', '*tree': 'Tree', '*files': ['File'],
  '*none': 'null', '*__com.example_x': 'File' } }
{ 'command': 'image', 'boxed': true, 'data': 'Image' }
{ 'command': 'bare' }
`;
const { model } = compileSchema('test.json', { read: () => schema });

function query(command: string, text: string): { json: string | undefined; faults: string[]; suggestions: unknown[] } {
  const { json, faults } = argumentsFromQuery(model.commands.get(command)!, new URLSearchParams(text));
  return {
    json,
    faults: faults.map(({ pointer, message }) => `${pointer}: ${message}`),
    suggestions: faults.map((fault) => fault.suggestions),
  };
}

describe('argumentsFromQuery', () => {
  it.each([
    ['', undefined],
    ['path=/machine', '{"path":"/machine"}'],
    ['path=5&count=5', '{"path":"5","count":5}'],
    ['count=-18446744073709551616', '{"count":-18446744073709551616}'],
    ['recursive=true', '{"recursive":true}'],
    ['ratio=1.50', '{"ratio":1.50}'],
    ['none=null', '{"none":null}'],
    ['ids=1', '{"ids":[1]}'],
    ['ids=1&path=x&ids=2', '{"ids":[1,2],"path":"x"}'],
    ['names=a&names=', '{"names":["a",""]}'],
    ['any=5', '{"any":5}'],
    ['any=hello', '{"any":"hello"}'],
    ['any="5"', '{"any":"5"}'],
    ['any={"a":[1.0]}', '{"any":{"a":[1.0]}}'],
    ['any={"a":1,"a":2}', '{"any":"{\\"a\\":1,\\"a\\":2}"}'],
    ['any=', '{"any":""}'],
    ['stat=7', '{"stat":7}'],
    ['stat=true', '{"stat":true}'],
    ['stat=1&stat=2', '{"stat":[1,2]}'],
    ['tree.left.value=3&tree.value=2', '{"tree":{"left":{"value":3},"value":2}}'],
    ['tree={"value":1}', '{"tree":{"value":1}}'],
    ['files={"filename":"a"}&files={"filename":"b"}', '{"files":[{"filename":"a"},{"filename":"b"}]}'],
    ['__com.example_x.filename=f', '{"__com.example_x":{"filename":"f"}}'],
    ['path=%F0%9F%98%80%22%0A', '{"path":"😀\\"\\n"}'],
  ])('get?%s', (text, json) => {
    expect(query('get', text)).toMatchObject({ json, faults: [] });
  });

  it.each([
    ['backing=disk0&driver=qcow2', '{"backing":"disk0","driver":"qcow2"}'],
    ['driver=qcow2&backing=5', '{"driver":"qcow2","backing":"5"}'],
    ['driver=qcow2&backing={"driver":"raw"}', '{"driver":"qcow2","backing":"{\\"driver\\":\\"raw\\"}"}'],
    [
      'driver=qcow2&backing.driver=raw&backing.filename=f&backing.offset=1',
      '{"driver":"qcow2","backing":{"driver":"raw","filename":"f","offset":1}}',
    ],
  ])('image?%s', (text, json) => {
    expect(query('image', text)).toMatchObject({ json, faults: [] });
  });

  it.each([
    ['get', 'pth=x', ['/pth: unknown member "pth"']],
    ['get', 'tree.vlaue=1', ['/tree/vlaue: unknown member "vlaue"']],
    ['get', 'tree.left.x.y=1', ['/tree/left/x.y: unknown member "x.y"']],
    ['get', 'recursive=yes', ['/recursive: expected a boolean, found a string']],
    ['get', 'count=1.0', ['/count: expected an integer, found a string']],
    ['get', 'count=1&count=2', ['/count: takes one value and is given 2 times']],
    ['get', 'ratio=x', ['/ratio: expected a number, found a string']],
    ['get', 'ids=1&ids=x', ['/ids/1: expected an integer, found a string']],
    ['get', 'path.x=1', ['/path: has no members']],
    ['get', 'tree=x', ['/tree: expected an object, found a string']],
    ['get', 'tree={}&tree.value=1', ['/tree: is given both as a value and by its members']],
    [
      'get',
      'path=a&path=b&count=x',
      ['/path: takes one value and is given 2 times', '/count: expected an integer, found a string'],
    ],
    [
      'get',
      `tree.${'left.'.repeat(5000)}value=1`,
      [expect.stringMatching(/^\/tree(\/left)+: is nested deeper than 64$/)],
    ],
    ['get', '__proto__=1', ['/__proto__: unknown member "__proto__"']],
    ['image', 'filename=x', ['/driver: required member is missing']],
    ['image', 'driver=rwa', ['/driver: "rwa" is not one of the values: raw, qcow2']],
    ['bare', 'x=1', ['/x: unknown member "x"']],
  ])('%s?%.60s is refused', (command, text, faults) => {
    expect(query(command, text)).toMatchObject({ json: undefined, faults });
  });

  it('names the nearest', () => {
    expect(query('get', 'pth=x').suggestions).toEqual([['path']]);
    expect(query('get', 'tree.vlaue=1').suggestions).toEqual([['value']]);
  });

  it('refuses characters that no QMP server reads', () => {
    const { faults } = argumentsFromQuery(model.commands.get('get')!, [
      ['path', '\ud800'],
      ['\udc00', 'x'],
      ['\ud800', 'x'],
      ['tree.\ufdd0', '1'],
    ]);
    expect(faults.map((fault) => fault.message)).toEqual([
      'holds lone surrogate U+D800',
      'the name holds lone surrogate U+DC00',
      'the name holds lone surrogate U+D800',
      'the name holds noncharacter U+FDD0',
    ]);
  });

  it('takes JSON as deep as a body in nested members', () => {
    const deep = '['.repeat(64) + ']'.repeat(64);
    expect(query('get', `tree.${'left.'.repeat(60)}any=${deep}`)).toMatchObject({ faults: [] });
  });

  it('ends with faults or with JSON for any parameters', () => {
    const key = fc.array(fc.constantFrom('tree', 'left', 'any', 'ids', 'stat', 'files', 'x', ''), {
      minLength: 1,
      maxLength: 4,
    });
    const pair = fc.tuple(
      key.map((parts) => parts.join('.')),
      fc.oneof(fc.json(), fc.string({ unit: 'binary' })),
    );
    fc.assert(
      fc.property(fc.array(pair, { minLength: 1, maxLength: 5 }), (pairs) => {
        const { faults, json } = argumentsFromQuery(model.commands.get('get')!, pairs);
        expect(faults.length > 0).toBe(json === undefined);
      }),
    );
  });
});
