import type { JsonNode } from '@qmp-gateway/qapi';

/**
 * A closed description of argument values, for allow-lists: what it does not name does not match. `unquoted` is a
 * number or a boolean, `true` that value alone; a function is for a shape that contains itself.
 */
export type ArgumentShape =
  | 'scalar'
  | 'string'
  | 'unquoted'
  | true
  | { readonly oneOfTexts: ReadonlySet<string> }
  | { readonly like: RegExp }
  | { readonly listOf: ArgumentShape }
  | { readonly anyOf: readonly ArgumentShape[] }
  | ObjectArgumentShape
  | (() => ArgumentShape);

/** Every member must be listed; those of `required` must be present. */
export interface ObjectArgumentShape {
  readonly members: Readonly<Record<string, ArgumentShape>>;
  readonly required: readonly string[];
}

/** An object of scalars under these names, none of them required. */
export function scalars(...names: string[]): Record<string, ArgumentShape> {
  return Object.fromEntries(names.map((name) => [name, 'scalar' as const]));
}

/** A closed object. */
export function closed(members: Readonly<Record<string, ArgumentShape>>, ...required: string[]): ObjectArgumentShape {
  return { members, required };
}

export function oneOfTexts(...values: string[]): ArgumentShape {
  return { oneOfTexts: new Set(values) };
}

/**
 * Undefined if `node` matches, otherwise the member names that lead to the mismatch. Of several alternatives the one
 * that matches furthest is reported, because the caller most likely meant it.
 */
export function mismatch(shape: ArgumentShape, node: JsonNode): readonly string[] | undefined {
  if (typeof shape === 'function') return mismatch(shape(), node);
  if (shape === 'scalar') return node.kind === 'object' || node.kind === 'array' ? [] : undefined;
  if (shape === 'string') return node.kind === 'string' ? undefined : [];
  if (shape === 'unquoted') return node.kind === 'number' || node.kind === 'boolean' ? undefined : [];
  if (shape === true) return node.kind === 'boolean' && node.value ? undefined : [];
  if ('oneOfTexts' in shape) return node.kind === 'string' && shape.oneOfTexts.has(node.value) ? undefined : [];
  if ('like' in shape) return node.kind === 'string' && shape.like.test(node.value) ? undefined : [];
  if ('listOf' in shape) return listMismatch(shape.listOf, node);
  if ('anyOf' in shape) return alternativesMismatch(shape.anyOf, node);
  return objectMismatch(shape, node);
}

function listMismatch(shape: ArgumentShape, node: JsonNode): readonly string[] | undefined {
  if (node.kind !== 'array') return [];
  return firstDefined(node.items, (item) => mismatch(shape, item));
}

function alternativesMismatch(shapes: readonly ArgumentShape[], node: JsonNode): readonly string[] | undefined {
  let furthest: readonly string[] = [];
  let best = -1;
  for (const shape of shapes) {
    const path = mismatch(shape, node);
    if (path === undefined) return undefined;
    const known = knownBefore(shape, node);
    if (known > best) {
      best = known;
      furthest = path;
    }
  }
  return furthest;
}

/**
 * How well an alternative matches: a matching selector (`driver`, `type`) counts, so that its own mismatch is reported.
 */
function knownBefore(shape: ArgumentShape, node: JsonNode): number {
  const target = typeof shape === 'function' ? shape() : shape;
  if (node.kind !== 'object' || typeof target !== 'object' || !('members' in target)) return 0;
  return node.members.filter(({ name, value }) => {
    const selector = Object.hasOwn(target.members, name) ? target.members[name] : undefined;
    return typeof selector === 'object' && 'oneOfTexts' in selector && mismatch(selector, value) === undefined;
  }).length;
}

function objectMismatch(shape: ObjectArgumentShape, node: JsonNode): readonly string[] | undefined {
  if (node.kind !== 'object') return [];
  const missing = shape.required.find((name) => node.members.every((member) => member.name !== name));
  if (missing !== undefined) return [missing];
  return firstDefined(node.members, ({ name, value }) => {
    const memberShape = Object.hasOwn(shape.members, name) ? shape.members[name] : undefined;
    if (memberShape === undefined) return [name];
    const path = mismatch(memberShape, value);
    return path && [name, ...path];
  });
}

function firstDefined<Item, Result>(
  items: readonly Item[],
  find: (item: Item) => Result | undefined,
): Result | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
