import { mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeCatalog } from '@qmp-gateway/catalog';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCompiler } from './command-line.js';

const SCHEMA = `
##
# @Speed:
#
# How fast.
#
# @slow: takes its time
#
# Since: 3.0
##
{ 'enum': 'Speed', 'data': [ 'slow' ] }

##
# @x-run:
#
# Run, as fast
# as said.
#
# @speed: how fast
#
# Since: 3.1
##
{ 'command': 'x-run', 'data': { '*speed': 'Speed' } }

##
# @RAN:
#
# It ran.
#
# Since: 2.11
##
{ 'event': 'RAN', 'data': { 'metres': 'uint32' } }
`;

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'qapi-compiler-'))));
afterEach(() => rmSync(directory, { recursive: true }));

const path = (name: string): string => join(directory, name);
const read = (name: string): string => readFileSync(path(name), 'utf8');

function run(...args: string[]): { code: number; out: string; err: string } {
  let [out, err] = ['', ''];
  const code = runCompiler(args, { out: (text) => (out += text), err: (text) => (err += text) });
  return { code, out, err };
}

function build(...more: string[]): ReturnType<typeof run> {
  return run('build', '--schema', path('schema.json'), '--out', path('catalog.json'), ...more);
}

describe('build', () => {
  beforeEach(() => writeFileSync(path('schema.json'), SCHEMA));

  it('writes the catalog of a schema', () => {
    expect(build('--name', 'ours', '--version', '3.1.4')).toEqual({ code: 0, out: '', err: '' });
    const { meta, model, docs } = decodeCatalog(read('catalog.json'), 'catalog.json');
    expect(meta).toMatchObject({ name: 'ours', version: '3.1.4', kind: 'qemu', greeting: { version: '3.1.4' } });
    expect(model.commands.get('x-run')).toMatchObject({ since: '3.1', arguments: { members: [{ name: 'speed' }] } });
    expect(model.events.get('RAN')).toMatchObject({ since: '2.11' });
    expect([...docs]).toEqual([]);
    expect(read('catalog.json')).not.toContain('takes its time');
  });

  it('takes the newest release the schema names', () => {
    expect(build().code).toBe(0);
    expect(decodeCatalog(read('catalog.json'), '').meta).toMatchObject({
      name: 'qemu',
      version: '3.1',
      greeting: { version: '3.1.0' },
    });
  });

  it.each([
    ["{ 'command': 'guest-ping' }", 'guest-agent', 'qemu-ga'],
    ["{ 'command': 'blockdev-add' }", 'storage-daemon', 'qemu-storage-daemon'],
    ["{ 'command': 'blockdev-add' } { 'command': 'query-status' }", 'qemu', 'qemu'],
  ])('tells from %s that it is of a %s', (text, kind, name) => {
    writeFileSync(path('schema.json'), text);
    expect(build('--version', '1.0').code).toBe(0);
    expect(decodeCatalog(read('catalog.json'), '').meta).toMatchObject({ kind, name });
  });

  it('asks for the release where the schema names none', () => {
    writeFileSync(path('schema.json'), "{ 'command': 'x' }");
    expect(build()).toMatchObject({ code: 1, err: expect.stringContaining('--version') });
  });

  it('keeps documentation when told so', () => {
    expect(build('--with-docs').code).toBe(0);
    const { model, docs } = decodeCatalog(read('catalog.json'), '');
    expect(docs.get('Speed')).toBe('How fast.\n\n@slow: takes its time\n\nSince: 3.0');
    expect(model.commands.get('x-run')?.summary).toBe('Run, as fast as said.');
    expect(model.events.get('RAN')?.summary).toBe('It ran.');
  });

  it('leaves a file alone that would not change', () => {
    build();
    const before = new Date(1_000_000);
    utimesSync(path('catalog.json'), before, before);
    build();
    expect(statSync(path('catalog.json')).mtime).toEqual(before);
    build('--with-docs');
    expect(statSync(path('catalog.json')).mtime).not.toEqual(before);
  });

  it('tells what is wrong with a schema, with the includes', () => {
    writeFileSync(path('schema.json'), "{ 'include': 'part.json' }");
    writeFileSync(path('part.json'), "\n{ 'command': 'x', 'returns': 'int' }");
    const { code, err } = build();
    expect(code).toBe(1);
    expect(err).toContain(`In file included from ${path('schema.json')}:1:\n${path('part.json')}:2: in command 'x': `);
    expect(() => read('catalog.json')).toThrow();
  });

  it('tells that there is no such schema', () => {
    expect(run('build', '--schema', path('none.json'), '--out', path('x'))).toMatchObject({
      code: 1,
      err: expect.stringContaining(path('none.json')),
    });
  });

  it('tells that it cannot write', () => {
    expect(run('build', '--schema', path('schema.json'), '--out', path('no/x'))).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^qapi-compiler: .*no\/x/),
    });
  });
});

describe('documents of a catalog', () => {
  beforeEach(() => {
    writeFileSync(path('schema.json'), SCHEMA);
    build();
  });

  it('describe its commands', () => {
    writeFileSync(path('problems.json'), '[{"code":"vm-not-ready","status":503,"title":"The VM is not ready"}]');
    const args = ['openapi', '--catalog', path('catalog.json'), '--out', path('out.json')];
    expect(run(...args, '--problems', path('problems.json'))).toEqual({ code: 0, out: '', err: '' });
    const document = JSON.parse(read('out.json'));
    expect(document).toMatchObject({ openapi: '3.1.0', info: { version: '3.1' } });
    expect(Object.keys(document.paths)).toEqual(['/qmp/x-run']);
    expect(document.paths['/qmp/x-run'].post).toMatchObject({ 'x-qapi-since': '3.1', 'x-qapi-class': 'host' });
    expect(read('out.json')).toContain('vm-not-ready');
  });

  it('are types for TypeScript', () => {
    expect(run('types', '--catalog', path('catalog.json'), '--out', path('out.ts')).code).toBe(0);
    expect(read('out.ts')).toMatch(/export type Speed =/);
  });

  it('are refused for a damaged catalog, by name', () => {
    writeFileSync(path('catalog.json'), read('catalog.json').slice(0, 100));
    expect(run('types', '--catalog', path('catalog.json'), '--out', path('out.ts'))).toMatchObject({
      code: 1,
      err: expect.stringContaining(path('catalog.json')),
    });
  });

  it('are refused for problems that are none', () => {
    writeFileSync(path('problems.json'), '[{"code":1}]');
    expect(
      run('openapi', '--catalog', path('catalog.json'), '--out', path('x'), '--problems', path('problems.json')),
    ).toMatchObject({ code: 1, err: expect.stringContaining('problems.json') });
  });
});

describe('usage', () => {
  it.each([
    ['no command', []],
    ['an unknown command', ['compile']],
    ['a missing option', ['build', '--schema', 'x']],
    ['an unknown option', ['build', '--schema', 'x', '--out', 'y', '--fast']],
    ['an unknown kind', ['build', '--schema', 'x', '--out', 'y', '--kind', 'vmware']],
  ])('is told for %s, with code 2', (_, args: string[]) => {
    const { code, out, err } = run(...args);
    expect([code, out]).toEqual([2, '']);
    expect(err).not.toBe('');
  });

  it('is printed when asked for', () => {
    const { code, out, err } = run('build', '--help');
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('--with-docs');
  });
});
