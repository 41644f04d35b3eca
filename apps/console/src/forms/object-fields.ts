import { blankState, type FieldState, type ObjectState } from './field-state.js';
import type { MemberType, ObjectFieldType, TypeTable } from './field-types.js';

/** A member of an object as its form shows it. */
export interface FormField extends MemberType {
  /** It decides which fields follow it. */
  readonly isTag: boolean;
}

/**
 * The fields of an object, in order: its members, then those of the variant that its tag selects, then (if that is a
 * union too) those of its variant, and so on.
 */
export function formFields(types: TypeTable, type: ObjectFieldType, state: ObjectState): readonly FormField[] {
  const fields = new Map<string, FormField>();
  const seen = new Set<ObjectFieldType>();
  let next: ObjectFieldType | undefined = type;
  // A peer's schema may have a variant that leads back to its union; it adds nothing the second time.
  while (next !== undefined && !seen.has(next)) {
    seen.add(next);
    for (const member of next.members) {
      if (!fields.has(member.name)) fields.set(member.name, { ...member, isTag: member.name === next.tag });
    }
    next = chosenVariant(types, next, state);
  }
  return [...fields.values()];
}

function chosenVariant(types: TypeTable, type: ObjectFieldType, state: ObjectState): ObjectFieldType | undefined {
  const tag = type.members.find(({ name }) => name === type.tag);
  if (tag === undefined) return undefined;
  const value = stateOfMember(types, tag, state);
  const name = value?.kind === 'chosen' && value.value !== undefined ? type.variants.get(value.value) : undefined;
  const variant = name === undefined ? undefined : types.typeOf(name);
  return variant?.kind === 'object' ? variant : undefined;
}

/** What is filled in for a member; undefined if it is left out. */
export function stateOfMember(
  types: TypeTable,
  { name, type, optional }: MemberType,
  state: ObjectState,
): FieldState | undefined {
  return state.members.get(name) ?? (optional ? undefined : blankState(types.typeOf(type)));
}
