import type {
  AlternateType,
  ArrayType,
  BuiltinName,
  BuiltinType,
  Condition,
  EnumType,
  JsonType,
  ObjectType,
  QapiType,
} from '../model.js';
import type {
  CommandDefinition,
  EventDefinition,
  MembersOrType,
  SourceBranch,
  SourceDefinition,
  SourceMember,
  TypeReference,
} from './definitions.js';
import { type Position, QapiSchemaError } from './position.js';

/** A model type under construction. */
export type Open<T> = { -readonly [K in keyof T]: T[K] };

interface SymbolBase {
  readonly name: string;
  /** Undefined for built-in types. */
  readonly position: Position | undefined;
  /** The definition it comes from (`command 'x'`), for messages. */
  readonly definition: string;
}

export interface BuiltinSymbol extends SymbolBase {
  readonly kind: 'builtin';
  readonly type: BuiltinType;
}
export interface EnumSymbol extends SymbolBase {
  readonly kind: 'enum';
  readonly type: EnumType;
}
export interface ArraySymbol extends SymbolBase {
  readonly kind: 'array';
  readonly elementName: string;
  readonly type: Open<ArrayType>;
}
export interface ObjectSymbol extends SymbolBase {
  readonly kind: 'object';
  readonly type: Open<ObjectType>;
  readonly baseName: string | undefined;
  readonly members: readonly SourceMember[];
  /** Only for unions. */
  readonly union?: { readonly discriminator: string; readonly branches: readonly SourceBranch<string>[] };
}
export interface AlternateSymbol extends SymbolBase {
  readonly kind: 'alternate';
  readonly type: Open<AlternateType>;
  readonly branches: readonly SourceBranch[];
}
export interface CommandSymbol extends SymbolBase {
  readonly kind: 'command';
  readonly source: CommandDefinition;
  readonly dataName: string | undefined;
}
export interface EventSymbol extends SymbolBase {
  readonly kind: 'event';
  readonly source: EventDefinition;
  readonly dataName: string | undefined;
}

export type TypeSymbol = BuiltinSymbol | EnumSymbol | ArraySymbol | ObjectSymbol | AlternateSymbol;
export type SchemaSymbol = TypeSymbol | CommandSymbol | EventSymbol;

const BUILTINS: Readonly<Record<BuiltinName, JsonType>> = {
  str: 'string',
  number: 'number',
  int: 'int',
  int8: 'int',
  int16: 'int',
  int32: 'int',
  int64: 'int',
  uint8: 'int',
  uint16: 'int',
  uint32: 'int',
  uint64: 'int',
  size: 'int',
  bool: 'boolean',
  any: 'value',
  null: 'null',
};

/** The kinds of JSON values that distinguish alternates. */
const QTYPES = ['none', 'qnull', 'qnum', 'qstring', 'qdict', 'qlist', 'qbool'];

/** Name of the type without members, used for commands without arguments and for tag values without a case. */
export const EMPTY = 'q_empty';

/** The special features. */
export const SPECIAL_FEATURES: readonly string[] = ['deprecated', 'unstable'];

/** Name of a type for lookup; arrays are symbols of their own. */
export function referencedName(type: TypeReference): string {
  return typeof type === 'string' ? type : arrayName(type.arrayOf);
}

function arrayName(element: string): string {
  return `${element}List`;
}

/** Schema file without path and `.json`. */
export function moduleName(position: Position): string {
  return position.file.slice(position.file.lastIndexOf('/') + 1).replace(/\.json$/, '');
}

/**
 * All names of a schema, in order of creation: a definition follows the arrays and nameless objects that it creates.
 * Commands, events and types share one name space (docs/devel/qapi-code-gen, "Schema syntax").
 */
export class SymbolTable implements Iterable<SchemaSymbol> {
  readonly #symbols = new Map<string, SchemaSymbol>();
  readonly #order: SchemaSymbol[] = [];

  constructor() {
    const builtIn = { position: undefined, definition: 'what is built in' };
    for (const [name, json] of Object.entries(BUILTINS) as [BuiltinName, JsonType][]) {
      this.#add({ ...builtIn, kind: 'builtin', name, type: { kind: 'builtin', name, json } });
    }
    for (const name of Object.keys(BUILTINS)) this.#array(name, undefined, builtIn.definition);
    const empty: ObjectType = { kind: 'object', name: EMPTY, implicit: true, members: [], features: [] };
    this.#add({ ...builtIn, kind: 'object', name: EMPTY, type: empty, baseName: undefined, members: [] });
    const values = QTYPES.map((name) => ({ name, features: [] }));
    this.#add({ ...builtIn, kind: 'enum', name: 'QType', type: { kind: 'enum', name: 'QType', values, features: [] } });
  }

  [Symbol.iterator](): Iterator<SchemaSymbol> {
    return this.#order.values();
  }

  get(name: string): SchemaSymbol | undefined {
    return this.#symbols.get(name);
  }

  /**
   * Adds a definition. Returns what it creates, itself last.
   * @throws QapiSchemaError if its name is taken
   */
  declare(source: SourceDefinition): SchemaSymbol[] {
    const before = this.#order.length;
    this.#declare(source);
    return this.#order.slice(before);
  }

  #declare(source: SourceDefinition): void {
    const { name, position, features } = source;
    const definition = `${source.kind} '${name}'`;
    const base = { name, position, definition };
    const condition = source.if === undefined ? {} : { if: source.if };
    const parts = { name, module: moduleName(position), ...condition, features };
    switch (source.kind) {
      case 'enum':
        this.#add({ ...base, kind: 'enum', type: { kind: 'enum', ...parts, values: source.values } });
        break;
      case 'struct': {
        this.#arrays(source.members, position, definition);
        const type: ObjectType = { kind: 'object', ...parts, members: [] };
        this.#add({ ...base, kind: 'object', type, baseName: source.base, members: source.members });
        break;
      }
      case 'union': {
        const baseName = this.#object(source.base, 'base', source, definition);
        const type: ObjectType = { kind: 'object', ...parts, members: [] };
        this.#add({ ...base, kind: 'object', type, baseName, members: [], union: source });
        break;
      }
      case 'alternate':
        this.#arrays(source.branches, position, definition);
        this.#add({
          ...base,
          kind: 'alternate',
          type: { kind: 'alternate', ...parts, branches: [] },
          branches: source.branches,
        });
        break;
      case 'command': {
        const dataName = this.#object(source.data, 'arg', source, definition);
        if (typeof source.returns === 'object') this.#array(source.returns.arrayOf, position, definition);
        this.#add({ ...base, kind: 'command', source, dataName });
        break;
      }
      case 'event': {
        const dataName = this.#object(source.data, 'arg', source, definition);
        this.#add({ ...base, kind: 'event', source, dataName });
        break;
      }
    }
  }

  #add(symbol: SchemaSymbol): void {
    const other = this.#symbols.get(symbol.name);
    if (other !== undefined && symbol.position !== undefined) {
      const place = other.position === undefined ? 'built in' : `${other.position.file}:${other.position.line}`;
      throw new QapiSchemaError(
        symbol.position,
        `'${symbol.name}' is already defined (${place}: ${describe(other)})`,
        symbol.definition,
      );
    }
    this.#symbols.set(symbol.name, symbol);
    this.#order.push(symbol);
  }

  #arrays(parts: readonly { readonly type: TypeReference }[], position: Position, definition: string): void {
    for (const { type } of parts) if (typeof type === 'object') this.#array(type.arrayOf, position, definition);
  }

  #array(elementName: string, position: Position | undefined, definition: string): void {
    const name = arrayName(elementName);
    if (this.#symbols.has(name)) return;
    // The element is resolved when all definitions are known.
    const unknown: QapiType = { kind: 'builtin', name: 'any', json: 'value' };
    this.#add({
      name,
      position,
      definition,
      kind: 'array',
      elementName,
      type: { kind: 'array', name, element: unknown },
    });
  }

  /** The name of the type with `members`; inline members create it. */
  #object(
    members: MembersOrType | undefined,
    role: 'arg' | 'base',
    { name: owner, position, if: condition }: { name: string; position: Position; if?: Condition },
    definition: string,
  ): string | undefined {
    if (members === undefined || typeof members === 'string') return members;
    if (members.length === 0) return undefined;
    this.#arrays(members, position, definition);
    const name = `q_obj_${owner}-${role}`;
    const type: ObjectType = {
      kind: 'object',
      name,
      implicit: true,
      module: moduleName(position),
      ...(condition === undefined ? {} : { if: condition }),
      members: [],
      features: [],
    };
    this.#add({ name, position, definition, kind: 'object', type, baseName: undefined, members });
    return name;
  }
}

/** The kind of a symbol, in the words of the language. */
export function describe(symbol: SchemaSymbol): string {
  switch (symbol.kind) {
    case 'builtin':
      return `built-in type '${symbol.name}'`;
    case 'object':
      return `${symbol.union ? 'union' : 'struct'} type '${symbol.name}'`;
    case 'array':
      return `array type ['${symbol.elementName}']`;
    case 'command':
    case 'event':
      return `${symbol.kind} '${symbol.name}'`;
    default:
      return `${symbol.kind} type '${symbol.name}'`;
  }
}
