import type {
  AlternateBranch,
  Command,
  Condition,
  EnumType,
  Event,
  Feature,
  Member,
  ObjectType,
  QapiModel,
  QapiType,
} from '@qmp-gateway/qapi';
import type { CatalogMeta } from './catalog.js';
import { commandKnowledge } from './command-knowledge.js';
import { eventSummary } from './event-knowledge.js';

export interface EncodeOptions {
  /** Documentation to include, by definition name. Never for published catalogs. */
  readonly docs?: ReadonlyMap<string, string>;
}

type Json = string | boolean | number | readonly Json[] | { readonly [name: string]: Json | undefined };

/**
 * A catalog as text: the meta, then a line for every type, command and event, by name. The same model gives the same
 * bytes. A member is `"name": "type"`, an optional one `"name?"`, an array `"[type]"`; absent keys mean the default of
 * the QAPI language. Summaries that equal those of this package's tables are left out.
 */
export function encodeCatalog(model: QapiModel, meta: CatalogMeta, options: EncodeOptions = {}): string {
  const inlined = inlinedTypes(model);
  const types = [...model.types.values()].filter((type) => isWritten(type, inlined));
  const { format, name, version, kind, greeting, source } = meta;
  const sections = {
    types: section(types, (type) => encodeType(type, inlined)),
    commands: section([...model.commands.values()], (command) => encodeCommand(command, meta, inlined)),
    events: section([...model.events.values()], (event) => encodeEvent(event, meta, inlined)),
    ...(options.docs && {
      docs: section(
        [...options.docs].map(([of, text]) => ({ name: of, text })),
        ({ text }) => text,
      ),
    }),
  };
  const head = JSON.stringify({ format, name, version, kind, greeting, source }).slice(1, -1);
  const body = Object.entries(sections).map(([title, lines]) => `"${title}":{\n${lines.join(',\n')}\n}`);
  return `{${head},\n${body.join(',\n')}\n}\n`;
}

function section<Item extends { readonly name: string }>(
  items: readonly Item[],
  encode: (item: Item) => Json,
): string[] {
  return items
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((item) => `${JSON.stringify(item.name)}:${JSON.stringify(encode(item))}`);
}

/** Nameless objects that can be inline: arguments of one command, data of one event, base of one union. */
function inlinedTypes(model: QapiModel): ReadonlySet<QapiType> {
  const inlined = new Set<QapiType>();
  const consider = (owner: { name: string; module?: string; if?: Condition }, type: ObjectType, role: string): void => {
    const plain = type.implicit === true && type.features.length === 0 && !type.base && !type.variants;
    const same = type.module === owner.module && JSON.stringify(type.if) === JSON.stringify(owner.if);
    if (plain && same && type.name === `q_obj_${owner.name}-${role}`) inlined.add(type);
  };
  for (const command of model.commands.values()) consider(command, command.arguments, 'arg');
  for (const event of model.events.values()) consider(event, event.data, 'arg');
  for (const type of model.types.values()) if (type.kind === 'object' && type.base) consider(type, type.base, 'base');
  return inlined;
}

type NamedType = Exclude<QapiType, { kind: 'builtin' | 'array' }>;

function isWritten(type: QapiType, inlined: ReadonlySet<QapiType>): type is NamedType {
  return type.kind !== 'builtin' && type.kind !== 'array' && !inlined.has(type) && !isEmptyObject(type);
}

/** The type of commands without arguments: its name is known, so it is not written. */
function isEmptyObject(type: QapiType): boolean {
  return type.kind === 'object' && type.name === 'q_empty';
}

function reference(type: QapiType): string {
  return type.kind === 'array' ? `[${reference(type.element)}]` : type.name;
}

function encodeType(type: NamedType, inlined: ReadonlySet<QapiType>): Json {
  const shared = { module: type.module, implicit: type.implicit, if: type.if, features: encodeFeatures(type.features) };
  switch (type.kind) {
    case 'enum':
      return { ...shared, enum: encodeValues(type) };
    case 'alternate':
      return { ...shared, alternate: type.branches.map(encodeBranch) };
    case 'object': {
      const { base, variants } = type;
      const cases = variants?.cases.map(({ case: value, type: body, if: condition }): [string, Json] => [
        value,
        condition === undefined ? body.name : { type: body.name, if: condition },
      ]);
      return {
        ...shared,
        base: base && (inlined.has(base) ? encodeMembers(base.members) : base.name),
        members: encodeMembers(type.members.slice(base?.members.length ?? 0)),
        tag: variants?.tag,
        cases: cases && Object.fromEntries(cases),
      };
    }
  }
}

function encodeValues(type: EnumType): Json {
  return type.values.map(({ name, if: condition, features }) =>
    condition === undefined && features.length === 0
      ? name
      : { name, if: condition, features: encodeFeatures(features) },
  );
}

function encodeBranch({ name, type, if: condition }: AlternateBranch): Json {
  return { name, type: reference(type), if: condition };
}

function encodeMembers(members: readonly Member[]): Json {
  return Object.fromEntries(
    members.map(({ name, type, optional, if: condition, features }): [string, Json] => [
      optional ? `${name}?` : name,
      condition === undefined && features.length === 0
        ? reference(type)
        : { type: reference(type), if: condition, features: encodeFeatures(features) },
    ]),
  );
}

function encodeFeatures(features: readonly Feature[]): Json | undefined {
  if (features.length === 0) return undefined;
  return features.map(({ name, if: condition }) => (condition === undefined ? name : { name, if: condition }));
}

/** Undefined for none, the members if they can be inline, otherwise the type's name. */
function encodeData(type: ObjectType, inlined: ReadonlySet<QapiType>): Json | undefined {
  if (isEmptyObject(type)) return undefined;
  return inlined.has(type) ? encodeMembers(type.members) : type.name;
}

function encodeCommand(command: Command, { kind }: CatalogMeta, inlined: ReadonlySet<QapiType>): Json {
  const { name, module, if: condition, features, returns, summary, since } = command;
  return {
    module,
    since,
    arguments: encodeData(command.arguments, inlined),
    returns: isEmptyObject(returns) ? undefined : reference(returns),
    oob: command.allowOob || undefined,
    boxed: command.boxed === true || undefined,
    preconfig: command.allowPreconfig === true || undefined,
    coroutine: command.coroutine === true || undefined,
    gen: command.gen === false ? false : undefined,
    successResponse: command.successResponse === false ? false : undefined,
    if: condition,
    features: encodeFeatures(features),
    summary: summary === commandKnowledge(kind, name).summary ? undefined : summary,
  };
}

function encodeEvent(event: Event, { kind }: CatalogMeta, inlined: ReadonlySet<QapiType>): Json {
  const { name, module, if: condition, features, data, boxed, summary, since } = event;
  return {
    module,
    since,
    data: encodeData(data, inlined),
    boxed: boxed === true || undefined,
    if: condition,
    features: encodeFeatures(features),
    summary: summary === eventSummary(kind, name) ? undefined : summary,
  };
}
