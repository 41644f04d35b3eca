import { readJson } from '@qmp-gateway/client';
import { describe, expect, it } from 'vitest';
import { argumentsOf } from './arguments-text.js';
import { formOf, type CommandForm } from './command-form.js';
import { edited, type Edit, type FieldPath } from './edits.js';
import { blankObject, type ObjectState } from './field-state.js';
import { formWith, object } from './form.scene.js';
import { formFields } from './object-fields.js';
import { stateOf } from './state-of-arguments.js';

type Step = readonly [path: FieldPath, edit: Edit];

const write = (text: string): Edit => ({ kind: 'write', text });
const choose = (value: string | undefined): Edit => ({ kind: 'choose', value });

/** What a form sends after these uses of its controls. */
function filled(form: CommandForm, ...steps: readonly Step[]): ObjectState {
  return steps.reduce<ObjectState>((state, [path, edit]) => edited(form, state, path, edit), blankObject);
}
const textOf = (form: CommandForm, ...steps: readonly Step[]) => argumentsOf(form, filled(form, ...steps)).text;
const faultsOf = (form: CommandForm, ...steps: readonly Step[]) =>
  argumentsOf(form, filled(form, ...steps)).faults.map(({ pointer, message }) => `${pointer}: ${message}`);
const namesOf = (form: CommandForm, state: ObjectState) =>
  formFields(form.types, form.root, state).map(({ name }) => name);

describe('scalars', () => {
  const form = formWith({
    arguments: object({ 'id?': 'str', 'size?': 'uint64', 'rate?': 'number', 'force?': 'bool', 'value?': 'any' }),
  });

  it('a form in which nothing is filled in has no arguments', () => {
    expect(argumentsOf(form, blankObject)).toEqual({ text: undefined, faults: [] });
    expect(textOf(form, [['id'], write('a')], [['id'], write('')])).toBeUndefined();
    expect(textOf(form, [['force'], choose('true')], [['force'], choose(undefined)])).toBeUndefined();
  });

  it('sends the empty text only where it is meant', () => {
    expect(textOf(form, [['id'], { kind: 'write-empty' }])).toBe('{"id":""}');
    expect(faultsOf(form, [['id'], { kind: 'include' }])).toEqual(['/id: required']);
  });

  it.each([
    ['18446744073709551615', '18446744073709551615'],
    ['-9223372036854775808', '-9223372036854775808'],
    ['9007199254740993', '9007199254740993'],
    ['0xFFFFFFFFFFFFFFFF', '18446744073709551615'],
    ['4GiB', '4294967296'],
    ['10 M', '10485760'],
    [' 7 ', '7'],
    ['007', '7'],
  ])('the integer %s is sent as %s', (text, sent) => {
    expect(textOf(form, [['size'], write(text)])).toBe(`{"size":${sent}}`);
  });

  it.each(['1.5', '1e3', 'abc', '4 bananas', '0x', '--1', '9'.repeat(101)])('%s is no integer', (text) => {
    expect(faultsOf(form, [['size'], write(text)])).toEqual(['/size: not an integer: 4096, 0x1000 and 4GiB are']);
  });

  it('keeps numbers and free JSON as they are written', () => {
    const value = '{ "a b" : [ 1.0, 1e400, "\\u0041 \\" " , 123456789012345678901 ] }';
    expect(textOf(form, [['rate'], write('1.50')], [['value'], write(value)])).toBe(
      '{"rate":1.50,"value":{"a b":[1.0,1e400,"\\u0041 \\" ",123456789012345678901]}}',
    );
    expect(faultsOf(form, [['rate'], write('0x1')], [['value'], write('abc')])).toEqual([
      '/rate: not a number: 1.5 and -2e3 are',
      '/value: not JSON: a text needs quotes',
    ]);
  });

  it('refuses half a character', () => {
    expect(faultsOf(form, [['id'], write('a\ud800')])).toEqual(['/id: half of a character (a lone surrogate)']);
  });
});

describe('what is required', () => {
  const form = formWith({
    arguments: object({ id: 'str', mode: 'Mode', 'a/b~c': 'bool', inner: 'Inner' }),
    Mode: { kind: 'enum', values: ['only'] },
    Inner: object({ port: 'uint16' }),
  });

  it('is asked for at its place', () => {
    expect(faultsOf(form)).toEqual(['/id: required', '/a~1b~0c: choose true or false', '/inner/port: required']);
    expect(argumentsOf(form, blankObject).faults.every(({ missing }) => missing)).toBe(true);
  });

  it('is sent in the order of the schema', () => {
    const steps: Step[] = [
      [['inner', 'port'], write('5')],
      [['a/b~c'], choose('false')],
      [['id'], write('x')],
    ];
    expect(textOf(form, ...steps)).toBe('{"id":"x","mode":"only","a/b~c":false,"inner":{"port":5}}');
  });
});

describe('lists', () => {
  const form = formWith({ arguments: object({ 'names?': '[str]' }) });
  const add: Step = [['names'], { kind: 'add-item' }];

  it('grow, shrink and change their order, item by item', () => {
    const steps: Step[] = [add, add, add, ...['a', 'b', 'c'].map((text, at): Step => [['names', at], write(text)])];
    expect(textOf(form, ...steps)).toBe('{"names":["a","b","c"]}');
    expect(textOf(form, ...steps, [['names'], { kind: 'raise-item', index: 2 }])).toBe('{"names":["a","c","b"]}');
    expect(textOf(form, ...steps, [['names'], { kind: 'remove-item', index: 0 }])).toBe('{"names":["b","c"]}');
    expect(textOf(form, ...steps, [['names'], { kind: 'leave-out' }])).toBeUndefined();
  });

  it('may be empty, and have no blank items', () => {
    expect(textOf(form, [['names'], { kind: 'include' }])).toBe('{"names":[]}');
    expect(faultsOf(form, add)).toEqual(['/names/0: required']);
  });
});

describe('unions and alternates', () => {
  const form = formWith({
    arguments: {
      ...object({ driver: 'Driver', 'node-name?': 'str' }),
      ...{ tag: 'driver', variants: { qcow2: 'Format', file: 'File', nbd: 'Nbd' } },
    },
    Driver: { kind: 'enum', values: ['qcow2', 'raw', 'file', 'nbd', 'null'] },
    Format: object({ file: 'Ref', 'size?': 'int' }),
    File: object({ filename: 'str', 'size?': 'int' }),
    Nbd: { ...object({ type: 'Kind' }), ...{ tag: 'type', variants: { inet: 'Inet' } } },
    Kind: { kind: 'enum', values: ['inet', 'fd'] },
    Inet: object({ host: 'str' }),
    Ref: { kind: 'alternate', types: ['arguments', 'str'] },
  });

  it('show the fields of the chosen branch, at any depth', () => {
    expect(namesOf(form, blankObject)).toEqual(['driver', 'node-name']);
    expect(namesOf(form, filled(form, [['driver'], choose('null')]))).toEqual(['driver', 'node-name']);
    const nbd: Step[] = [
      [['driver'], choose('nbd')],
      [['type'], choose('inet')],
    ];
    expect(namesOf(form, filled(form, ...nbd))).toEqual(['driver', 'node-name', 'type', 'host']);
  });

  it('nest themselves', () => {
    const steps: Step[] = [
      [['driver'], choose('qcow2')],
      [['file'], { kind: 'take-branch', branch: 0 }],
      [['file', 'driver'], choose('file')],
      [['file', 'filename'], write('/a')],
    ];
    expect(textOf(form, ...steps)).toBe('{"driver":"qcow2","file":{"driver":"file","filename":"/a"}}');
    expect(textOf(form, ...steps, [['file'], { kind: 'take-branch', branch: 1 }], [['file'], write('node0')])).toBe(
      '{"driver":"qcow2","file":"node0"}',
    );
    expect(faultsOf(form, ...steps, [['file'], { kind: 'take-branch', branch: undefined }])).toEqual([
      '/file: choose what it is',
    ]);
  });

  it('keep what another branch has too', () => {
    const steps: Step[] = [
      [['node-name'], write('n')],
      [['driver'], choose('qcow2')],
      [['size'], write('1')],
      [['file'], { kind: 'take-branch', branch: 1 }],
      [['driver'], choose('file')],
      [['filename'], write('/a')],
    ];
    expect(textOf(form, ...steps)).toBe('{"driver":"file","node-name":"n","filename":"/a","size":1}');
    expect(textOf(form, ...steps, [['driver'], choose('null')])).toBe('{"driver":"null","node-name":"n"}');
  });
});

describe('open arguments', () => {
  const form = formWith({ arguments: object({ driver: 'str', 'id?': 'str' }) }, { open: true });

  it('are sent as text or as JSON', () => {
    const open = [
      { key: 0, name: 'addr', as: 'text', text: '0x5' },
      { key: 1, name: 'queues', as: 'json', text: ' 4 ' },
    ] as const;
    expect(textOf(form, [['driver'], write('virtio-net-pci')], [[], { kind: 'set-open', open }])).toBe(
      '{"driver":"virtio-net-pci","addr":"0x5","queues":4}',
    );
    const wrong = [
      { key: 0, name: 'a', as: 'json', text: 'x' },
      { key: 1, name: '', as: 'text', text: '' },
    ] as const;
    expect(faultsOf(form, [['driver'], write('d')], [[], { kind: 'set-open', open: wrong }])).toEqual([
      '/a: not JSON: a text needs quotes, or to be sent as text',
      ': a property has no name',
    ]);
  });

  it('come back from arguments', () => {
    const text = '{"driver":"d","mac":"52:54:00:00:00:01","romfile":"","bootindex":9007199254740993}';
    expect(argumentsOf(form, stateOf(form, readJson(text))).text).toBe(text);
  });
});

describe('a hostile schema', () => {
  it('may require itself without end', () => {
    const form = formWith({ arguments: object({ next: 'arguments' }) });
    expect(faultsOf(form)).toEqual([`${'/next'.repeat(64)}: nested too deeply`]);
    const wide = formWith({ arguments: object({ a: 'arguments', b: 'arguments', c: '[arguments]' }) });
    expect(argumentsOf(wide, blankObject).faults.length).toBe(200);
  });

  it('may have a variant that is its own union, members of any name, and types that nobody explains', () => {
    const form = formWith({
      arguments: {
        ...object({ type: 'Kind', ['__proto__?']: 'constructor', 'constructor?': 'str' }),
        ...{ tag: 'type', variants: { a: 'arguments' } },
      },
      Kind: { kind: 'enum', values: ['a', '__proto__'] },
    });
    const state = filled(form, [['type'], choose('a')], [['__proto__'], write('1')]);
    expect(namesOf(form, state)).toEqual(['type', '__proto__', 'constructor']);
    expect(argumentsOf(form, state).text).toBe('{"type":"a","__proto__":1}');
    expect(argumentsOf(form, stateOf(form, readJson('{"type":"a","__proto__":1}'))).text).toBe(
      '{"type":"a","__proto__":1}',
    );
  });

  it('has forms only for commands that it lists', () => {
    expect(formOf({ commands: [], types: {} }, 'constructor')).toBeUndefined();
  });
});
