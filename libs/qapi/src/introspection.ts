import type {
  AlternateBranch,
  ArrayType,
  BuiltinType,
  Command,
  Event,
  JsonType,
  Member,
  ObjectType,
  QapiModel,
  QapiType,
  Variant,
} from './model.js';
import { pathNames, upperCamel, type NamedRoot, type NamedStep } from './path-names.js';
import {
  IntrospectionError,
  readSchemaInfos,
  type IntrospectionBounds,
  type CommandInfo,
  type EventInfo,
  type SchemaInfos,
  type TypeInfo,
} from './schema-info.js';

/**
 * The model a VM tells of itself.
 *
 * Takes every form since 2.5: enums as bare `values`, no features, no `allow-oob`. Kinds of type that no QEMU had
 * until now become `any`, so that a future one can still be used. Hidden type names (numbers) are replaced by names made
 * from the path of the first command or event that leads to the type.
 *
 * @param json the value `query-qmp-schema` returned.
 * @param bounds absent: all of it is taken.
 * @throws {IntrospectionError} when it is not an introspection, or names a type it does not define.
 */
export function modelFromIntrospection(json: Buffer | string, bounds?: IntrospectionBounds): QapiModel {
  return new IntrospectedModelBuilder(readSchemaInfos(parse(json), bounds)).build();
}

function parse(json: Buffer | string): unknown {
  try {
    return JSON.parse(json.toString()) as unknown;
  } catch (error) {
    throw new IntrospectionError(`not JSON: ${error instanceof Error ? error.message : ''}`);
  }
}

/** Introspection folds integers of every width into `int`. */
const BUILTINS: Readonly<Record<JsonType, BuiltinType>> = {
  string: { kind: 'builtin', name: 'str', json: 'string' },
  boolean: { kind: 'builtin', name: 'bool', json: 'boolean' },
  null: { kind: 'builtin', name: 'null', json: 'null' },
  value: { kind: 'builtin', name: 'any', json: 'value' },
  number: { kind: 'builtin', name: 'number', json: 'number' },
  int: { kind: 'builtin', name: 'int', json: 'int' },
};

/** Lists of lists of lists. QAPI has none; the bound is for cycles of lists. */
const MAX_LIST_NESTING = 16;

/** Arguments or data of a kind not known here. */
const UNKNOWN_OBJECT: ObjectType = { kind: 'object', name: 'Unknown', implicit: true, features: [], members: [] };

const UNKNOWN: TypeInfo = { meta: 'unknown' };

/**
 * Types refer to each other in cycles, so all are made first and what refers to others is filled in after. Nothing here
 * recurses: however deep an introspection nests its types, it costs no stack.
 */
class IntrospectedModelBuilder {
  /** Every type reached, in the order met, with the name made for it. */
  private readonly names: Map<string, string | undefined>;
  private readonly types = new Map<string, QapiType>();
  private readonly fills: (() => void)[] = [];

  constructor(private readonly infos: SchemaInfos) {
    this.names = this.nameTypes();
  }

  build(): QapiModel {
    for (const name of this.names.keys()) this.types.set(name, this.make(name, this.info(name)));
    for (const fill of this.fills) fill();
    return {
      commands: new Map(this.infos.commands.map((info) => [info.name, this.command(info)])),
      events: new Map(this.infos.events.map((info) => [info.name, this.event(info)])),
      types: new Map([...this.types.values()].map((type) => [type.name, type])),
    };
  }

  private nameTypes(): Map<string, string | undefined> {
    const roots: NamedRoot[] = [];
    const addRoot = (type: string, path: string, where: string): void => {
      this.mustExist(type, where);
      roots.push({ type, path: this.isEmptyObject(type) ? 'Empty' : path });
    };
    for (const { name, arguments: data, returns } of this.infos.commands) {
      addRoot(data, `${upperCamel(name)}Arguments`, `command '${name}'`);
      addRoot(returns, `${upperCamel(name)}Return`, `command '${name}'`);
    }
    for (const { name, data } of this.infos.events) addRoot(data, `${upperCamel(name)}Event`, `event '${name}'`);
    const graph = {
      isNameless: (type: string) => this.isMasked(type),
      steps: (type: string) => this.steps(type),
    };
    return pathNames(
      roots,
      graph,
      [...this.infos.types.keys()].filter((name) => !this.isMasked(name)),
    );
  }

  /** Hidden names are numbers; lists and built-in types keep names that say what they are, and builds with `-u` keep all. */
  private isMasked(type: string): boolean {
    return /^[0-9]+$/.test(type) && ['object', 'enum', 'alternate'].includes(this.info(type).meta);
  }

  private isEmptyObject(type: string): boolean {
    const info = this.info(type);
    return info.meta === 'object' && info.members.length === 0;
  }

  /** What a type leads to, every name looked up. */
  private steps(type: string): NamedStep[] {
    const info = this.info(type);
    const steps: NamedStep[] = [];
    const add = (step: string, next: string): void => {
      this.mustExist(next, `${info.meta} '${type}'`);
      steps.push({ step, type: next });
    };
    if (info.meta === 'array') add('', info.element);
    else if (info.meta === 'alternate') for (const branch of info.branches) add(this.info(branch).meta, branch);
    else if (info.meta === 'object') {
      for (const member of info.members) add(member.name, member.type);
      for (const variant of info.cases) add(variant.case, variant.type);
    }
    return steps;
  }

  private make(key: string, info: TypeInfo): QapiType {
    const name = this.names.get(key) ?? key;
    switch (info.meta) {
      case 'builtin':
        return BUILTINS[info.json];
      case 'enum':
        return { kind: 'enum', name, features: info.features, values: info.values };
      case 'array':
        return this.makeArray(key, info.element);
      case 'object':
        return this.makeObject(name, key, info);
      case 'alternate': {
        const branches: AlternateBranch[] = [];
        this.fills.push(() => {
          for (const branch of info.branches) {
            const type = this.type(branch);
            if (type.kind === 'alternate') throw new IntrospectionError(`alternate '${key}' of an alternate`);
            branches.push({ type });
          }
        });
        return { kind: 'alternate', name, features: info.features, branches };
      }
      case 'unknown':
        return BUILTINS.value;
    }
  }

  private makeArray(key: string, elementKey: string): ArrayType {
    const array = { kind: 'array' as const, name: key, element: BUILTINS.value as QapiType };
    this.fills.push(() => {
      array.name = this.listName(key);
      array.element = this.type(elementKey);
    });
    return array;
  }

  private listName(key: string): string {
    let element = key;
    for (let nesting = 0; nesting <= MAX_LIST_NESTING; nesting++) {
      const info = this.info(element);
      if (info.meta !== 'array') {
        const name = this.names.get(element) ?? this.type(element).name;
        return '['.repeat(nesting) + name + ']'.repeat(nesting);
      }
      element = info.element;
    }
    throw new IntrospectionError(`array '${key}': lists nested deeper than ${MAX_LIST_NESTING}`);
  }

  private makeObject(name: string, key: string, info: Extract<TypeInfo, { meta: 'object' }>): ObjectType {
    const members: Member[] = [];
    const cases: Variant[] = [];
    this.fills.push(() => {
      for (const member of info.members) {
        const type = this.type(member.type);
        if (member.name === info.tag && type.kind !== 'enum') {
          throw new IntrospectionError(`object '${key}': tag '${member.name}' is not of an enum type`);
        }
        members.push({ ...member, type });
      }
      for (const variant of info.cases) {
        const type = this.type(variant.type);
        if (type.kind !== 'object') {
          throw new IntrospectionError(`object '${key}': case '${variant.case}' is not of an object type`);
        }
        cases.push({ case: variant.case, type });
      }
    });
    const { tag, features } = info;
    return { kind: 'object', name, features, members, ...(tag !== undefined && { variants: { tag, cases } }) };
  }

  private command({ name, arguments: key, returns: returnKey, allowOob, features }: CommandInfo): Command {
    const type = this.type(key);
    const call = { kind: 'command' as const, name, features, returns: this.type(returnKey), allowOob };
    if (type.kind === 'object') return { ...call, arguments: type };
    // Whatever is given goes to the VM, which knows better.
    return { ...call, arguments: this.unknownObject(), gen: false };
  }

  private event({ name, data, features }: EventInfo): Event {
    const type = this.type(data);
    return { kind: 'event', name, features, data: type.kind === 'object' ? type : this.unknownObject() };
  }

  private unknownObject(): ObjectType {
    this.types.set(UNKNOWN_OBJECT.name, UNKNOWN_OBJECT);
    return UNKNOWN_OBJECT;
  }

  private info(key: string): TypeInfo {
    return this.infos.types.get(key) ?? UNKNOWN;
  }

  private type(key: string): QapiType {
    return this.types.get(key) ?? BUILTINS.value;
  }

  private mustExist(key: string, where: string): void {
    if (!this.infos.types.has(key)) throw new IntrospectionError(`${where}: type '${key}' is not defined`);
  }
}
