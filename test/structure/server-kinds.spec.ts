import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundledCatalogs, isServerKind, knownCommands, serverKindNames, serverKinds } from '@qmp-gateway/catalog';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const data = path.join(root, 'libs/catalog/data');

/** Where a kind may be named besides its row, its dialect and its data: each with the reason. */
const mayNameKinds: Readonly<Record<string, string>> = {
  'libs/catalog/src/server-kinds.ts': 'the table',
  'libs/catalog/src/argument-rules.ts': 'data: the rules about arguments, by family',
  'libs/qmp/src/greeting.ts': "a member of QEMU's greeting",
  'libs/qapi-openapi/src/vm-document.ts': 'a name for the schema module of guest agents',
};

function sourcesBelow(folder: string): string[] {
  return readdirSync(path.join(root, folder), { withFileTypes: true })
    .flatMap(({ name }) => {
      const sources = path.join(folder, name, 'src');
      return readdirSync(path.join(root, sources), { recursive: true, encoding: 'utf8' }).map((file) =>
        path.join(sources, file),
      );
    })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts') && !file.endsWith('.scene.ts'))
    .filter((file) => !file.startsWith('libs/test-kit/') && !file.includes('/generated/'));
}

const code = (file: string) => readFileSync(path.join(root, file), 'utf8').replaceAll(/\/\*[^]*?\*\/|\/\/.*$/gm, '');

/** The values that a column of one of our tables has. */
function valuesOf(table: string, column: string): Set<string> {
  const lines = readFileSync(path.join(data, table), 'utf8').split('\n');
  const [header = '', ...rows] = lines.filter((line) => line !== '' && !line.startsWith('#'));
  const at = header.split('\t').indexOf(column);
  return new Set(rows.map((row) => row.split('\t')[at] ?? ''));
}

const tables = readdirSync(data).filter((file) => file.endsWith('.tsv'));
const tablesByKind = tables.filter((file) =>
  /^(?:.*\t)?kind(?:\t|$)/m.test(readFileSync(path.join(data, file), 'utf8')),
);
const dialects = new Set(
  readdirSync(path.join(root, 'libs/qmp/src/dialects'))
    .filter((file) => !['dialect.ts', 'dialects.ts'].includes(file))
    .map((file) => path.basename(file, '.ts')),
);
const names = new Set(serverKindNames.flatMap((kind) => [kind, serverKinds[kind].family, serverKinds[kind].dialect]));

describe('a kind of server', () => {
  it('is named in its row, its dialect and its data, and nowhere else', () => {
    const sources = ['libs', 'apps'].flatMap(sourcesBelow);
    expect(sources.length).toBeGreaterThan(300);
    const naming = sources.filter((file) =>
      [...code(file).matchAll(/['"`]([a-z-]+)['"`]/g)].some(([, text = '']) => names.has(text)),
    );
    const strays = naming.filter((file) => !(file in mayNameKinds) && !file.startsWith('libs/qmp/src/dialects/'));
    expect(strays).toEqual([]);
    expect(Object.keys(mayNameKinds).filter((file) => !naming.includes(file))).toEqual([]);
  });

  it.each(serverKindNames)('%s has a dialect, commands, and a catalog of its own', (kind) => {
    expect(dialects).toContain(serverKinds[kind].dialect);
    expect(tables).toContain(`commands-${serverKinds[kind].family}.tsv`);
    expect(knownCommands(kind).length).toBeGreaterThan(10);
    const catalogs = bundledCatalogs().filter((catalog) => catalog.kind === kind);
    expect(new Set(catalogs.map(({ name }) => name))).toEqual(new Set([serverKinds[kind].product]));
  });

  it('is one of the table wherever a table of data names one', () => {
    expect(serverKindNames.map((kind) => serverKinds[kind].family).filter((family) => !isServerKind(family))).toEqual(
      [],
    );
    expect(tablesByKind.length).toBeGreaterThan(5);
    for (const table of tablesByKind)
      expect([table, [...valuesOf(table, 'kind')].filter((kind) => !isServerKind(kind))]).toEqual([table, []]);
  });
});
