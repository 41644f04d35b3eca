import type { Condition, EnumValue, Feature } from '../model.js';
import type { DocComment } from './doc-comment.js';
import type { Position } from './position.js';

/** Definitions as the source has them, each part checked on its own; names are not resolved yet. */

/** The name of a type, or of the element type of an array. */
export type TypeReference = string | { readonly arrayOf: string };

interface DefinitionBase {
  readonly name: string;
  readonly position: Position;
  readonly doc: DocComment | undefined;
  readonly if?: Condition;
  readonly features: readonly Feature[];
}

export interface SourceMember {
  readonly name: string;
  readonly optional: boolean;
  readonly type: TypeReference;
  readonly if?: Condition;
  readonly features: readonly Feature[];
}

/** A case of a union or of an alternate. */
export interface SourceBranch<Type extends TypeReference = TypeReference> {
  readonly name: string;
  readonly type: Type;
  readonly if?: Condition;
}

/** Inline members, or the name of a type that has them. */
export type MembersOrType = string | readonly SourceMember[];

export interface EnumDefinition extends DefinitionBase {
  readonly kind: 'enum';
  readonly values: readonly EnumValue[];
}

export interface StructDefinition extends DefinitionBase {
  readonly kind: 'struct';
  readonly base: string | undefined;
  readonly members: readonly SourceMember[];
}

export interface UnionDefinition extends DefinitionBase {
  readonly kind: 'union';
  readonly base: MembersOrType;
  readonly discriminator: string;
  readonly branches: readonly SourceBranch<string>[];
}

export interface AlternateDefinition extends DefinitionBase {
  readonly kind: 'alternate';
  readonly branches: readonly SourceBranch[];
}

export interface CommandDefinition extends DefinitionBase {
  readonly kind: 'command';
  readonly data: MembersOrType | undefined;
  readonly returns: TypeReference | undefined;
  readonly boxed: boolean;
  readonly gen: boolean;
  readonly successResponse: boolean;
  readonly allowOob: boolean;
  readonly allowPreconfig: boolean;
  readonly coroutine: boolean;
}

export interface EventDefinition extends DefinitionBase {
  readonly kind: 'event';
  readonly data: MembersOrType | undefined;
  readonly boxed: boolean;
}

export type SourceDefinition =
  EnumDefinition | StructDefinition | UnionDefinition | AlternateDefinition | CommandDefinition | EventDefinition;

/** A named part of a definition, documented with it: a value, a member, a branch of an alternate. */
interface PartInPlace {
  readonly name: string;
  readonly features?: readonly Feature[];
}

/** The parts in the definition itself; those of a type that it names belong to that type. */
export function partsInPlace(definition: SourceDefinition): readonly PartInPlace[] {
  switch (definition.kind) {
    case 'enum':
      return definition.values;
    case 'struct':
      return definition.members;
    case 'alternate':
      return definition.branches;
    case 'union':
      return typeof definition.base === 'string' ? [] : definition.base;
    case 'command':
    case 'event':
      return typeof definition.data === 'object' ? definition.data : [];
  }
}

/** Names of the features of a definition and of its parts. */
export function featuresOf(definition: SourceDefinition): string[] {
  return [definition, ...partsInPlace(definition)].flatMap(({ features = [] }) => features.map(({ name }) => name));
}
