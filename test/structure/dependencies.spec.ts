import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Which of our packages each may depend on: one way, from the apps down. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  'apps/gateway': ['qmp', 'unix-fds', 'qapi', 'qapi-openapi', 'catalog', 'fleet-protocol', 'cli'],
  'apps/console': ['client'],
  'apps/qapi-compiler': ['qapi', 'qapi-openapi', 'catalog'],
  'apps/cli': ['client'],
  'libs/qmp': [],
  'libs/fleet-protocol': [],
  'libs/unix-fds': [],
  'libs/qapi': [],
  'libs/qapi-openapi': ['qapi'],
  'libs/catalog': ['qapi'],
  'libs/client': [],
  'libs/test-kit': ['qmp', 'unix-fds'],
};
const packages = Object.keys(allowed);
const ourScope = '@qmp-gateway/';

interface Manifest {
  name: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  peerDependenciesMeta?: Record<string, { optional?: boolean }>;
  exports?: Record<string, unknown>;
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(path.join(root, folder, 'package.json'), 'utf8')) as Manifest;
}

function sourcesOf(folder: string): string[] {
  return readdirSync(path.join(root, folder, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:[cm]?ts|tsx)$/.test(name))
    .map((name) => path.join(root, folder, 'src', name));
}

/** The specifiers of static and dynamic imports and of re-exports, and of files that are taken from a package as they are. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8').replaceAll(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, '');
  const pattern =
    /(?:^|[\s;}])(?:import|export)\s(?:[^'";]*?\sfrom\s)?\s*['"]([^'"]+)['"]|\b(?:import|require\.resolve)\(\s*['"]([^'"]+)['"]/gm;
  return [...text.matchAll(pattern)].map(([, first, second]) => first ?? second ?? '');
}

/** The package a specifier names, without a path inside it. */
function packageOf(specifier: string): string {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? '');
}

/** Specs, and the scenes that several of them share. */
const isSpec = (file: string) => /\.(?:spec|scene)\.ts$/.test(file);
/** Of a package that is installed, those that it cannot do without. */
function requiredPeersOf(name: string): string[] {
  const file = path.join(root, 'node_modules', name, 'package.json');
  const { peerDependencies = {}, peerDependenciesMeta = {} } = JSON.parse(readFileSync(file, 'utf8')) as Manifest;
  return Object.keys(peerDependencies).filter((peer) => peerDependenciesMeta[peer]?.optional !== true);
}

describe('the workspace', () => {
  it('has the packages of this table and no other', () => {
    const folders = ['apps', 'libs'].flatMap((group) =>
      readdirSync(path.join(root, group)).map((name) => `${group}/${name}`),
    );
    expect(folders.filter((folder) => existsSync(path.join(root, folder, 'package.json'))).sort()).toEqual(
      [...packages].sort(),
    );
  });

  it('finds imports of every form', () => {
    expect(importsOf(fileURLToPath(import.meta.url))).toEqual(['node:fs', 'node:path', 'node:url', 'vitest']);
    const all = packages.flatMap(sourcesOf).flatMap(importsOf);
    expect(all).toContain('reflect-metadata');
    expect(all).toContain('@nestjs/common');
  });
});

describe.each(packages)('%s', (folder) => {
  const own = manifestOf(folder);
  const mayUse = (allowed[folder] ?? []).map((name) => ourScope + name);
  const product = sourcesOf(folder).filter((file) => !isSpec(file));

  it('declares dependencies one way only', () => {
    const { dependencies = {}, devDependencies = {}, peerDependencies = {} } = own;
    const ours = Object.keys({ ...dependencies, ...devDependencies, ...peerDependencies }).filter((name) =>
      name.startsWith(ourScope),
    );
    expect(mayUse).toEqual(expect.arrayContaining(ours));
  });

  it('imports only what it declares, and of ours only entries', () => {
    const declared = Object.keys(own.dependencies ?? {});
    for (const file of product)
      for (const specifier of importsOf(file)) {
        if (specifier.startsWith('.') || specifier.startsWith('node:')) continue;
        const name = packageOf(specifier);
        expect([file, declared.includes(name) ? name : `${name} is not declared`]).toEqual([file, name]);
        if (name.startsWith(ourScope))
          expect([file, specifier, mayUse]).toEqual([file, name, expect.arrayContaining([name])]);
      }
  });

  it('declares nothing that it does not use', () => {
    const declared = Object.keys(own.dependencies ?? {});
    const imported = new Set(product.flatMap(importsOf).map(packageOf));
    // NestJS leaves the version of its peers to the program.
    const peers = new Set(declared.filter((name) => imported.has(name)).flatMap(requiredPeersOf));
    expect(declared.filter((name) => !imported.has(name) && !peers.has(name))).toEqual([]);
  });

  it('reaches into no other package, neither by path nor into dist', () => {
    const inside = path.join(root, folder, 'src') + path.sep;
    for (const file of sourcesOf(folder))
      for (const specifier of importsOf(file).filter((name) => name.startsWith('.')))
        expect(path.resolve(path.dirname(file), specifier).startsWith(inside) ? inside : [file, specifier]).toBe(
          inside,
        );
  });

  it('uses the test kit in specs alone', () => {
    if (folder === 'libs/test-kit') return;
    const users = product.filter((file) => importsOf(file).includes(`${ourScope}test-kit`));
    expect(users).toEqual([]);
  });

  it('has one public entry with a header that says what it is for', () => {
    const isApp = folder.startsWith('apps/');
    const entry = readFileSync(path.join(root, folder, 'src', isApp ? 'main.ts' : 'index.ts'), 'utf8');
    expect(entry.replace(/^#!.*\n/, '').slice(0, 100)).toMatch(/^(\/\*\*|\/\/ )[^]{40,}/);
    if (!isApp) expect(Object.keys(own.exports ?? {})).toEqual(['.']);
  });

  it('knows NestJS only if it is the service', () => {
    if (folder === 'apps/gateway') return;
    const nest = sourcesOf(folder).filter((file) => importsOf(file).some((name) => name.startsWith('@nestjs/')));
    expect(nest).toEqual([]);
    expect(Object.keys(own.dependencies ?? {}).filter((name) => name.startsWith('@nestjs/'))).toEqual([]);
  });
});

describe('packages for everywhere', () => {
  it.each(['libs/qmp', 'libs/qapi', 'libs/fleet-protocol', 'libs/unix-fds'])(
    '%s has no dependencies at all',
    (folder) => {
      expect(Object.keys(manifestOf(folder).dependencies ?? {})).toEqual([]);
    },
  );

  it('libs/client uses no Node built-ins', () => {
    const product = sourcesOf('libs/client').filter((file) => !isSpec(file));
    expect(product.flatMap(importsOf).filter((name) => !name.startsWith('.'))).toEqual([]);
  });
});
