import type { SchemaCommand, SchemaTypes } from '@qmp-gateway/client';

/** Commands and types of one server, as the gateway describes them. */
export interface ServerModel {
  readonly commands: readonly SchemaCommand[];
  readonly types: SchemaTypes;
}

/** A type as a reference in the schema names it. */
export type ModelType =
  | { readonly kind: 'builtin'; readonly name: string }
  | { readonly kind: 'list'; readonly element: string }
  | SchemaTypes[string];

export type ObjectModel = Extract<SchemaTypes[string], { kind: 'object' }>;
export type MemberModel = ObjectModel['members'][number];

/** @param reference a name, or `[name]` for a list of it */
export function typeOf(types: SchemaTypes, reference: string): ModelType {
  if (reference.startsWith('[')) return { kind: 'list', element: reference.slice(1, -1) };
  return (Object.hasOwn(types, reference) ? types[reference] : undefined) ?? { kind: 'builtin', name: reference };
}

/** The object that a value of this type may be: the type itself, or the branch of an alternate. */
export function objectOf(types: SchemaTypes, reference: string): ObjectModel | undefined {
  const type = typeOf(types, reference);
  if (type.kind === 'object') return type;
  if (type.kind !== 'alternate') return undefined;
  return type.types.map((branch) => objectOf(types, branch)).find((branch) => branch !== undefined);
}

/**
 * The members of an object: those of the variant included where the tag is known.
 * @param tagValue the value given for a member, as far as it is given
 */
export function membersOf(
  types: SchemaTypes,
  object: ObjectModel,
  tagValue: (member: string) => string | undefined,
): readonly MemberModel[] {
  const { members, tag, variants } = object;
  const selected = tag === undefined ? undefined : tagValue(tag);
  const variant =
    selected !== undefined && variants !== undefined && Object.hasOwn(variants, selected)
      ? objectOf(types, variants[selected] ?? '')
      : undefined;
  return variant === undefined ? members : [...members, ...membersOf(types, variant, tagValue)];
}

/** Values that may be typed for a type: those of an enumeration, `true` and `false`. */
export function valuesOf(types: SchemaTypes, reference: string): readonly string[] {
  const type = typeOf(types, reference);
  switch (type.kind) {
    case 'enum':
      return type.values;
    case 'list':
      return valuesOf(types, type.element);
    case 'alternate':
      return type.types.flatMap((branch) => valuesOf(types, branch));
    case 'builtin':
      return type.name === 'bool' ? ['true', 'false'] : [];
    case 'object':
      return [];
  }
}
