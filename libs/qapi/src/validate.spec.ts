import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Command } from './model.js';
import { compileSchema } from './source/index.js';
import { readJson } from './strict-json.js';
import { validateArguments, type CheckedArguments, type ValidationOptions } from './validate.js';

const schema = `
{ 'enum': 'Format', 'data': ['raw', 'qcow2', 'vmdk'] }
{ 'enum': 'Cache', 'data': ['writeback', 'none'] }
{ 'struct': 'File', 'data': { 'filename': 'str', '*offset': 'int' } }
{ 'struct': 'Qcow2', 'data': { 'backing': 'Ref', '*l2-size': 'uint64' } }
{ 'union': 'Image', 'base': { 'driver': 'Format', '*node': 'str' }, 'discriminator': 'driver',
  'data': { 'raw': 'File', 'qcow2': 'Qcow2' } }
{ 'alternate': 'Ref', 'data': { 'reference': 'str', 'definition': 'Image', 'none': 'null' } }
{ 'alternate': 'Stat', 'data': { 'scalar': 'int', 'flag': 'bool', 'list': ['int'] } }
{ 'alternate': 'Mode', 'data': { 'mode': 'Cache', 'flags': 'File' } }
{ 'enum': 'Key', 'data': [${Array.from({ length: 21 }, (_, at) => `'key-${at}'`).join(', ')}, 'ctrl'] }
{ 'command': 'press', 'data': { 'key': 'Key' } }
{ 'command': 'no-arguments' }
{ 'command': 'image-add', 'boxed': true, 'data': 'Image' }
{ 'command': 'set', 'data': { 'name': 'str', '*count': 'int', '*ratio': 'number', '*on': 'bool', '*cache': 'Cache',
  '*ids': ['uint16'], '*any': 'any', '*nothing': 'null', '*stat': 'Stat', '*mode': 'Mode', '*small': 'int8',
  '*u32': 'uint32', '*u64': 'uint64', '*files': ['File'] } }
{ 'command': 'open', 'data': { 'driver': 'str', '*count': 'int' }, 'gen': false }
`;
const { model } = compileSchema('test.json', { read: () => schema });

function command(name: string): Command {
  const found = model.commands.get(name);
  if (!found) throw new Error(`no ${name}`);
  return found;
}

function check(name: string, json?: string, options?: ValidationOptions): CheckedArguments {
  return validateArguments(command(name), json === undefined ? undefined : readJson(json), options);
}

/** The faults as `pointer: message` lines. */
function faults(name: string, json?: string, options?: ValidationOptions): string[] {
  return check(name, json, options).faults.map(({ pointer, message }) => `${pointer}: ${message}`);
}

describe('validateArguments', () => {
  it('sends the bytes of the client', () => {
    const text = '{ "ratio":1E+2,\n"name" : "\\u0041😀", "any":{"x":[1.0,18446744073709551616]}, "u64": -1 }';
    expect(check('set', ` ${text} `)).toEqual({ faults: [], json: text });
    expect(check('no-arguments')).toEqual({ faults: [], json: undefined });
    expect(check('no-arguments', '{}')).toEqual({ faults: [], json: '{}' });
  });

  it('tells all faults at once, in order', () => {
    expect(faults('set', '{"nmae":"x","count":"many","on":1,"ids":[1,"x",null],"cache":"writback"}')).toEqual([
      '/nmae: unknown member "nmae"',
      '/count: expected an integer, found a string',
      '/on: expected a boolean, found a number',
      '/ids/1: expected an integer, found a string',
      '/ids/2: expected an integer, found null',
      '/cache: "writback" is not one of the values: writeback, none',
      '/name: required member is missing',
    ]);
    const [unknown, , , , , value] = check(
      'set',
      '{"nmae":"x","count":"many","on":1,"ids":[1,"x",null],"cache":"writback"}',
    ).faults;
    expect(unknown?.suggestions).toEqual(['name']);
    expect(value?.suggestions).toEqual(['writeback']);
    expect(check('set', '{"nmae":1}').json).toBeUndefined();
  });

  it('lists the values of a large enum only where none of them is near', () => {
    expect(faults('press', '{"key":"ctl"}')).toEqual(['/key: "ctl" is not one of the 22 values']);
    expect(check('press', '{"key":"ctl"}').faults[0]?.suggestions).toEqual(['ctrl']);
    expect(faults('press', '{"key":"?"}')[0]).toContain('is not one of the values: key-0, key-1, ');
  });

  it('needs arguments where members are required', () => {
    expect(faults('set')).toEqual(['/name: required member is missing']);
  });

  it.each(['[]', 'null', '"x"', '1'])('refuses %s for arguments', (json) => {
    expect(faults('no-arguments', json)).toEqual([expect.stringMatching(/^: expected an object of arguments, found /)]);
  });

  it.each([
    ['"count":1.0', '/count: expected an integer in digits, without fraction or exponent'],
    ['"count":1e3', '/count: expected an integer in digits, without fraction or exponent'],
    ['"count":null', '/count: expected an integer, found null'],
    ['"count":"1.0"', '/count: expected an integer, found a string'],
    ['"count":"007"', '/count: expected an integer, found a string'],
    ['"count":"+1"', '/count: expected an integer, found a string'],
    ['"count":""', '/count: expected an integer, found a string'],
    ['"ratio":"1"', '/ratio: expected a number, found a string'],
    ['"on":"true"', '/on: expected a boolean, found a string'],
    ['"nothing":false', '/nothing: expected null, found a boolean'],
    ['"cache":1', '/cache: expected a string, found a number'],
    ['"ids":{}', '/ids: expected an array, found an object'],
    ['"ids":1', '/ids: expected an array, found a number'],
    ['"files":[{"offset":1}]', '/files/0/filename: required member is missing'],
    ['"files":["x"]', '/files/0: expected an object, found a string'],
    ['"__proto__":1', '/__proto__: unknown member "__proto__"'],
    ['"a/b~c":1', '/a~1b~0c: unknown member "a/b~c"'],
    ['"":1', '/: unknown member ""'],
    ['"stat":1.5', '/stat: expected an integer in digits, without fraction or exponent'],
    ['"stat":"x"', '/stat: expected an integer or a boolean or an array, found a string'],
    ['"mode":"5"', '/mode: "5" is not one of the values: writeback, none'],
    ['"mode":null', '/mode: expected a string or an object, found null'],
  ])('refuses %s', (member, fault) => {
    expect(faults('set', `{"name":"x",${member}}`)).toEqual([fault]);
  });

  it.each([
    '"count":-9223372036854775809',
    '"u64":18446744073709551615',
    '"u64":-1',
    '"small":300',
    '"ratio":1e400',
    '"nothing":null',
    '"any":null',
    '"stat":[1,2]',
    '"stat":true',
    '"mode":{"filename":"x"}',
    '"ids":[]',
  ])('takes %s', (member) => {
    expect(check('set', `{"name":"x",${member}}`).json).toBe(`{"name":"x",${member}}`);
  });

  it('sends digits in quotes as integers where the schema wants them, and only there', () => {
    const sent = check(
      'set',
      '{"name":"5", "count": "-9223372036854775808","any":{"n":"1"},"ids":["1", 2,"\\u0033"],"stat":"7","files":[{"filename":"8","offset":"9"}]}',
    );
    expect(sent).toEqual({
      faults: [],
      json: '{"name":"5", "count": -9223372036854775808,"any":{"n":"1"},"ids":[1, 2,3],"stat":7,"files":[{"filename":"8","offset":9}]}',
    });
  });

  it('holds integers to their width only when told that it is the width of this VM', () => {
    const json = '{"name":"x","small":-129,"u32":4294967296,"ids":["65536",65535,-1],"u64":-1}';
    expect(faults('set', json)).toEqual([]);
    expect(faults('set', json, { enforceWidths: true })).toEqual([
      '/small: expected an integer from -128 to 127 (int8)',
      '/u32: expected an integer from 0 to 4294967295 (uint32)',
      '/ids/0: expected an integer from 0 to 65535 (uint16)',
      '/ids/2: expected an integer from 0 to 65535 (uint16)',
    ]);
    expect(faults('set', `{"name":"x","small":${'9'.repeat(400)}}`, { enforceWidths: true })).toHaveLength(1);
  });

  describe('unions', () => {
    it('take the members of the chosen branch', () => {
      expect(faults('image-add', '{"filename":"x","driver":"raw"}')).toEqual([]);
      expect(faults('image-add', '{"driver":"vmdk","node":"n"}')).toEqual([]);
      expect(faults('image-add', '{"driver":"qcow2","backing":{"driver":"raw","filename":"b"},"l2-size":"1"}')).toEqual(
        [],
      );
    });

    it('say where a member of another branch belongs', () => {
      expect(faults('image-add', '{"driver":"qcow2","filename":"x"}')).toEqual([
        `/filename: is taken only where 'driver' is raw`,
        '/backing: required member is missing',
      ]);
    });

    it('name the tag when it is wrong or missing, and do not guess about the rest', () => {
      expect(faults('image-add', '{"filename":"x"}')).toEqual(['/driver: required member is missing']);
      expect(faults('image-add', '{"driver":"qcow","filename":"x","filenam":1}')).toEqual([
        '/driver: "qcow" is not one of the values: raw, qcow2, vmdk',
        '/filenam: unknown member "filenam"',
      ]);
      expect(check('image-add', '{"driver":"qcow","filenam":1}').faults.map((fault) => fault.suggestions)).toEqual([
        ['qcow2'],
        ['filename'],
      ]);
      expect(faults('image-add', '{"driver":1}')).toEqual(['/driver: expected a string, found a number']);
    });

    it('are held to their members inside alternates, at every depth', () => {
      expect(faults('image-add', '{"driver":"qcow2","backing":{"driver":"qcow2","backing":{"driver":"raw"}}}')).toEqual(
        ['/backing/backing/filename: required member is missing'],
      );
      expect(faults('image-add', '{"driver":"qcow2","backing":1}')).toEqual([
        '/backing: expected a string or an object or null, found a number',
      ]);
      expect(faults('image-add', '{"driver":"qcow2","backing":null}')).toEqual([]);
      expect(check('image-add', '{"driver":"qcow2","backing":"12"}').json).toContain('"12"');
    });
  });

  describe('open arguments', () => {
    it('pass what the schema does not list, untouched', () => {
      const json = '{"driver":"x","max-bytes":"1000","count":"5","deep":{"a":[1.0]}}';
      expect(check('open', json).json).toBe(json.replace('"5"', '5'));
      expect(check('no-arguments', '{"x":"1"}', { openMembers: true }).json).toBe('{"x":"1"}');
    });

    it('are still held to what it lists', () => {
      expect(faults('open', '{"x":1,"count":[]}')).toEqual([
        '/count: expected an integer, found an array',
        '/driver: required member is missing',
      ]);
    });

    it('are closed when the caller knows better, and below the top', () => {
      expect(faults('open', '{"driver":"x","y":1}', { openMembers: false })).toHaveLength(1);
      expect(faults('set', '{"name":"x","files":[{"filename":"f","y":1}]}', { openMembers: true })).toEqual([
        '/files/0/y: unknown member "y"',
      ]);
    });
  });

  it('bounds the list of faults', () => {
    const list = faults('set', `{"name":"x","ids":[${'null,'.repeat(5000)}null]}`);
    expect(list).toHaveLength(101);
    expect(list.at(-1)).toBe(': more faults than the 100 listed here');
  });

  it('keeps client text in messages short and free of control characters', () => {
    const [fault] = faults('set', `{"name":"x","\\n${'y'.repeat(1000)}":1}`);
    expect(fault?.split(': ')[1]).toMatch(/^unknown member "\\ny{63}…"$/);
  });

  it('ends with faults or with JSON for any document', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), fc.constantFrom(...model.commands.values()), (json, any) => {
        const { faults: found, json: sent } = validateArguments(any, readJson(json));
        expect(found.length > 0).toBe(sent === undefined);
      }),
    );
  });
});
