import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

const typeOfBoth = 'of a setting and of a member of a request: two readers, as docs/decisions/declarations.md tells';

/** Names that more than one file exports, each for the same thing, with the reason why it is written again. */
const sameThing: Readonly<Record<string, string>> = {
  JsonSchema: 'settings and documents: neither depends on the other',
  Level: 'the package of documents depends on no gateway',
  Operation: 'OpenAPI calls its own so',
  Tag: 'OpenAPI calls it so',
  ...Object.fromEntries(
    ['below', 'wholeNumber', 'list', 'mapOf', 'text', 'duration'].map((name) => [name, typeOfBoth]),
  ),
};

/** Files that may be read together: each of these programs for users depends on the client alone, not on the others. */
const programs = [['apps/cli/'], ['apps/console/'], ['apps/gateway/', 'apps/qapi-compiler/', 'libs/']];

/** Of what others import: the client, which depends on nothing, has types of the same names as what it describes. */
const isConsidered = (file: string): boolean =>
  file.endsWith('.ts') && !/\.(?:spec|scene)\.ts$|\/generated\/|^libs\/(?:client|test-kit)\//.test(file);

function exportedNames(file: string): string[] {
  const text = readFileSync(path.join(root, file), 'utf8');
  return [...text.matchAll(/^export (?:abstract )?(?:async )?(?:class|interface|type|function|const) (\w+)/gm)].map(
    ([, name = '']) => name,
  );
}

it('a name that is exported stands for one thing', () => {
  const files = ['apps', 'libs']
    .flatMap((folder) => readdirSync(path.join(root, folder)).map((name) => path.join(folder, name, 'src')))
    .flatMap((folder) =>
      readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) =>
        path.join(folder, file),
      ),
    )
    .filter(isConsidered);
  const places = new Map<string, Set<string>>();
  for (const file of files)
    for (const name of exportedNames(file)) places.set(name, (places.get(name) ?? new Set()).add(file));
  expect(places.size).toBeGreaterThan(1000);
  const twice = programs.flatMap((folders) =>
    [...places]
      .map(
        ([name, where]) =>
          [name, [...where].filter((file) => folders.some((folder) => file.startsWith(folder)))] as const,
      )
      .filter(([name, where]) => where.length > 1 && !(name in sameThing)),
  );
  expect(twice).toEqual([]);
  expect(Object.keys(sameThing).filter((name) => (places.get(name)?.size ?? 0) < 2)).toEqual([]);
});
