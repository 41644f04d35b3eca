/**
 * The QAPI model: the commands, events and types of a QMP server.
 *
 * One shape for every origin: schema source (`parse` -> `check` -> `model`), introspection (`query-qmp-schema`) and
 * catalogs all produce it, and validation, OpenAPI and policy all use it. Types are object references, not names, so
 * walking is cheap; they may be cyclic (BlockdevOptions refers to itself), so walkers keep a `Set` of seen types. A
 * model never changes after it was built: all VMs of one QEMU build share it.
 */

/**
 * Preprocessor condition on a definition or a part of one; only schema source has them (introspection has evaluated
 * them).
 */
export type Condition = string | { all: readonly Condition[] } | { any: readonly Condition[] } | { not: Condition };

/** A special feature (`deprecated`, `unstable`) or any other one, on an entity or a part of one. */
export interface Feature {
  readonly name: string;
  readonly if?: Condition;
}

export type BuiltinName =
  | 'str'
  | 'bool'
  | 'null'
  | 'any'
  | 'number'
  | 'int'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'size';

/** The JSON type names of introspection (SchemaInfoBuiltin `json-type`). */
export type JsonType = 'string' | 'boolean' | 'null' | 'value' | 'number' | 'int';

/** `int` if the width is not known (introspection folds all integers into `int`). */
export interface BuiltinType {
  readonly kind: 'builtin';
  readonly name: BuiltinName;
  readonly json: JsonType;
}

export interface EnumValue {
  readonly name: string;
  readonly if?: Condition;
  readonly features: readonly Feature[];
}

/**
 * What every named definition may have. `implicit` types have no name in the schema source (generated for arguments,
 * bases, arrays).
 */
interface Definition {
  readonly name: string;
  /** Schema file without path and `.json` (`block-core`), if known. */
  readonly module?: string;
  readonly implicit?: boolean;
  readonly if?: Condition;
  readonly features: readonly Feature[];
}

export interface EnumType extends Definition {
  readonly kind: 'enum';
  readonly values: readonly EnumValue[];
}

export interface ArrayType {
  readonly kind: 'array';
  /** `[element]`, or in source terms `elementList`. */
  readonly name: string;
  readonly element: QapiType;
}

export interface Member {
  readonly name: string;
  readonly type: QapiType;
  readonly optional: boolean;
  readonly if?: Condition;
  readonly features: readonly Feature[];
}

export interface Variant {
  /** The tag value that selects this case. */
  readonly case: string;
  readonly type: ObjectType;
  readonly if?: Condition;
}

export interface Variants {
  /** Name of the member (an enum) that selects the case. Tag values without a case add no members. */
  readonly tag: string;
  readonly cases: readonly Variant[];
}

/** Struct or union. `members` are flat: those of `base` come first, as in introspection. */
export interface ObjectType extends Definition {
  readonly kind: 'object';
  readonly members: readonly Member[];
  readonly variants?: Variants;
  /** Only from schema source. `members` already includes its members. */
  readonly base?: ObjectType;
}

export interface AlternateBranch {
  /** Branch name; introspection does not have it. */
  readonly name?: string;
  readonly type: QapiType;
  readonly if?: Condition;
}

/** One of several types, distinguished by the JSON type of the value. */
export interface AlternateType extends Definition {
  readonly kind: 'alternate';
  readonly branches: readonly AlternateBranch[];
}

export type QapiType = BuiltinType | EnumType | ArrayType | ObjectType | AlternateType;

export interface Command extends Definition {
  readonly kind: 'command';
  /** Always present; the empty object if the command takes no arguments. */
  readonly arguments: ObjectType;
  /** Always present; the empty object if the command returns nothing. */
  readonly returns: QapiType;
  readonly allowOob: boolean;
  /** Only from schema source or a catalog; undefined if not known. */
  readonly boxed?: boolean;
  readonly allowPreconfig?: boolean;
  readonly coroutine?: boolean;
  /**
   * False: arguments are not generated, so the command may accept members that the schema does not list (`device_add`).
   */
  readonly gen?: boolean;
  /** False: no reply on success (guest-shutdown). */
  readonly successResponse?: boolean;
  readonly summary?: string;
  /** Release that introduced it, e.g. `2.5`. */
  readonly since?: string;
}

export interface Event extends Definition {
  readonly kind: 'event';
  readonly data: ObjectType;
  readonly boxed?: boolean;
  readonly summary?: string;
  readonly since?: string;
}

export interface QapiModel {
  readonly commands: ReadonlyMap<string, Command>;
  readonly events: ReadonlyMap<string, Event>;
  /** Every type reachable from a command or event and (from source) every type defined, by unique name. */
  readonly types: ReadonlyMap<string, QapiType>;
}

/** True if `features` contains the special feature `name`. */
export function hasFeature(entity: { readonly features: readonly Feature[] }, name: string): boolean {
  return entity.features.some((feature) => feature.name === name);
}
