import type { JsonSchema } from '@qmp-gateway/qapi-openapi';

/** Keywords whose value is a schema, and those that hold several. */
const single = ['items', 'additionalProperties', 'not', 'if', 'then', 'else', 'contentSchema'];
const listed = ['anyOf', 'oneOf', 'prefixItems'];
const byName = ['properties', '$defs', 'patternProperties'];

type Schema = Readonly<Record<string, unknown>>;

/**
 * A schema that takes no member which it does not name, at any depth. A published document leaves objects open, so that
 * members can be added; here an answer with a member that nobody declared is a fault.
 */
export function closed(schema: JsonSchema): JsonSchema {
  return closedIn(schema, false) as JsonSchema;
}

function closedIn(schema: unknown, isPart: boolean): unknown {
  if (typeof schema !== 'object' || schema === null) return schema;
  const given = schema as Schema;
  const made: Record<string, unknown> = { ...given };
  for (const key of single) if (key in given) made[key] = closedIn(given[key], false);
  for (const key of listed)
    if (key in given) made[key] = (given[key] as unknown[]).map((each) => closedIn(each, false));
  for (const key of byName)
    if (key in given)
      made[key] = Object.fromEntries(
        Object.entries(given[key] as Schema).map(([name, each]) => [name, closedIn(each, false)]),
      );
  // Each part of a whole names some of its members; only the whole knows them all.
  if ('allOf' in given) made['allOf'] = (given['allOf'] as unknown[]).map((each) => closedIn(each, true));
  const isOpen = given['additionalProperties'] === undefined && given['unevaluatedProperties'] === undefined;
  if (!isPart && isOpen && ('properties' in given || 'allOf' in given)) made['unevaluatedProperties'] = false;
  return made;
}
