import { ESLint } from 'eslint';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const gateway = path.join(root, 'apps/gateway/src');
const rule = 'boundaries/dependencies';

function sourcesIn(folder: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !/(^|\/)(dist|node_modules)\/|\.d\.ts$/.test(name))
    .map((name) => path.join(root, folder, name));
}

/** The files of ours that a file imports, for types too. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8').replaceAll(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, '');
  return [...text.matchAll(/\bfrom '(\.[^']+)'|\bimport\('(\.[^']+)'\)/g)].map(([, named, dynamic]) =>
    path.join(path.dirname(file), (named ?? dynamic ?? '').replace(/\.js$/, '.ts')),
  );
}

/** What lies on a cycle (Tarjan), one list for each. */
function cycles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (node: string): number => {
    const at = order.size;
    order.set(node, at);
    lowest.set(node, at);
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      const reached = order.has(next) ? (stack.includes(next) ? lowest.get(next) : undefined) : visit(next);
      lowest.set(node, Math.min(lowest.get(node) ?? at, reached ?? at));
    }
    if (lowest.get(node) === at) {
      const members = stack.splice(stack.indexOf(node));
      if (members.length > 1) found.push(members);
    }
    return lowest.get(node) ?? at;
  };
  for (const node of graph.keys()) if (!order.has(node)) visit(node);
  return found;
}

const files = ['apps', 'libs', 'test'].flatMap(sourcesIn);
const imports = new Map(files.map((file) => [file, importsOf(file)]));

describe('imports', () => {
  it('makes no cycle of files', () => {
    expect(files.length).toBeGreaterThan(400);
    expect(cycles(imports)).toEqual([]);
  });

  it('makes no cycle of the gateway’s folders', () => {
    const roomOf = (file: string) => {
      const [room, ...below] = path.relative(gateway, file).split(path.sep);
      return below.length === 0 ? '.' : (room ?? '.');
    };
    const rooms = new Map<string, string[]>();
    for (const file of files.filter((name) => name.startsWith(gateway) && !/\.(?:spec|scene)\.ts$/.test(name)))
      rooms.set(roomOf(file), [...(rooms.get(roomOf(file)) ?? []), ...importsOf(file).map(roomOf)]);
    expect(rooms.size).toBeGreaterThan(15);
    expect(cycles(rooms)).toEqual([]);
  });

  it('would see a cycle', () => {
    const graph = { a: ['b'], b: ['c', 'd'], c: ['b'], d: [] };
    expect(cycles(new Map(Object.entries(graph)))).toEqual([['b', 'c']]);
  });
});

describe('lint', () => {
  // Without types: only the rule of the rooms is asked.
  const eslint = new ESLint({
    cwd: root,
    overrideConfig: { languageOptions: { parserOptions: { project: null } } },
    ruleFilter: ({ ruleId }) => ruleId === rule,
  });
  const faultsOf = async (file: string, imported: string) => {
    const [result] = await eslint.lintText(`import type {} from '${imported}';\n`, {
      filePath: path.join(gateway, file),
    });
    return result?.messages.map(({ ruleId }) => ruleId);
  };

  it.each([
    ['an import upwards', 'vms/vm.ts', '../commands/command-path.js'],
    ['an import of the composition', 'http/answer.ts', '../main.js'],
    ['an import from the bottom to the top', 'settings/settings.ts', '../entrance/dispatcher.js'],
    ['one resource that imports another', 'qom/qom.controller.ts', '../keys/typist.js'],
    ['a package that it may not know', 'vms/vm.ts', '../../../../libs/client/src/index.js'],
  ])('refuses %s', async (_, file, imported) => {
    expect(await faultsOf(file, imported)).toEqual([rule]);
  });

  it.each([
    ['an import downwards', 'commands/command-path.ts', '../vms/vm.js'],
    ['a neighbour', 'vms/vm.ts', './vm-registry.js'],
    ['a resource that uses commands', 'qom/qom.controller.ts', '../commands/command-path.js'],
  ])('lets %s pass', async (_, file, imported) => {
    expect(await faultsOf(file, imported)).toEqual([]);
  });
});
