import type {
  AlternateBranch,
  AlternateType,
  ArrayType,
  BuiltinName,
  Command,
  EnumType,
  EnumValue,
  Event,
  JsonType,
  Member,
  ObjectType,
  QapiModel,
  QapiType,
  Variant,
} from '@qmp-gateway/qapi';
import { CatalogError, catalogFormat, type Catalog, type CatalogGreeting, type CatalogMeta } from './catalog.js';
import { CatalogPartError, ObjectReader } from './catalog-reader.js';
import { isServerKind, serverKindNames, type ServerKind } from './server-kinds.js';
import { commandKnowledge } from './command-knowledge.js';
import { eventSummary } from './event-knowledge.js';

type Open<T> = { -readonly [K in keyof T]: T[K] };
type DefinedType = Open<ObjectType> | Open<EnumType> | Open<AlternateType>;

const builtins: Readonly<Record<BuiltinName, JsonType>> = {
  str: 'string',
  bool: 'boolean',
  null: 'null',
  any: 'value',
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
};

/**
 * Parses a catalog and checks everything in it: kinds of values, names, references, tags.
 *
 * @param fileName for messages
 * @throws {CatalogError} for an unknown format, or for the first damage found
 */
export function decodeCatalog(text: string, fileName: string): Catalog {
  try {
    const root = new ObjectReader(parse(text), '');
    const meta = decodeMeta(root);
    const model = new CatalogDecoder(meta.kind).decode(root);
    const docs = decodeDocs(root);
    root.done();
    return { meta, model, docs };
  } catch (error) {
    if (error instanceof CatalogPartError) throw new CatalogError(fileName, error.message);
    throw error;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CatalogPartError('', 'not JSON; is the file cut off?');
  }
}

function decodeMeta(root: ObjectReader): CatalogMeta {
  const format = root.value('format');
  if (format !== catalogFormat) {
    const found = format === undefined ? 'none' : JSON.stringify(format);
    root.fail(`catalog format ${found} is not known here; this release reads ${catalogFormat}`);
  }
  const kind = root.text('kind');
  if (!isServerKind(kind)) root.fail(`'kind' must be one of ${serverKindNames.join(', ')}`);
  const source = root.optionalText('source');
  const [name, version] = [root.text('name'), root.text('version')];
  const greeting = decodeGreeting(root.object('greeting'));
  return { format: catalogFormat, name, version, kind, greeting, ...(source && { source }) };
}

function decodeGreeting(reader: ObjectReader): CatalogGreeting {
  const [packageStart, version] = [reader.optionalText('package'), reader.text('version')];
  reader.done();
  return { ...(packageStart !== undefined && { package: packageStart }), version };
}

function decodeDocs(root: ObjectReader): ReadonlyMap<string, string> {
  if (!root.has('docs')) return new Map();
  const reader = root.object('docs');
  return new Map(
    reader.entries().map(([name, text]) => {
      if (typeof text !== 'string') return reader.fail(`the documentation of '${name}' must be a string`);
      return [name, text] as const;
    }),
  );
}

class CatalogDecoder {
  readonly #types = new Map<string, QapiType>();
  readonly #defined = new Map<string, DefinedType>();

  constructor(private readonly kind: ServerKind) {}

  decode(root: ObjectReader): QapiModel {
    const types = root.object('types');
    const readers = types
      .entries()
      .map(([name, value]) => ({ name, reader: new ObjectReader(value, `type '${name}'`) }));
    for (const { name, reader } of readers) this.#declare(name, reader);
    for (const { name, reader } of readers) this.#fill(name, reader);
    // Bases are complete only now, in any order of names.
    for (const { type, own } of this.#basesLast()) type.members = [...(type.base?.members ?? []), ...own];
    for (const { name, reader } of readers) this.#checkVariants(name, reader);

    const commands = root
      .object('commands')
      .entries()
      .map(([name, value]) => this.#command(name, value));
    const events = root
      .object('events')
      .entries()
      .map(([name, value]) => this.#event(name, value));
    for (const [name, type] of this.#defined) this.#types.set(name, type);
    return {
      commands: new Map(commands.map((command) => [command.name, command])),
      events: new Map(events.map((event) => [event.name, event])),
      types: this.#types,
    };
  }

  #declare(name: string, reader: ObjectReader): void {
    const module = reader.optionalText('module');
    const shared = {
      name,
      ...(module !== undefined && { module }),
      ...(reader.flag('implicit', false) && { implicit: true }),
      ...reader.conditionAndFeatures(),
    };
    if (Object.hasOwn(builtins, name)) reader.fail('is a built-in type');
    if (reader.has('enum')) this.#defined.set(name, { kind: 'enum', ...shared, values: [] });
    else if (reader.has('alternate')) this.#defined.set(name, { kind: 'alternate', ...shared, branches: [] });
    else if (reader.has('members')) this.#defined.set(name, { kind: 'object', ...shared, members: [] });
    else reader.fail("needs 'enum', 'alternate' or 'members'");
  }

  #fill(name: string, reader: ObjectReader): void {
    const type = this.#defined.get(name);
    if (type?.kind === 'enum') type.values = reader.list('enum').map((value) => decodeEnumValue(value, reader.where));
    else if (type?.kind === 'alternate')
      type.branches = reader.list('alternate').map((value) => this.#branch(value, reader));
    else if (type?.kind === 'object') this.#object(type, reader);
    reader.done();
  }

  readonly #own: { readonly type: Open<ObjectType>; readonly own: readonly Member[] }[] = [];

  #object(type: Open<ObjectType>, reader: ObjectReader): void {
    const base = reader.value('base');
    if (base !== undefined) type.base = this.#dataOf(type, base, 'base', reader);
    this.#own.push({ type, own: this.#members(reader.object('members')) });
    const tag = reader.optionalText('tag');
    if (tag === undefined) {
      if (reader.has('cases')) reader.fail("'cases' needs a 'tag'");
      return;
    }
    const cases = reader
      .object('cases')
      .entries()
      .map(([value, variant]): Variant => {
        if (typeof variant === 'string') return { case: value, type: this.#objectType(variant, reader) };
        const part = new ObjectReader(variant, `case '${value}' of ${reader.where}`);
        const decoded = { case: value, type: this.#objectType(part.text('type'), part), ...part.condition() };
        part.done();
        return decoded;
      });
    type.variants = { tag, cases };
  }

  /** Sorts objects so that every base precedes the types derived from it. */
  #basesLast(): { readonly type: Open<ObjectType>; readonly own: readonly Member[] }[] {
    const entries = new Map(this.#own.map((entry) => [entry.type as ObjectType, entry]));
    const ordered = new Set<{ readonly type: Open<ObjectType>; readonly own: readonly Member[] }>();
    for (const start of this.#own) {
      const chain: (typeof start)[] = [];
      let entry: typeof start | undefined = start;
      while (entry !== undefined && !ordered.has(entry)) {
        if (chain.includes(entry)) throw new CatalogPartError(`type '${start.type.name}'`, 'is its own base');
        chain.push(entry);
        entry = entry.type.base && entries.get(entry.type.base);
      }
      for (const link of chain.reverse()) ordered.add(link);
    }
    return [...ordered];
  }

  #checkVariants(name: string, reader: ObjectReader): void {
    const type = this.#defined.get(name);
    if (type?.kind !== 'object') return;
    const names = type.members.map((member) => member.name);
    const twice = names.find((member, at) => names.indexOf(member) !== at);
    if (twice !== undefined) reader.fail(`member '${twice}' occurs twice`);
    if (type.variants === undefined) return;
    const { tag, cases } = type.variants;
    const tagType = type.members.find((member) => member.name === tag)?.type;
    if (tagType?.kind !== 'enum') return reader.fail(`tag '${tag}' is not a member of an enum type`);
    const values = new Set(tagType.values.map((value) => value.name));
    for (const variant of cases) {
      if (!values.has(variant.case)) reader.fail(`case '${variant.case}' is not a value of '${tagType.name}'`);
    }
  }

  #branch(value: unknown, owner: ObjectReader): AlternateBranch {
    const reader = new ObjectReader(value, `a branch of ${owner.where}`);
    const name = reader.optionalText('name');
    const type = this.#reference(reader.text('type'), reader);
    const branch = { ...(name !== undefined && { name }), type, ...reader.condition() };
    reader.done();
    return branch;
  }

  #members(reader: ObjectReader): readonly Member[] {
    return reader.entries().map(([written, value]): Member => {
      const optional = written.endsWith('?');
      const name = optional ? written.slice(0, -1) : written;
      if (typeof value === 'string') return { name, type: this.#reference(value, reader), optional, features: [] };
      const part = new ObjectReader(value, `member '${name}' of ${reader.where}`);
      const type = this.#reference(part.text('type'), part);
      const member = { name, type, optional, ...part.conditionAndFeatures() };
      part.done();
      return member;
    });
  }

  /** `[x]` is an array; arrays and built-in types are created when something refers to them. */
  #reference(text: string, reader: ObjectReader): QapiType {
    const array = /^\[(.+)\]$/.exec(text);
    if (array?.[1] !== undefined) {
      const element = this.#reference(array[1], reader);
      const made: ArrayType = { kind: 'array', name: `${element.name}List`, element };
      return this.#remember(made.name, made);
    }
    const defined = this.#defined.get(text);
    if (defined !== undefined) return defined;
    if (!Object.hasOwn(builtins, text)) return reader.fail(`unknown type '${text}'`);
    const name = text as BuiltinName;
    return this.#remember(name, { kind: 'builtin', name, json: builtins[name] });
  }

  #remember<T extends QapiType>(name: string, type: T): T {
    const known = this.#types.get(name);
    if (known !== undefined) return known as T;
    this.#types.set(name, type);
    return type;
  }

  #objectType(name: string, reader: ObjectReader): ObjectType {
    const type = this.#defined.get(name);
    return type?.kind === 'object' ? type : reader.fail(`'${name}' is not an object type`);
  }

  /** The object for a name or inline members; an absent one is the empty object. */
  #dataOf(
    owner: { readonly name: string; readonly module?: string; readonly if?: ObjectType['if'] },
    value: unknown,
    role: 'arg' | 'base',
    reader: ObjectReader,
  ): ObjectType {
    if (value === undefined) {
      return this.#remember('q_empty', { kind: 'object', name: 'q_empty', implicit: true, members: [], features: [] });
    }
    if (typeof value === 'string') return this.#objectType(value, reader);
    const name = `q_obj_${owner.name}-${role}`;
    const members = this.#members(new ObjectReader(value, `the members of ${reader.where}`));
    const made: ObjectType = {
      kind: 'object',
      name,
      implicit: true,
      ...(owner.module !== undefined && { module: owner.module }),
      ...(owner.if !== undefined && { if: owner.if }),
      members,
      features: [],
    };
    return this.#remember(name, made);
  }

  #command(name: string, value: unknown): Command {
    const reader = new ObjectReader(value, `command '${name}'`);
    const parts = this.#definition(name, reader, commandKnowledge(this.kind, name).summary);
    const returns = reader.optionalText('returns');
    const command: Command = {
      kind: 'command',
      ...parts,
      arguments: this.#dataOf(parts, reader.value('arguments'), 'arg', reader),
      returns: returns === undefined ? this.#dataOf(parts, undefined, 'arg', reader) : this.#reference(returns, reader),
      allowOob: reader.flag('oob', false),
      boxed: reader.flag('boxed', false),
      allowPreconfig: reader.flag('preconfig', false),
      coroutine: reader.flag('coroutine', false),
      gen: reader.flag('gen', true),
      successResponse: reader.flag('successResponse', true),
    };
    reader.done();
    return command;
  }

  #event(name: string, value: unknown): Event {
    const reader = new ObjectReader(value, `event '${name}'`);
    const parts = this.#definition(name, reader, eventSummary(this.kind, name));
    const data = this.#dataOf(parts, reader.value('data'), 'arg', reader);
    const event: Event = { kind: 'event', ...parts, data, boxed: reader.flag('boxed', false) };
    reader.done();
    return event;
  }

  #definition(name: string, reader: ObjectReader, ourSummary: string | undefined): Omit<Event, 'kind' | 'data'> {
    const [module, since] = [reader.optionalText('module'), reader.optionalText('since')];
    const summary = reader.optionalText('summary') ?? ourSummary;
    return {
      name,
      ...(module !== undefined && { module }),
      ...reader.conditionAndFeatures(),
      ...(summary !== undefined && { summary }),
      ...(since !== undefined && { since }),
    };
  }
}

function decodeEnumValue(value: unknown, where: string): EnumValue {
  if (typeof value === 'string') return { name: value, features: [] };
  const reader = new ObjectReader(value, `a value of ${where}`);
  const decoded = { name: reader.text('name'), ...reader.conditionAndFeatures() };
  reader.done();
  return decoded;
}
