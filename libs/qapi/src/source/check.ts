import type {
  AlternateDefinition,
  CommandDefinition,
  EventDefinition,
  MembersOrType,
  SourceDefinition,
  UnionDefinition,
} from './definitions.js';
import { Expression, longhand } from './expression.js';
import { camelCaseFault, lowerCaseFault, upperCaseFault } from './names.js';
import { isObject } from './parser.js';
import type { Pragmas } from './pragma.js';
import { QapiSchemaError } from './position.js';
import type { SourceItem } from './schema-files.js';

const KINDS = ['enum', 'struct', 'union', 'alternate', 'command', 'event'] as const;
type Kind = (typeof KINDS)[number];

/** Keys of each kind beside the one that names it: the required ones, then the optional ones. */
const KEYS: Record<Kind, readonly [readonly string[], readonly string[]]> = {
  enum: [['data'], ['prefix', 'if', 'features']],
  struct: [['data'], ['base', 'if', 'features']],
  union: [
    ['base', 'discriminator', 'data'],
    ['if', 'features'],
  ],
  alternate: [['data'], ['if', 'features']],
  command: [
    [],
    // prettier-ignore
    ['data', 'returns', 'boxed', 'gen', 'success-response', 'allow-oob', 'allow-preconfig', 'coroutine', 'if', 'features'],
  ],
  event: [[], ['data', 'boxed', 'if', 'features']],
};

type ItemOf<K> = Extract<SourceItem, { kind: K }>;

/**
 * Checks one definition, as far as possible without the others.
 * @throws QapiSchemaError at the line the definition starts on
 */
export function checkDefinition(item: ItemOf<'definition'>, pragmas: Pragmas): SourceDefinition {
  const { value, position, doc } = item;
  const [kind, ...more] = KINDS.filter((key) => value.has(key));
  if (kind === undefined || more.length > 0) {
    throw new QapiSchemaError(position, `a definition has exactly one of the keys ${KINDS.join(', ')}`);
  }
  const name = new Expression(value, position).string(value.get(kind), `'${kind}'`);
  const expression = new Expression(value, position, `${kind} '${name}'`);
  checkName(expression, kind, name, pragmas);
  if (doc === undefined) {
    if (pragmas.docRequired) expression.fail('lacks documentation');
  } else {
    if (doc.symbol !== name) expression.fail(`the documentation above is that of '${doc.symbol ?? ''}'`);
    const misplaced = doc.sections.find(({ tag }) => kind !== 'command' && (tag === 'Returns' || tag === 'Errors'));
    if (misplaced) throw new QapiSchemaError(misplaced.position, `only commands have a section '${misplaced.tag}:'`);
  }
  const [required, optional] = KEYS[kind];
  expression.object(value, `the ${kind}`, [kind, ...required], optional);
  const permissive = pragmas.excepts('member-name-exceptions', name);
  const parts = checkParts(expression, kind, permissive);
  const condition = expression.condition(value, `the ${kind}`);
  return { name, position, doc, ...parts, ...condition, features: expression.features(value) };
}

function checkName(expression: Expression, kind: Kind, name: string, pragmas: Pragmas): void {
  const fault =
    kind === 'event'
      ? upperCaseFault(name)
      : kind === 'command'
        ? lowerCaseFault(name, { underscore: pragmas.excepts('command-name-exceptions', name) })
        : camelCaseFault(name);
  if (fault !== undefined) expression.fail(`the name '${name}' ${fault}`);
  if (kind !== 'command' && kind !== 'event' && name.endsWith('List')) {
    expression.fail("names that end in 'List' are those of arrays");
  }
}

/** A definition without the parts that all definitions have. */
type Parts<D> = D extends unknown ? Omit<D, 'name' | 'position' | 'doc' | 'if' | 'features'> : never;

function checkParts(expression: Expression, kind: Kind, permissive: boolean): Parts<SourceDefinition> {
  const { value } = expression;
  const data = value.get('data');
  switch (kind) {
    case 'enum': {
      // The prefix is for C constants, which this compiler does not generate; it must still be valid.
      if (value.has('prefix')) expression.string(value.get('prefix'), "'prefix'");
      return { kind, values: expression.enumValues(data, permissive) };
    }
    case 'struct': {
      const members = expression.members(data, 'data', permissive);
      const base = value.has('base') ? expression.typeName(value.get('base'), "'base'") : undefined;
      return { kind, base, members };
    }
    case 'union':
      return checkUnion(expression, permissive);
    case 'alternate':
      return checkAlternate(expression);
    case 'command':
      return checkCommand(expression);
    case 'event':
      return checkEvent(expression);
  }
}

function checkUnion(expression: Expression, permissive: boolean): Parts<UnionDefinition> {
  const { value } = expression;
  const base = expression.membersOrType(value.get('base'), 'base', permissive);
  const discriminator = expression.string(value.get('discriminator'), "'discriminator'");
  const data = value.get('data');
  if (!isObject(data)) return expression.fail("'data' should be an object");
  const branches = [...data].map(([name, item]) => {
    const what = `branch '${name}'`;
    const branch = expression.object(longhand(item, 'type'), what, ['type'], ['if']);
    const condition = expression.condition(branch, what);
    return { name, type: expression.typeName(branch.get('type'), what), ...condition };
  });
  return { kind: 'union', base, discriminator, branches };
}

function checkAlternate(expression: Expression): Parts<AlternateDefinition> {
  const data = expression.value.get('data');
  if (!isObject(data)) return expression.fail("'data' should be an object");
  if (data.size === 0) expression.fail("'data' is empty");
  const branches = [...data].map(([name, item]) => {
    const what = `branch '${name}'`;
    const fault = lowerCaseFault(name);
    if (fault !== undefined) expression.fail(`the name of ${what} ${fault}`);
    const branch = expression.object(longhand(item, 'type'), what, ['type'], ['if']);
    const condition = expression.condition(branch, what);
    return { name, type: expression.typeOrArray(branch.get('type'), what), ...condition };
  });
  return { kind: 'alternate', branches };
}

function checkCommand(expression: Expression): Parts<CommandDefinition> {
  const { value } = expression;
  const { data, boxed } = checkData(expression);
  const returns = value.has('returns') ? expression.typeOrArray(value.get('returns'), "'returns'") : undefined;
  const allowOob = expression.flag('allow-oob', false);
  const coroutine = expression.flag('coroutine', false);
  if (allowOob && coroutine) expression.fail("'allow-oob' and 'coroutine' exclude each other");
  return {
    kind: 'command',
    data,
    boxed,
    returns,
    allowOob,
    coroutine,
    allowPreconfig: expression.flag('allow-preconfig', false),
    gen: expression.flag('gen', true),
    successResponse: expression.flag('success-response', true),
  };
}

function checkEvent(expression: Expression): Parts<EventDefinition> {
  return { kind: 'event', ...checkData(expression) };
}

/** `data` and `boxed` of a command or event. Their members have no exceptions from the naming rules. */
function checkData(expression: Expression): { data: MembersOrType | undefined; boxed: boolean } {
  const { value } = expression;
  const boxed = expression.flag('boxed', false);
  if (!value.has('data')) {
    if (boxed) expression.fail("'boxed' needs 'data'");
    return { data: undefined, boxed };
  }
  const data = value.get('data');
  return { data: boxed ? expression.typeName(data, "'data'") : expression.membersOrType(data, 'data', false), boxed };
}
