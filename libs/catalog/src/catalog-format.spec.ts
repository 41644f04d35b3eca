import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileSchema, type QapiModel } from '@qmp-gateway/qapi';
import {
  bundledCatalogs,
  catalogFormat,
  CatalogError,
  decodeCatalog,
  encodeCatalog,
  type CatalogMeta,
} from './index.js';
import { dataFile } from './data-file.js';

const meta: CatalogMeta = {
  format: catalogFormat,
  name: 'ours',
  version: '1.2.3',
  kind: 'qemu',
  greeting: { package: 'ours-', version: '1.2.3' },
  source: 'a test',
};

/** Everything the language has, once. */
const everything = `
{ 'pragma': { 'command-returns-exceptions': [ 'answer' ] } }
{ 'enum': 'Colour', 'data': [ 'red', { 'name': 'green', 'if': 'GREEN', 'features': [ 'deprecated' ] } ],
  'if': { 'any': [ 'A', { 'all': [ 'B', { 'not': 'C' } ] } ] } }
{ 'struct': 'Base', 'data': { 'id': 'str', '*size': 'size' } }
{ 'struct': 'Derived', 'base': 'Base',
  'data': { '*list': [ 'uint8' ], 'more': { 'type': 'Derived2', 'if': 'M', 'features': [ 'unstable', 'named' ] } } }
{ 'struct': 'Derived2', 'base': 'Base', 'data': { '*again': 'Derived2', 'any': 'any', 'nothing': 'null' },
  'features': [ { 'name': 'f', 'if': 'F' } ] }
{ 'union': 'Choice', 'base': { 'kind': 'Colour', '*note': 'str' }, 'discriminator': 'kind',
  'data': { 'red': 'Derived2', 'green': { 'type': 'Base2', 'if': 'GREEN' } } }
{ 'struct': 'Base2', 'data': { 'other': 'int' } }
{ 'union': 'Named', 'base': 'Selector', 'discriminator': 'kind', 'data': { 'red': 'Base2' } }
{ 'struct': 'Selector', 'data': { 'kind': 'Colour' } }
{ 'alternate': 'Either', 'data': { 'count': 'int', 'object': 'Base', 'flag': { 'type': 'bool', 'if': 'X' } } }
{ 'command': 'do-it', 'data': { 'either': 'Either', '*many': [ 'Choice' ] }, 'returns': [ 'Named' ] }
{ 'command': 'boxed-one', 'data': 'Choice', 'boxed': true, 'allow-oob': true, 'allow-preconfig': true }
{ 'command': 'struct-one', 'data': 'Base', 'gen': false, 'success-response': false, 'features': [ 'deprecated' ] }
{ 'command': 'slow', 'coroutine': true, 'if': 'SLOW', 'data': { 'x': 'Colour' } }
{ 'command': 'answer', 'returns': 'int64' }
{ 'event': 'HAPPENED', 'data': { 'what': 'Either' }, 'if': 'EVENTS' }
{ 'event': 'BOXED', 'data': 'Choice', 'boxed': true }
{ 'event': 'PLAIN' }
`;

function modelOf(text: string): QapiModel {
  return compileSchema('all.json', { read: () => text }).model;
}

describe('encodeCatalog', () => {
  it('keeps all a model says of a schema that uses the whole language', () => {
    const model = modelOf(everything);
    const decoded = decodeCatalog(encodeCatalog(model, meta), 'x.json');
    expect(decoded.meta).toEqual(meta);
    expect(Object.fromEntries(decoded.model.types)).toEqual(Object.fromEntries(model.types));
    expect(Object.fromEntries(decoded.model.commands)).toEqual(Object.fromEntries(model.commands));
    expect(Object.fromEntries(decoded.model.events)).toEqual(Object.fromEntries(model.events));
  });

  it('writes the same bytes whatever the order of definitions', () => {
    const [first = '', ...rest] = everything.trim().split(/\n(?=\{)/);
    const turned = [first, ...rest.reverse()].join('\n');
    expect(encodeCatalog(modelOf(turned), meta)).toBe(encodeCatalog(modelOf(everything), meta));
  });

  it('shares types: a cycle ends where it began', () => {
    const { model } = decodeCatalog(encodeCatalog(modelOf(everything), meta), 'x.json');
    const type = model.types.get('Derived2');
    expect(type?.kind === 'object' && type.members.find(({ name }) => name === 'again')?.type === type).toBe(true);
  });

  it('keeps documentation only when told to', () => {
    const docs = new Map([['do-it', 'Their own words.']]);
    expect(decodeCatalog(encodeCatalog(modelOf(everything), meta, { docs }), 'x.json').docs).toEqual(docs);
    expect(decodeCatalog(encodeCatalog(modelOf(everything), meta), 'x.json').docs.size).toBe(0);
  });

  it('takes summaries from our own tables, and keeps others', () => {
    const model = modelOf(`{ 'command': 'stop' } { 'command': 'own' }`);
    const own = model.commands.get('own')!;
    const summarized = { ...model, commands: new Map(model.commands).set('own', { ...own, summary: 'Ours' }) };
    const { commands } = decodeCatalog(encodeCatalog(summarized, meta), 'x.json').model;
    expect(commands.get('stop')?.summary).toBe('Pause the VM');
    expect(commands.get('own')?.summary).toBe('Ours');
  });

  it.each(bundledCatalogs().map(({ file }) => file))('gives %s its canonical form', (file) => {
    const text = readFileSync(dataFile(file), 'utf8');
    const { model, meta: itsMeta } = decodeCatalog(text, file);
    expect(encodeCatalog(model, itsMeta) === text).toBe(true);
  });
});

describe('decodeCatalog', () => {
  const text = encodeCatalog(modelOf(everything), meta);
  const damaged = (find: string | RegExp, put: string): string => {
    const result = text.replace(find, put);
    expect(result).not.toBe(text);
    return result;
  };

  it.each([
    ['another format', damaged('"format":1', '"format":2'), 'catalog format 2 is not known here'],
    ['no format', damaged('"format":1,', ''), 'catalog format none'],
    ['a cut', text.slice(0, -20), 'not JSON'],
    ['no catalog at all', '[]', 'expected an object'],
    ['an unknown kind', damaged('"kind":"qemu"', '"kind":"xen"'), "'kind' must be one of"],
    ['no version', damaged('"version":"1.2.3",', ''), "'version' is missing"],
    ['a dangling member', damaged('"either":"Either"', '"either":"Gone"'), "unknown type 'Gone'"],
    ['a dangling array', damaged('"[Choice]"', '"[Gone]"'), "unknown type 'Gone'"],
    ['a dangling base', damaged('"base":"Base"', '"base":"Gone"'), "'Gone' is not an object type"],
    ['a dangling case', damaged('"red":"Base2"', '"red":"Gone"'), "'Gone' is not an object type"],
    ['dangling arguments', damaged('"arguments":"Choice"', '"arguments":"Colour"'), "'Colour' is not an object type"],
    ['a case that is no value', damaged('"red":"Base2"', '"blue":"Base2"'), "case 'blue' is not a value of 'Colour'"],
    ['a tag that is no member', damaged('"tag":"kind"', '"tag":"sort"'), "tag 'sort' is not a member"],
    ['cases without a tag', damaged('"tag":"kind",', ''), "'cases' needs a 'tag'"],
    ['a base that is its own', damaged('"Base":{', '"Base":{"base":"Derived",'), 'is its own base'],
    ['a member twice', damaged('"members":{"list?"', '"members":{"id":"str","list?"'), "member 'id' occurs twice"],
    ['a built-in redefined', damaged('"Base2":{', '"int":{'), 'is a built-in type'],
    ['a type of no kind', damaged('"Selector":{', '"Odd":{},"Selector":{'), "needs 'enum', 'alternate' or 'members'"],
    ['a bad flag', damaged('"oob":true', '"oob":"yes"'), "'oob' must be true or false"],
    ['a bad condition', damaged('"if":"SLOW"', '"if":{"or":["SLOW"]}'), "'if' is not a condition"],
    ['a bad feature', damaged('"features":["unstable"', '"features":[7'), 'expected an object'],
    [
      'documentation that is no text',
      damaged('"types":', '"docs":{"x":7},"types":'),
      "documentation of 'x' must be a string",
    ],
    ['a member nobody knows', damaged('"oob":true', '"oop":true'), "unexpected member 'oop'"],
  ])('refuses %s by name of the file', (_title, broken, problem) => {
    const decode = (): unknown => decodeCatalog(broken, 'broken.json');
    expect(decode).toThrow(CatalogError);
    expect(decode).toThrow('broken.json: ');
    expect(decode).toThrow(problem);
  });

  it('ends any damage in a catalog or a CatalogError', () => {
    const damage = fc.tuple(fc.nat(text.length), fc.nat(40), fc.string({ maxLength: 4 }));
    fc.assert(
      fc.property(damage, ([at, length, put]) => {
        const broken = text.slice(0, at) + put + text.slice(at + length);
        try {
          decodeCatalog(broken, 'broken.json');
        } catch (error) {
          expect(error).toBeInstanceOf(CatalogError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
