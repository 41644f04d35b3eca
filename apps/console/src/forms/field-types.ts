/**
 * The types of a VM's schema, as a form has them. A type is looked up when the form comes to it, because types may
 * contain themselves.
 */
import type { VmSchema } from '@qmp-gateway/client';

/** A member that an object may have. */
export interface MemberType {
  readonly name: string;
  /** Name of its type; see {@link TypeTable.typeOf}. */
  readonly type: string;
  readonly optional: boolean;
  readonly deprecated: boolean;
}

/** A struct, or a union: the value of its tag decides which further members it has. */
export interface ObjectFieldType {
  readonly kind: 'object';
  readonly name: string;
  readonly members: readonly MemberType[];
  readonly tag?: string;
  /** By value of the tag: name of the type with the further members. A value may have none. */
  readonly variants: ReadonlyMap<string, string>;
}

export interface ListFieldType {
  readonly kind: 'list';
  /** Name of the type of its items. */
  readonly element: string;
}

export interface AlternateFieldType {
  readonly kind: 'alternate';
  readonly name: string;
  /** Names of the types that a value may have; they differ in the kind of JSON value. */
  readonly branches: readonly string[];
}

export interface EnumFieldType {
  readonly kind: 'enum';
  readonly name: string;
  readonly values: readonly string[];
}

export type FormFieldType =
  | { readonly kind: 'text' }
  /** `width` is QAPI's name: `int`, `uint8`, `size`. */
  | { readonly kind: 'integer'; readonly width: string }
  | { readonly kind: 'number' }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'null' }
  /** Any value: free JSON. */
  | { readonly kind: 'json' }
  | EnumFieldType
  | ListFieldType
  | ObjectFieldType
  | AlternateFieldType;

const builtinTypes: ReadonlyMap<string, FormFieldType> = new Map<string, FormFieldType>([
  ['str', { kind: 'text' }],
  ['bool', { kind: 'boolean' }],
  ['null', { kind: 'null' }],
  ['any', { kind: 'json' }],
  ['number', { kind: 'number' }],
  ...['int', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64', 'size'].map(
    (width): [string, FormFieldType] => [width, { kind: 'integer', width }],
  ),
]);

type SchemaType = VmSchema['types'][string];

/** The types of one schema by name. */
export class TypeTable {
  readonly #made = new Map<string, FormFieldType>();

  constructor(private readonly types: VmSchema['types']) {}

  /** The type of this name, `[name]` for a list of it. A name that the schema does not explain stands for any value. */
  typeOf(name: string): FormFieldType {
    let type = this.#made.get(name);
    if (type === undefined) {
      type = this.#make(name);
      this.#made.set(name, type);
    }
    return type;
  }

  #make(name: string): FormFieldType {
    if (name.startsWith('[') && name.endsWith(']')) return { kind: 'list', element: name.slice(1, -1) };
    const builtin = builtinTypes.get(name);
    if (builtin !== undefined) return builtin;
    const type = Object.hasOwn(this.types, name) ? this.types[name] : undefined;
    return type === undefined ? { kind: 'json' } : fieldTypeOf(name, type);
  }
}

function fieldTypeOf(name: string, type: SchemaType): FormFieldType {
  switch (type.kind) {
    case 'enum':
      return { kind: 'enum', name, values: type.values };
    case 'alternate':
      return { kind: 'alternate', name, branches: type.types };
    case 'object':
      return {
        kind: 'object',
        name,
        members: type.members.map((member) => ({ ...member, deprecated: member.deprecated === true })),
        ...(type.tag === undefined ? {} : { tag: type.tag }),
        variants: new Map(Object.entries(type.variants ?? {})),
      };
  }
}

/** What a field takes, in a few words: `64-bit integer (uint64)`, `list of BlockdevRef`. */
export function typeLabel(types: TypeTable, name: string): string {
  const type = types.typeOf(name);
  switch (type.kind) {
    case 'text':
      return 'text';
    case 'integer':
      return `integer (${type.width})`;
    case 'number':
      return 'number';
    case 'boolean':
      return 'true or false';
    case 'null':
      return 'null';
    case 'json':
      return 'any JSON value';
    case 'list':
      return `list of ${typeLabel(types, type.element)}`;
    default:
      return readableTypeName(type.name);
  }
}

/** Types that QEMU generates have no name to show (`q_obj_add-fd-arg`, `123`). */
function readableTypeName(name: string): string {
  return /^(?:\d|q_)/.test(name) ? 'object' : name;
}
