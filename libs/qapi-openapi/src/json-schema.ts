/**
 * QAPI types as JSON Schema 2020-12.
 *
 * - A named type is a component, put in only when something refers to it. Its slot is taken before its members are
 *   visited, so that a type which contains itself ends in a `$ref`.
 * - Arguments are closed, because a VM refuses members it does not know; answers and events are open, because a newer
 *   VM may say more. A type used both ways is two components, the open one with `.reply` behind its name.
 * - A union is the `oneOf` of its branches, each a component `Union.case` that repeats the common members: only so can
 *   a closed object stay `additionalProperties: false`, which generators know far better than `unevaluatedProperties`.
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
import type { JsonSchema } from './schema-keywords.js';
import { sortedRecord } from './sorted.js';

/** 64-bit types carry no bounds: a double can't hold them. `int` is signed and 64 bits wide by the QAPI language. */
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

/** Which way a value goes: into the VM, where objects are closed, or out of it, where they are open. */
type Direction = 'argument' | 'reply';

export interface SchemaComponentsOptions {
  /** What `$ref`s start with, e.g. `#/components/schemas/`. */
  readonly prefix: string;
  /** Types that arguments use; in replies these get a component of their own. */
  readonly argumentTypes?: ReadonlySet<QapiType>;
  /** False leaves `discriminator` out, which is OpenAPI's word and means another thing in AsyncAPI. */
  readonly discriminator?: boolean;
}

/** A member as one branch of a union sees it: its tag has one value only. */
interface BranchMember {
  readonly member: Member;
  readonly tagValues?: readonly string[];
}

/** What a branch takes over from the unions it is a branch of. */
interface Outer {
  readonly members: readonly BranchMember[];
  readonly unions: readonly ObjectType[];
}

const outermost: Outer = { members: [], unions: [] };

/** The components of one document, filled as its parts are made. */
export class SchemaComponents {
  readonly #prefix: string;
  readonly #argumentTypes: ReadonlySet<QapiType>;
  readonly #discriminator: boolean;
  readonly #names = { argument: new Map<QapiType, string>(), reply: new Map<QapiType, string>() };
  readonly #schemas = new Map<string, JsonSchema>();

  constructor(options: SchemaComponentsOptions) {
    this.#prefix = options.prefix;
    this.#argumentTypes = options.argumentTypes ?? new Set();
    this.#discriminator = options.discriminator ?? true;
  }

  /** All components made so far, by name. */
  schemas(): Record<string, JsonSchema> {
    return sortedRecord(this.#schemas);
  }

  /** Adds a schema that is not of the model, such as the one of a problem, and returns a reference to it. */
  add(name: string, schema: JsonSchema): JsonSchema {
    const slot = this.#reserve(name);
    this.#schemas.set(slot, schema);
    return this.#reference(slot);
  }

  /**
   * The schema of a command's arguments. `open` admits members that are not declared (DESIGN.md section 5, open
   * arguments), in the arguments object itself and not in what it contains.
   */
  arguments(type: ObjectType, open = false): JsonSchema {
    return open ? this.#object(type, 'argument', type.name, outermost, true) : this.#root(type, 'argument');
  }

  /** The schema of what a command returns or an event carries. */
  reply(type: QapiType): JsonSchema {
    return this.#root(type, 'reply');
  }

  /** The schema of a value nested in arguments: a reference where the type has a name. */
  argumentValue(type: QapiType): JsonSchema {
    return this.#value(type, 'argument');
  }

  /** An implicit type is used once and has no name of its own to refer to; one without members needs none. */
  #root(type: QapiType, direction: Direction): JsonSchema {
    return isUnnamed(type) ? this.#object(type, direction, type.name, outermost) : this.#value(type, direction);
  }

  #value(type: QapiType, direction: Direction): JsonSchema {
    if (type.kind === 'builtin') return builtins[type.name];
    if (type.kind === 'array') return { type: 'array', items: this.#value(type.element, direction) };
    const names = this.#names[isSameBothWays(type) ? 'argument' : direction];
    let name = names.get(type);
    if (name === undefined) {
      const twofold = direction === 'reply' && this.#argumentTypes.has(type) && !isSameBothWays(type);
      name = this.#reserve(twofold ? `${type.name}.reply` : type.name);
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
          anyOf: type.branches.map((branch) => this.#value(branch.type, direction)),
          ...annotations(type.features),
        };
      case 'object':
        return { ...this.#object(type, direction, name, outermost), ...annotations(type.features) };
    }
  }

  #object(
    type: ObjectType,
    direction: Direction,
    name: string,
    outer: Outer,
    open = direction === 'reply',
  ): JsonSchema {
    const members = [...outer.members, ...type.members.map((member) => ({ member }))];
    if (!type.variants) return this.#struct(members, direction, open);
    return this.#union(type.variants, { members, unions: [...outer.unions, type] }, direction, name, open);
  }

  #struct(members: readonly BranchMember[], direction: Direction, open: boolean): JsonSchema {
    const required = members.filter(({ member }) => !member.optional).map(({ member }) => member.name);
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

  #property({ member, tagValues }: BranchMember, direction: Direction): JsonSchema {
    const schema = tagValues ? constant(tagValues) : this.#value(member.type, direction);
    return { ...schema, ...annotations(member.features) };
  }

  #union({ tag, cases }: Variants, outer: Outer, direction: Direction, name: string, open: boolean): JsonSchema {
    const branch = (suffix: string, tagValues: readonly string[], type: ObjectType): [string, JsonSchema] => {
      const slot = this.#reserve(`${name}.${suffix}`);
      const members = outer.members.map((each) => (each.member.name === tag ? { ...each, tagValues } : each));
      // A peer may say that a branch leads back to its union; it adds nothing the second time.
      const added = outer.unions.includes(type) ? noMembers : type;
      this.#schemas.set(slot, this.#object(added, direction, slot, { ...outer, members }, open));
      return [slot, this.#reference(slot)];
    };
    const references: JsonSchema[] = [];
    const mapping: Record<string, string> = {};
    for (const { case: value, type } of cases) {
      const [slot, reference] = branch(value, [value], type);
      references.push(reference);
      mapping[value] = this.#prefix + slot;
    }
    const bare = caselessTagValues(tag, cases, outer.members);
    if (bare.length > 0) {
      const [slot, reference] = branch(bare.length === 1 ? String(bare[0]) : 'other', bare, noMembers);
      references.push(reference);
      for (const value of bare) mapping[value] = this.#prefix + slot;
    }
    return {
      type: 'object',
      oneOf: references,
      ...(this.#discriminator && { discriminator: { propertyName: tag, mapping } }),
    };
  }

  /** Takes a free component name and holds its place. Peers name types, so any text has to end in a legal name. */
  #reserve(wanted: string): string {
    const legal = wanted.replace(/[^A-Za-z0-9._-]/g, '_');
    let name = legal;
    for (let count = 2; this.#schemas.has(name); count++) name = `${legal}.${count}`;
    this.#schemas.set(name, {});
    return name;
  }

  #reference(name: string): JsonSchema {
    return { $ref: this.#prefix + name };
  }
}

const noMembers: ObjectType = { kind: 'object', name: '', features: [], members: [] };

/** True for an object type that is written down where it stands, not under its name. */
export function isUnnamed(type: QapiType): type is ObjectType {
  if (type.kind !== 'object' || type.variants) return false;
  return type.implicit === true || type.members.length === 0;
}

/** True for types without objects inside, for which open and closed make no difference. */
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

function constant(values: readonly string[]): JsonSchema {
  return values.length === 1 ? { type: 'string', const: values[0] } : { type: 'string', enum: values };
}

/** Tag values that select no case and so add no members. */
function caselessTagValues(tag: string, cases: Variants['cases'], members: readonly BranchMember[]): string[] {
  const own = members.find(({ member }) => member.name === tag);
  if (own?.member.type.kind !== 'enum') return [];
  const taken = new Set(cases.map((each) => each.case));
  return own.member.type.values.map((value) => value.name).filter((value) => !taken.has(value));
}

/** What features become: `deprecated` has a keyword of its own, and all of them are named. */
export function annotations(features: readonly Feature[]): { deprecated?: true; 'x-qapi-features'?: string[] } {
  if (features.length === 0) return {};
  const names = featureNames(features);
  return { ...(names.includes('deprecated') && { deprecated: true }), 'x-qapi-features': names };
}

function featureNames(features: readonly Feature[]): string[] {
  return features.map((feature) => feature.name);
}

/** Every type that some command of the model can be given. */
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
  /** `argument` (the default) refuses members that are not declared, `reply` admits them. */
  readonly direction?: 'argument' | 'reply';
  /** Undeclared members of the outermost object are admitted, as in the arguments of `device_add`. */
  readonly openArguments?: boolean;
}

/** One type as a schema document of its own, what it refers to under `$defs`. */
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
