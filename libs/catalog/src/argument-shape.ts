import type { JsonNode } from '@qmp-gateway/qapi';

/**
 * A closed description of argument values, for allow-lists: what it does not name does not match. `unquoted` is a
 * number or a boolean, `true` that value alone; a function stands for a shape that contains itself.
 */
export type Shape =
  | 'scalar'
  | 'string'
  | 'unquoted'
  | true
  | { readonly oneOf: ReadonlySet<string> }
  | { readonly like: RegExp }
  | { readonly listOf: Shape }
  | { readonly anyOf: readonly Shape[] }
  | ObjectShape
  | (() => Shape);

/** Every member must be listed; those of `required` must be there. */
export interface ObjectShape {
  readonly members: Readonly<Record<string, Shape>>;
  readonly required: readonly string[];
}

/** An object of scalars under these names, none of them required. */
export function scalars(...names: string[]): Record<string, Shape> {
  return Object.fromEntries(names.map((name) => [name, 'scalar' as const]));
}

/** A closed object. */
export function closed(members: Readonly<Record<string, Shape>>, ...required: string[]): ObjectShape {
  return { members, required };
}

export function oneOf(...values: string[]): Shape {
  return { oneOf: new Set(values) };
}

/**
 * Undefined when `node` matches, else the member names that lead to what does not. Of several alternatives the one
 * that got furthest is told: it is what the caller most likely meant.
 */
export function mismatch(shape: Shape, node: JsonNode): readonly string[] | undefined {
  if (typeof shape === 'function') return mismatch(shape(), node);
  if (shape === 'scalar') return node.kind === 'object' || node.kind === 'array' ? [] : undefined;
  if (shape === 'string') return node.kind === 'string' ? undefined : [];
  if (shape === 'unquoted') return node.kind === 'number' || node.kind === 'boolean' ? undefined : [];
  if (shape === true) return node.kind === 'boolean' && node.value ? undefined : [];
  if ('oneOf' in shape) return node.kind === 'string' && shape.oneOf.has(node.value) ? undefined : [];
  if ('like' in shape) return node.kind === 'string' && shape.like.test(node.value) ? undefined : [];
  if ('listOf' in shape) return listMismatch(shape.listOf, node);
  if ('anyOf' in shape) return alternativesMismatch(shape.anyOf, node);
  return objectMismatch(shape, node);
}

function listMismatch(shape: Shape, node: JsonNode): readonly string[] | undefined {
  if (node.kind !== 'array') return [];
  return firstDefined(node.items, (item) => mismatch(shape, item));
}

function alternativesMismatch(shapes: readonly Shape[], node: JsonNode): readonly string[] | undefined {
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

/** How well an alternative fits: a matching selector (`driver`, `type`) counts, so that its own fault is told. */
function knownBefore(shape: Shape, node: JsonNode): number {
  const target = typeof shape === 'function' ? shape() : shape;
  if (node.kind !== 'object' || typeof target !== 'object' || !('members' in target)) return 0;
  return node.members.filter(({ name, value }) => {
    const selector = Object.hasOwn(target.members, name) ? target.members[name] : undefined;
    return typeof selector === 'object' && 'oneOf' in selector && mismatch(selector, value) === undefined;
  }).length;
}

function objectMismatch(shape: ObjectShape, node: JsonNode): readonly string[] | undefined {
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
