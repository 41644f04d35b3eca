import { isRecord } from '@qmp-gateway/qapi';
// eslint-disable-next-line no-restricted-imports -- Ajv has JSON Schema 2020-12 only under this path
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { describedSettings } from './setting.js';
import { settingsSchema } from './settings-schema.js';
import { settingsType, SettingsFile } from './settings.js';
import {} from './setting-type.js';

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
ajv.addVocabulary(['patternErrorMessage']);
const accepts = ajv.compile(settingsSchema());

const faultsOf = (file: unknown) => settingsType.read(file).faults;
/** Faults that the schema must see too. */
const shapeFaultsOf = (file: unknown) => faultsOf(file).filter(({ beyondSchema }) => beyondSchema !== true);

const exampleFile = Object.fromEntries(
  [...describedSettings(SettingsFile)].map(([key, { example = '' }]) => [key, parseYaml(example) as unknown]),
);

/** Files of settings on the pages and in what is packaged: blocks of YAML, but for those of other programs. */
function documentedFiles(): [string, unknown][] {
  const pages = ['README.md', 'apps/gateway/README.md', ...markdownIn('docs'), ...markdownIn('packaging')];
  return pages.flatMap((page) => {
    const text = readFileSync(path.join(root, page), 'utf8');
    const blocks = [...text.matchAll(/```ya?ml[^\n]*\n(.*?)```/gs)].map(([, block = '']) => block);
    return blocks
      .filter((block) => !/^(?:scrape_configs|services):/m.test(block))
      .map((block): [string, unknown] => [`${page}: ${block.split('\n', 1).join('')}`, parseYaml(block)]);
  });
}

function markdownIn(folder: string): string[] {
  const files = readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' });
  return files.filter((file) => file.endsWith('.md')).map((file) => path.join(folder, file));
}

describe('the schema of the settings', () => {
  it.each(documentedFiles())('accepts what the pages show, as the loader does: %s', (_, file) => {
    expect([faultsOf(file), accepts(file)]).toEqual([[], true]);
  });

  it('is tried on pages that show settings', () => {
    expect(documentedFiles().length).toBeGreaterThan(3);
  });

  it('accepts the examples, each alone and all together', () => {
    expect([faultsOf(exampleFile), accepts(exampleFile)]).toEqual([[], true]);
    for (const [key, value] of Object.entries(exampleFile)) expect(accepts({ [key]: value })).toBe(true);
  });

  it.each<[string, unknown]>([
    ['nothing', {}],
    ['keys without a value', { listen: null, limits: { queue: null }, tls: null, auth: null, pictures: { dir: null } }],
    ['addresses', { listen: ['[::1]:65535', 'localhost:0', 'unix:/run/a', { unix: '/run/b' }, 'h:00080'] }],
    ['sizes', { limits: { bodyBytes: 0, fileBytes: '2GiB', lineBytes: '65536' } }],
    ['modes', { monitorSockets: { dir: '/run/m', mode: '660', level: 'host' } }],
    ['places of keys', { jwt: { issuer: 'i', audience: 'a', jwks: 'http://127.0.0.1:1/keys' } }],
    ['VMs', { vms: { a: { endpoint: 'listen:unix:/a', labels: { 'a/b': '' } }, b: { endpoint: 'tcp:[::1]:1' } } }],
    ['files of VMs', { vms: { a: { endpoint: 'tls:h:1', tls: { cert: 'c', key: 'k', serverName: 's' } } } }],
    ['patterns', { discover: [{ qmp: '/run/{tenant}/{id}', agent: '/run/{id}.qga' }] }],
    ['labels as scopes', { clientCertificates: [{ subject: 'CN=é', level: 'read', vms: ['label:t=😀', '*'] }] }],
  ])('accepts %s, as the loader does', (_, file) => {
    expect([faultsOf(file), accepts(file)]).toEqual([[], true]);
  });

  it.each<[string, unknown]>([
    ['no object', []],
    ['an unknown key', { lisen: [] }],
    ['an unknown key of an entry', { vms: { a: { endpoint: 'unix:/a', agnt: 1 } } }],
    ['a key that every object inherits', { limits: { toString: 1 } }],
    ['no address', { listen: [] }],
    ['a port that is too high', { listen: ['h:65536'] }],
    ['a mode that is a number', { listen: [{ unix: '/a', mode: 660 }] }],
    ['a certificate without its key', { tls: { cert: 'c' } }],
    ['a required key without a value', { tls: { cert: 'c', key: null } }],
    ['a member of an entry without a value', { vms: { a: { endpoint: 'unix:/a', agent: null } } }],
    ['a shared secret', { jwt: { issuer: 'i', audience: 'a', jwks: 'k', algorithms: ['HS256'] } }],
    ['keys from elsewhere', { jwt: { issuer: 'i', audience: 'a', jwks: 'ftp://h/keys' } }],
    ['an id with a blank', { vms: { 'a b': { endpoint: 'unix:/a' } } }],
    ['half a pair of files', { vms: { a: { endpoint: 'tls:h:1', tls: { cert: 'c' } } } }],
    ['an origin with a path', { allowedOrigins: ['https://h/p'] }],
    ['a size of another kind', { limits: { bodyBytes: '1KB' } }],
    ['a pattern without {id}', { discover: [{ qmp: '/run/x' }] }],
  ])('refuses %s, as the loader does', (_, file) => {
    expect(shapeFaultsOf(file)).not.toEqual([]);
    expect(accepts(file)).toBe(false);
  });

  it('accepts exactly what the loader finds no fault of shape in', () => {
    let [accepted, refused] = [0, 0];
    fc.assert(
      fc.property(changedFiles(), (file) => {
        const shapeFaults = shapeFaultsOf(file);
        expect(accepts(file), JSON.stringify(shapeFaults)).toBe(shapeFaults.length === 0);
        if (shapeFaults.length === 0) accepted++;
        else refused++;
      }),
      { numRuns: 2000 },
    );
    expect(Math.min(accepted, refused)).toBeGreaterThan(100);
  });
});

/** The example of each setting, changed in a few places. */
function changedFiles(): fc.Arbitrary<unknown> {
  const keys = fc.subarray(Object.keys(exampleFile), { minLength: 1, maxLength: 4 });
  const changes = fc.array(fc.tuple(fc.nat(), anyValue()), { minLength: 1, maxLength: 3 });
  return fc.tuple(keys, changes).map(([chosen, places]) => {
    let file: unknown = Object.fromEntries(chosen.map((key) => [key, exampleFile[key]]));
    for (const [at, value] of places) {
      const paths = pathsOf(file);
      file = replaced(file, paths[at % paths.length] ?? [], value);
    }
    return file;
  });
}

const removed = Symbol('removed');

function anyValue(): fc.Arbitrary<unknown> {
  const strings = [
    ...['', 'a', 'A b', '/', '/run/{id}', '/run/{a}{id}', '/{x}', 'unix:/a', `unix:/${'a'.repeat(120)}`, 'tcp:h:1'],
    ...['tcp:10.0.0.1:1', 'tls:[::]:0', 'listen:tcp:h:1', 'listen:tls:h:1', 'h:1', 'h:99999', '[::1]:1', ':1', 'x\n:1'],
    ...[
      '0660',
      '660',
      '0999',
      '64KiB',
      '1KB',
      'read',
      'boss',
      'none',
      'token',
      'https://h',
      'HTTP://h',
      'http://[',
      'x://',
    ],
    ...[
      'https://H',
      'http://localhost/',
      'CN=',
      'CN=a',
      ' CN = a,b',
      'O',
      'label:a=',
      'label:=',
      '*',
      'ES256',
      '\u{10400}',
    ],
    ...['\u{10400}'.repeat(200), 'é'.repeat(60), '\ud800', '__proto__'],
  ];
  return fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom<unknown>(...strings) },
    {
      weight: 3,
      arbitrary: fc.constantFrom<unknown>(null, true, false, 0, -1, 1, 1.5, 2 ** 53, 1e300, -0, 10_000_001),
    },
    { weight: 2, arbitrary: fc.constantFrom<unknown>([], {}, [[]], ['a', 'a'], { a: 1 }, { ['__proto__x']: 'a' }) },
    { weight: 2, arbitrary: fc.constant(removed) },
    { weight: 1, arbitrary: fc.jsonValue() },
  );
}

function pathsOf(value: unknown, at: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([key, member]) => pathsOf(member, [...at, key])), [...at, 'added']];
}

function replaced(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
  if (key === undefined) return by === removed ? {} : by;
  if (Array.isArray(value)) {
    const entries = (value as unknown[]).map((entry, at) => (String(at) === key ? replaced(entry, rest, by) : entry));
    return key === 'added' ? [...entries, by === removed ? 1 : by] : entries;
  }
  if (!isRecord(value)) return value;
  if (rest.length > 0) return { ...value, [key]: replaced(value[key], rest, by) };
  const { [key]: _, ...others } = value;
  return by === removed ? others : { ...others, [key]: by };
}
