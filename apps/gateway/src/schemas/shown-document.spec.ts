/** What the page shows of a document: `assets/docs/shown-document.js`, which browsers import and nothing else does. */
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly responses: object;
  readonly parameters: readonly { readonly name: string; readonly 'x-control'?: true }[];
}
interface Shown {
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

const module: string = new URL('../../assets/docs/shown-document.js', import.meta.url).href;
const { outlineOf, partOf } = (await import(module)) as {
  outlineOf: (document: object, title: string) => Shown;
  partOf: (document: object, outline: Shown, operation: { path: string; method: string; tag: string }) => Shown;
};

const openapi = new URL('../../../../openapi/', import.meta.url);
const documents = readdirSync(openapi)
  .filter((file) => file !== 'asyncapi.json' && file.endsWith('.json'))
  .map((file) => [file, JSON.parse(readFileSync(new URL(file, openapi), 'utf8')) as Shown] as const);

describe.each(documents)('what is shown of %s', (_, document) => {
  const outline = outlineOf(document, 'title');
  const parts = Object.entries(outline.paths).flatMap(([path, item]) =>
    Object.entries(item).map(
      ([
        method,
        {
          operationId,
          tags: [tag = ''],
        },
      ]) => {
        const shown = partOf(document, outline, { path, method, tag }).paths[path]?.[method];
        return { operationId, shown, text: JSON.stringify(shown) };
      },
    ),
  );

  it('lists every operation', () => {
    const all = Object.values(document.paths).flatMap((item) => Object.values(item));
    const ids = all.flatMap(({ operationId }: Partial<Operation>) => operationId ?? []);
    expect(parts.map(({ operationId }) => operationId).sort()).toEqual(ids.sort());
    expect(JSON.stringify(outline).length).toBeLessThan(JSON.stringify(document).length / 5);
  });

  it('has of each operation all that it needs, and not more than a browser shows at once', () => {
    for (const { operationId, text } of parts) {
      expect([operationId, text.includes('"$ref":"#/')]).toEqual([operationId, false]);
      expect([operationId, text.length < 500_000]).toEqual([operationId, true]);
    }
  });

  it('has one answer for each class of problems', () => {
    for (const { operationId, shown } of parts) {
      const problems = Object.keys(shown?.responses ?? {}).filter((status) => /^[45]/.test(status));
      expect([operationId, problems.filter((status) => !/^[45]XX$/.test(status))]).toEqual([operationId, []]);
    }
  });
});

it('tells the arguments of a command from what every command takes', () => {
  const [, document] = documents.find(([file]) => file.startsWith('qemu-1')) ?? [];
  const outline = outlineOf(document ?? {}, 'title');
  const { paths } = partOf(document ?? {}, outline, { path: '/qmp/qom-list', method: 'get', tag: 'qom' });
  const parameters = paths['/qmp/qom-list']?.['get']?.parameters ?? [];
  const own = parameters.filter((parameter) => parameter['x-control'] !== true);
  expect(own.map(({ name }) => name)).toEqual(['path']);
  expect(parameters.length).toBeGreaterThan(3);
});
