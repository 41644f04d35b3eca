import { isRecord } from './is-record.js';
import type { EnumValue, Feature, JsonType } from './model.js';

/** The answer to `query-qmp-schema` does not match QEMU's documentation of introspection; the message says where. */
export class IntrospectionError extends Error {
  override readonly name: string = 'IntrospectionError';
}

/** More of something than the reader accepts. */
export class IntrospectionSizeError extends IntrospectionError {
  override readonly name = 'IntrospectionSizeError';
}

/** Limits of an introspection; its author can write any number of entries with names of any length. */
export interface IntrospectionBounds {
  /** A larger one is an {@link IntrospectionSizeError}. */
  readonly entries: number;
  readonly commands: number;
  /** Whether it is a valid name of a command or event; others are left out. */
  isName(name: string): boolean;
  /** Characters in the name of a member, case or value; a type with a longer one counts as a type of unknown kind. */
  readonly memberName: number;
  /** Called for each definition that is left out or counts as one of unknown kind. */
  readonly leftOut: () => void;
}

const unbounded: IntrospectionBounds = {
  entries: Infinity,
  commands: Infinity,
  isName: () => true,
  memberName: Infinity,
  leftOut: () => undefined,
};

/** A type as introspection describes it: references are names, including those to arrays and built-in types. */
export type TypeInfo =
  | { readonly meta: 'builtin'; readonly json: JsonType }
  | { readonly meta: 'enum'; readonly features: Feature[]; readonly values: EnumValue[] }
  | { readonly meta: 'array'; readonly element: string }
  | ({ readonly meta: 'object'; readonly features: Feature[] } & ObjectParts)
  | { readonly meta: 'alternate'; readonly features: Feature[]; readonly branches: readonly string[] }
  /** A kind of type that this reader does not know. */
  | { readonly meta: 'unknown' };

interface ObjectParts {
  readonly members: readonly MemberInfo[];
  readonly tag?: string;
  readonly cases: readonly { readonly case: string; readonly type: string }[];
}

interface MemberInfo {
  readonly name: string;
  readonly type: string;
  readonly optional: boolean;
  readonly features: Feature[];
}

export interface CommandInfo {
  readonly name: string;
  readonly arguments: string;
  readonly returns: string;
  readonly allowOob: boolean;
  readonly features: Feature[];
}

export interface EventInfo {
  readonly name: string;
  readonly data: string;
  readonly features: Feature[];
}

export interface SchemaInfos {
  readonly commands: readonly CommandInfo[];
  readonly events: readonly EventInfo[];
  readonly types: ReadonlyMap<string, TypeInfo>;
}

const JSON_TYPES: ReadonlySet<unknown> = new Set<JsonType>(['string', 'boolean', 'null', 'value', 'number', 'int']);

/**
 * The entries of an introspection, each checked on its own; references are not resolved.
 *
 * @throws {IntrospectionError}
 */
export function readSchemaInfos(value: unknown, bounds: IntrospectionBounds = unbounded): SchemaInfos {
  const commands = new Map<string, CommandInfo>();
  const events = new Map<string, EventInfo>();
  const types = new Map<string, TypeInfo>();
  const items = list(value, 'introspection');
  if (items.length > bounds.entries) throw new IntrospectionSizeError(`introspection: over ${bounds.entries} entries`);
  for (const [index, item] of items.entries()) {
    const entry = record(item, `entry ${index}`);
    const name = text(entry['name'], `entry ${index}: name`);
    const meta = text(entry['meta-type'], `'${name}': meta-type`);
    const where = `${meta} '${name}'`;
    if ((meta === 'command' || meta === 'event') && !bounds.isName(name)) bounds.leftOut();
    else if (meta === 'command') define(commands, name, where, readCommand(name, entry, where));
    else if (meta === 'event') define(events, name, where, readEvent(name, entry, where));
    else define(types, name, where, bounded(readType(meta, entry, where), bounds));
  }
  if (commands.size > bounds.commands)
    throw new IntrospectionSizeError(`introspection: over ${bounds.commands} commands`);
  return { commands: [...commands.values()], events: [...events.values()], types };
}

function bounded(type: TypeInfo, { memberName, leftOut }: IntrospectionBounds): TypeInfo {
  if (!namesIn(type).some((name) => name.length > memberName)) return type;
  leftOut();
  return { meta: 'unknown' };
}

function namesIn(type: TypeInfo): string[] {
  if (type.meta === 'enum') return type.values.map(({ name }) => name);
  if (type.meta !== 'object') return [];
  return [...type.members.map(({ name }) => name), ...type.cases.map((variant) => variant.case)];
}

function define<T>(known: Map<string, T>, name: string, where: string, info: T): void {
  if (known.has(name)) throw new IntrospectionError(`${where} is defined twice`);
  known.set(name, info);
}

function readCommand(name: string, entry: Entry, where: string): CommandInfo {
  return {
    name,
    arguments: text(entry['arg-type'], `${where}: arg-type`),
    returns: text(entry['ret-type'], `${where}: ret-type`),
    allowOob: entry['allow-oob'] === true,
    features: readFeatures(entry, where),
  };
}

function readEvent(name: string, entry: Entry, where: string): EventInfo {
  return { name, data: text(entry['arg-type'], `${where}: arg-type`), features: readFeatures(entry, where) };
}

function readType(meta: string, entry: Entry, where: string): TypeInfo {
  switch (meta) {
    case 'builtin': {
      const json = entry['json-type'];
      return JSON_TYPES.has(json) ? { meta, json: json as JsonType } : { meta: 'unknown' };
    }
    case 'enum':
      return { meta, features: readFeatures(entry, where), values: readEnumValues(entry, where) };
    case 'array':
      return { meta, element: text(entry['element-type'], `${where}: element-type`) };
    case 'object':
      return { meta, features: readFeatures(entry, where), ...readObject(entry, where) };
    case 'alternate': {
      const branches = list(entry['members'], `${where}: members`);
      return {
        meta,
        features: readFeatures(entry, where),
        branches: branches.map((item) => text(record(item, `${where}: member`)['type'], `${where}: member type`)),
      };
    }
    default:
      return { meta: 'unknown' };
  }
}

/** `members` since 6.2; before that, and beside it, the bare `values`. */
function readEnumValues(entry: Entry, where: string): EnumValue[] {
  if (entry['members'] === undefined) {
    const values = list(entry['values'], `${where}: values`);
    return values.map((value) => ({ name: text(value, `${where}: value`), features: [] }));
  }
  return list(entry['members'], `${where}: members`).map((item) => {
    const value = record(item, `${where}: member`);
    const name = text(value['name'], `${where}: member name`);
    return { name, features: readFeatures(value, `${where}: member '${name}'`) };
  });
}

function readObject(entry: Entry, where: string): ObjectParts {
  const members = list(entry['members'], `${where}: members`).map((item) => readMember(item, where));
  if (entry['tag'] === undefined) return { members, cases: [] };
  const tag = text(entry['tag'], `${where}: tag`);
  if (!members.some((member) => member.name === tag))
    throw new IntrospectionError(`${where}: tag '${tag}' is not a member`);
  const cases = list(entry['variants'], `${where}: variants`).map((item) => {
    const variant = record(item, `${where}: variant`);
    const value = text(variant['case'], `${where}: case`);
    return { case: value, type: text(variant['type'], `${where}: case '${value}': type`) };
  });
  return { members, tag, cases };
}

/** The presence of `default` (so far always null) makes a member optional. */
function readMember(item: unknown, where: string): MemberInfo {
  const member = record(item, `${where}: member`);
  const name = text(member['name'], `${where}: member name`);
  return {
    name,
    type: text(member['type'], `${where}: member '${name}': type`),
    optional: member['default'] !== undefined,
    features: readFeatures(member, `${where}: member '${name}'`),
  };
}

function readFeatures(entry: Entry, where: string): Feature[] {
  if (entry['features'] === undefined) return [];
  return list(entry['features'], `${where}: features`).map((name) => ({ name: text(name, `${where}: feature`) }));
}

type Entry = Readonly<Record<string, unknown>>;

function record(value: unknown, where: string): Entry {
  if (isRecord(value)) return value;
  throw new IntrospectionError(`${where}: expected an object`);
}

function list(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new IntrospectionError(`${where}: expected an array`);
}

function text(value: unknown, where: string): string {
  if (typeof value === 'string') return value;
  throw new IntrospectionError(`${where}: expected a string`);
}
