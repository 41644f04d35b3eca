import type { OpenApiDocument, PathItem } from '@qmp-gateway/qapi-openapi';

type Section = keyof OpenApiDocument['components'];

/** A document with some of its commands, and what these refer to. */
export function cutDocument(document: OpenApiDocument, commands: readonly string[]): OpenApiDocument {
  const wanted = new Set(commands);
  const paths = Object.fromEntries(
    Object.entries(document.paths).filter(([route]) => wanted.has(route.split('/').at(-1) ?? '')),
  );
  const references = referencesFrom(document, paths);
  const kept = (section: Section): object =>
    Object.fromEntries(
      Object.entries(document.components[section]).filter(([name]) =>
        references.has(`#/components/${section}/${name}`),
      ),
    );
  const tags = new Set(Object.values(paths).flatMap(tagsOf));
  return {
    ...document,
    tags: document.tags.filter(({ name }) => tags.has(name)),
    paths,
    components: {
      ...({
        schemas: kept('schemas'),
        responses: kept('responses'),
        parameters: kept('parameters'),
        headers: kept('headers'),
      } as OpenApiDocument['components']),
      securitySchemes: document.components.securitySchemes,
    },
  };
}

function tagsOf({ get, post }: PathItem): string[] {
  return [get, post].flatMap((operation) => operation?.tags ?? []);
}

function referencesFrom({ components }: OpenApiDocument, root: unknown): Set<string> {
  const found = new Set<string>();
  const pending = [root];
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, inner] of Object.entries(value) as [string, unknown][]) {
      if (key !== '$ref' || typeof inner !== 'string') pending.push(inner);
      else if (!found.has(inner)) {
        found.add(inner);
        const [, , section, name] = inner.split('/') as [string, string, Section, string];
        pending.push(components[section][name]);
      }
    }
  }
  return found;
}
