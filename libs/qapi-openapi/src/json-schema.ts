/**
 * QAPI types as JSON Schema 2020-12.
 *
 * - A named type is a component, added only when something refers to it. Its name is reserved before its members are
 *   visited, so that a type which contains itself ends in a `$ref`.
 * - Arguments are closed, because a VM rejects members that it does not know; replies and events are open, because a
 *   newer VM may send more. A type used both ways becomes two components, the open one with the suffix `Reply`.
 * - A union is the `oneOf` of its branches, each a component `UnionOfCase` that repeats the common members: only this
 *   way can a closed object use `additionalProperties: false`, which generators support far better than
 *   `unevaluatedProperties`. The tag of a branch is an `enum` of one value: more generators know it than `const`.
 */
import type {
  BuiltinName,
  EnumType,
  Feature,
  Member,
  ObjectType,
  QapiModel,
  QapiType,
  Variants,
} from '@qmp-gateway/qapi';
import { branchName, ComponentNames } from './component-names.js';
import type { JsonSchema } from './schema-keywords.js';
import { sortedRecord } from './sorted.js';

/**
 * 64-bit types have no bounds, because a double cannot represent them. `int` is signed and 64 bits wide by the QAPI
 * language.
 */
const builtins: Record<BuiltinName, JsonSchema> = {
  str: { type: 'string' },
  bool: { type: 'boolean' },
  null: { type: 'null' },
  any: {},
  number: { type: 'number', format: 'double' },
  int: { type: 'integer', format: 'int64' },
  int8: { type: 'integer', minimum: -128, maximum: 127 },
  int16: { type: 'integer', minimum: -32768, maximum: 32767 },
  int32: { type: 'integer', format: 'int32', minimum: -2147483648, maximum: 2147483647 },
  int64: { type: 'integer', format: 'int64' },
  uint8: { type: 'integer', minimum: 0, maximum: 255 },
  uint16: { type: 'integer', minimum: 0, maximum: 65535 },
  uint32: { type: 'integer', minimum: 0, maximum: 4294967295 },
  uint64: { type: 'integer', format: 'uint64' },
  size: { type: 'integer', format: 'uint64' },
};

/** The direction of a value: into the VM, where objects are closed, or out of it, where they are open. */
type Direction = 'argument' | 'reply';

export interface SchemaComponentsOptions {
  /** Prefix of `$ref`s, e.g. `#/components/schemas/`. */
  readonly prefix: string;
  /** Types that arguments use; in replies they get a component of their own. */
  readonly argumentTypes?: ReadonlySet<QapiType>;
  /** Names of components of other sections, which no schema may have. */
  readonly reserved?: readonly string[];
  /**
   * Models of older servers that the document is for too: what a reply has in each of them is required, and no more.
   * Types are the same where they have one name.
   */
  readonly older?: readonly QapiModel[];
  /** False omits `discriminator`, which is specific to OpenAPI and means another thing in AsyncAPI. */
  readonly discriminator?: boolean;
}

/** A member in one branch of a union: its tag has only one value. */
interface BranchMember {
  readonly member: Member;
  /** Whose member it is. */
  readonly owner: ObjectType;
  readonly tagValue?: string;
}

/** What a branch inherits from the unions that it is a branch of. */
interface Outer {
  readonly members: readonly BranchMember[];
  readonly unions: readonly ObjectType[];
}

/** Where an object's schema is made: under which name, inside which unions, and whether it admits undeclared members. */
interface Place {
  readonly name: string;
  readonly outer: Outer;
  readonly open: boolean;
}

const outermost: Outer = { members: [], unions: [] };

/** The components of one document, filled as its parts are made. */
export class SchemaComponents {
  readonly #prefix: string;
  readonly #argumentTypes: ReadonlySet<QapiType>;
  readonly #older: readonly QapiModel[];
  readonly #discriminator: boolean;
  readonly #free: ComponentNames;
  readonly #names = { argument: new Map<QapiType, string>(), reply: new Map<QapiType, string>() };
  readonly #schemas = new Map<string, JsonSchema>();

  constructor(options: SchemaComponentsOptions) {
    this.#prefix = options.prefix;
    this.#argumentTypes = options.argumentTypes ?? new Set();
    this.#older = options.older ?? [];
    this.#discriminator = options.discriminator ?? true;
    this.#free = new ComponentNames(options.reserved);
  }

  /** All components so far, by name. */
  schemas(): Record<string, JsonSchema> {
    return sortedRecord(this.#schemas);
  }

  /** Adds a schema that is not from the model, such as that of a problem, and returns a reference to it. */
  add(name: string, schema: JsonSchema): JsonSchema {
    const slot = this.#reserve(name);
    this.#schemas.set(slot, schema);
    return this.#reference(slot);
  }

  /**
   * The schema of a command's arguments. `open` admits members that are not declared, for commands that take
   * more than any schema lists: in the arguments object itself and not in what it contains.
   */
  arguments(type: ObjectType, open = false): JsonSchema {
    return open
      ? this.#object(type, 'argument', { name: type.name, outer: outermost, open: true })
      : this.#root(type, 'argument');
  }

  /** The schema of what a command returns or an event carries. */
  reply(type: QapiType): JsonSchema {
    return this.#root(type, 'reply');
  }

  /** The schema of a value nested in arguments: a reference if the type has a name. */
  argumentValue(type: QapiType): JsonSchema {
    return this.#value(type, 'argument');
  }

  /** An implicit type is used once and has no name to refer to; one without members needs none. */
  #root(type: QapiType, direction: Direction): JsonSchema {
    return isUnnamed(type)
      ? this.#object(type, direction, { name: type.name, outer: outermost, open: direction === 'reply' })
      : this.#value(type, direction);
  }

  #value(type: QapiType, direction: Direction): JsonSchema {
    if (type.kind === 'builtin') return builtins[type.name];
    if (type.kind === 'array') return { type: 'array', items: this.#value(type.element, direction) };
    const names = this.#names[isSameBothWays(type) ? 'argument' : direction];
    let name = names.get(type);
    if (name === undefined) {
      const twofold = direction === 'reply' && this.#argumentTypes.has(type) && !isSameBothWays(type);
      name = this.#reserve(twofold ? `${type.name}Reply` : type.name);
      names.set(type, name);
      this.#schemas.set(name, this.#definition(type, direction, name));
    }
    return this.#reference(name);
  }

  #definition(type: Exclude<QapiType, { kind: 'builtin' | 'array' }>, direction: Direction, name: string): JsonSchema {
    switch (type.kind) {
      case 'enum':
        return { ...enumSchema(type), ...annotations(type.features) };
      case 'alternate':
        return {
          // Of each type of JSON there is one branch at most.
          oneOf: type.branches.map((branch) => this.#value(branch.type, direction)),
          ...annotations(type.features),
        };
      case 'object':
        return {
          ...this.#object(type, direction, { name, outer: outermost, open: direction === 'reply' }),
          ...annotations(type.features),
        };
    }
  }

  #object(type: ObjectType, direction: Direction, { name, outer, open }: Place): JsonSchema {
    const members = [...outer.members, ...type.members.map((member) => ({ member, owner: type }))];
    if (!type.variants) return this.#struct(members, direction, open);
    const place = { name, outer: { members, unions: [...outer.unions, type] }, open };
    return this.#union(type.variants, direction, place);
  }

  #struct(members: readonly BranchMember[], direction: Direction, open: boolean): JsonSchema {
    const required = members
      .filter((each) => (direction === 'argument' ? !each.member.optional : this.#isAlwaysSent(each)))
      .map(({ member }) => member.name);
    return {
      type: 'object',
      ...(members.length > 0 && {
        properties: Object.fromEntries(
          members.map((member) => [member.member.name, this.#property(member, direction)]),
        ),
      }),
      ...(required.length > 0 && { required }),
      ...(direction === 'argument' && { additionalProperties: open }),
    };
  }

  #isAlwaysSent({ member, owner, tagValue }: BranchMember): boolean {
    // By its tag a branch differs from others: where older types had none, they are other types.
    if (member.optional || tagValue !== undefined) return !member.optional;
    return this.#older.every(({ types }) => {
      const then = types.get(owner.name);
      return then?.kind !== 'object' || then.members.some(({ name, optional }) => name === member.name && !optional);
    });
  }

  #property({ member, tagValue }: BranchMember, direction: Direction): JsonSchema {
    const schema: JsonSchema =
      tagValue !== undefined ? { type: 'string', enum: [tagValue] } : this.#value(member.type, direction);
    return { ...schema, ...annotations(member.features) };
  }

  #union({ tag, cases }: Variants, direction: Direction, { name, outer, open }: Place): JsonSchema {
    const references: JsonSchema[] = [];
    const mapping: Record<string, string> = {};
    const caseless = caselessTagValues(tag, cases, outer.members).map((value) => ({ case: value, type: noMembers }));
    // One for each value: generators keep one value for a branch, whatever `mapping` says.
    for (const { case: value, type } of [...cases, ...caseless]) {
      const slot = this.#reserve(branchName(name, value));
      const members = outer.members.map((each) => (each.member.name === tag ? { ...each, tagValue: value } : each));
      // A peer's schema may have a branch that leads back to its union; it adds nothing the second time.
      const added = outer.unions.includes(type) ? noMembers : type;
      this.#schemas.set(slot, this.#object(added, direction, { name: slot, outer: { ...outer, members }, open }));
      references.push(this.#reference(slot));
      mapping[value] = this.#prefix + slot;
    }
    return {
      type: 'object',
      oneOf: references,
      ...(this.#discriminator && { discriminator: { propertyName: tag, mapping } }),
    };
  }

  #reserve(wanted: string): string {
    const name = this.#free.take(wanted);
    this.#schemas.set(name, {});
    return name;
  }

  #reference(name: string): JsonSchema {
    return { $ref: this.#prefix + name };
  }
}

const noMembers: ObjectType = { kind: 'object', name: '', features: [], members: [] };

/** True for an object type that is written inline, not under its name. */
export function isUnnamed(type: QapiType): type is ObjectType {
  if (type.kind !== 'object' || type.variants) return false;
  return type.implicit === true || type.members.length === 0;
}

/** True for types that contain no objects, for which open and closed make no difference. */
function isSameBothWays(type: QapiType): boolean {
  if (type.kind === 'alternate') return type.branches.every((branch) => isScalar(branch.type));
  return isScalar(type);
}

function isScalar(type: QapiType): boolean {
  return type.kind === 'builtin' || type.kind === 'enum';
}

function enumSchema(type: EnumType): JsonSchema {
  const noted = type.values.filter((value) => value.features.length > 0);
  return {
    type: 'string',
    enum: type.values.map((value) => value.name),
    ...(noted.length > 0 && {
      'x-qapi-value-features': Object.fromEntries(noted.map((value) => [value.name, featureNames(value.features)])),
    }),
  };
}

/** Tag values that select no case and thus add no members. */
function caselessTagValues(tag: string, cases: Variants['cases'], members: readonly BranchMember[]): string[] {
  const own = members.find(({ member }) => member.name === tag);
  if (own?.member.type.kind !== 'enum') return [];
  const taken = new Set(cases.map((each) => each.case));
  return own.member.type.values.map((value) => value.name).filter((value) => !taken.has(value));
}

/** Converts features: `deprecated` has a keyword of its own, and all of them are listed. */
export function annotations(features: readonly Feature[]): { deprecated?: true; 'x-qapi-features'?: string[] } {
  if (features.length === 0) return {};
  const names = featureNames(features);
  return { ...(names.includes('deprecated') && { deprecated: true }), 'x-qapi-features': names };
}

function featureNames(features: readonly Feature[]): string[] {
  return features.map((feature) => feature.name);
}

/** Every type that an argument of a command can have. */
export function argumentTypes(model: QapiModel): Set<QapiType> {
  const seen = new Set<QapiType>();
  const visit = (type: QapiType): void => {
    if (seen.has(type)) return;
    seen.add(type);
    if (type.kind === 'array') visit(type.element);
    if (type.kind === 'alternate') type.branches.forEach((branch) => visit(branch.type));
    if (type.kind !== 'object') return;
    type.members.forEach((member) => visit(member.type));
    type.variants?.cases.forEach((variant) => visit(variant.type));
  };
  for (const command of model.commands.values()) visit(command.arguments);
  return seen;
}

export interface JsonSchemaOptions {
  /** `argument` (the default) rejects undeclared members, `reply` allows them. */
  readonly direction?: 'argument' | 'reply';
  /** Allows undeclared members of the outermost object, as in the arguments of `device_add`. */
  readonly openArguments?: boolean;
}

/** One type as a schema document of its own, with the types it refers to in `$defs`. */
export function jsonSchemaOf(type: QapiType, options: JsonSchemaOptions = {}): JsonSchema {
  const components = new SchemaComponents({ prefix: '#/$defs/' });
  let schema: JsonSchema;
  if (options.direction === 'reply') schema = components.reply(type);
  else if (type.kind === 'object') schema = components.arguments(type, options.openArguments);
  else schema = components.argumentValue(type);
  const $defs = components.schemas();
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    ...schema,
    ...(Object.keys($defs).length > 0 && { $defs }),
  };
}
