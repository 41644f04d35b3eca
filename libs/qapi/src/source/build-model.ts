import type {
  AlternateBranch,
  Command,
  Event,
  Feature,
  Member,
  ObjectType,
  QapiModel,
  QapiType,
  Variant,
} from '../model.js';
import { checkAlternateBranches } from './alternates.js';
import type { SourceMember } from './definitions.js';
import { sinceOf } from './doc-comment.js';
import { cName } from './names.js';
import { QapiSchemaError } from './position.js';
import type { Pragmas } from './pragma.js';
import {
  type AlternateSymbol,
  type CommandSymbol,
  EMPTY,
  type EventSymbol,
  type ObjectSymbol,
  type SchemaSymbol,
  type SymbolTable,
  type TypeSymbol,
  SPECIAL_FEATURES,
  describe,
  moduleName,
  referencedName,
} from './symbols.js';

/**
 * The maximum nesting of bases and union branches in a type. QEMU's stay under 10; the bound protects the stack from
 * hostile schemas.
 */
const MAX_OBJECT_DEPTH = 200;

/**
 * Resolves names, checks what requires that, and builds the model.
 * @throws QapiSchemaError for the first fault in order of definition
 */
export function buildModel(table: SymbolTable, pragmas: Pragmas): QapiModel {
  const builder = new SourceModelBuilder(table, pragmas);
  for (const symbol of table) builder.finish(symbol);
  return builder.model();
}

/** What is known about a finished object type. */
interface FinishedObject {
  readonly depth: number;
  /**
   * Names (as in C) of all members that any value of the type can have, cases included, with words to describe each.
   */
  readonly memberNames: ReadonlyMap<string, string>;
}

class SourceModelBuilder {
  readonly #commands = new Map<string, Command>();
  readonly #events = new Map<string, Event>();
  /** Undefined while in progress. */
  readonly #objects = new Map<ObjectSymbol, FinishedObject | undefined>();
  /** Built-in types that something refers to. */
  readonly #used = new Set<TypeSymbol>();

  constructor(
    private readonly table: SymbolTable,
    private readonly pragmas: Pragmas,
  ) {}

  model(): QapiModel {
    const types = new Map<string, QapiType>();
    for (const symbol of this.table) {
      if (symbol.kind === 'command' || symbol.kind === 'event') continue;
      if (symbol.position !== undefined || this.#used.has(symbol)) types.set(symbol.name, symbol.type);
    }
    return { commands: this.#commands, events: this.#events, types };
  }

  finish(symbol: SchemaSymbol): void {
    switch (symbol.kind) {
      case 'builtin':
        break;
      case 'enum':
        checkTypeFeatures(symbol, symbol.type.features);
        claim(symbol, new Map(), named('value', symbol.type.values));
        for (const value of symbol.type.values) checkFeatures(symbol, value.features);
        break;
      case 'array':
        symbol.type.element = this.#lookUp(symbol.elementName, symbol, 'an array').type;
        break;
      case 'object':
        this.#object(symbol, 0);
        break;
      case 'alternate':
        this.#alternate(symbol);
        break;
      case 'command':
        this.#command(symbol);
        break;
      case 'event':
        this.#event(symbol);
        break;
    }
  }

  #lookUp(name: string, user: SchemaSymbol, what: string): TypeSymbol {
    const symbol = this.table.get(name);
    if (symbol === undefined || symbol.kind === 'command' || symbol.kind === 'event') {
      return fail(user, `${what} uses the unknown type '${name}'`);
    }
    if (user.position !== undefined && symbol.position === undefined) {
      this.#used.add(symbol);
      if (symbol.kind === 'array') this.#lookUp(symbol.elementName, user, what);
    }
    return symbol;
  }

  #object(symbol: ObjectSymbol, nesting: number): FinishedObject {
    const finished = this.#objects.get(symbol);
    if (finished !== undefined) return finished;
    if (this.#objects.has(symbol)) return fail(symbol, `${describe(symbol)} contains itself`);
    if (nesting > MAX_OBJECT_DEPTH) return tooDeep(symbol);
    this.#objects.set(symbol, undefined);
    checkTypeFeatures(symbol, symbol.type.features);

    const seen = new Map<string, string>();
    let depth = 0;
    if (symbol.baseName !== undefined) {
      const base = this.#lookUp(symbol.baseName, symbol, "'base'");
      if (base.kind !== 'object' || base.union) return fail(symbol, `'base' is to be a struct, not ${describe(base)}`);
      const finishedBase = this.#object(base, nesting + 1);
      depth = finishedBase.depth + 1;
      for (const [name, described] of finishedBase.memberNames) seen.set(name, described);
      symbol.type.base = base.type;
    }
    const local = symbol.members.map((member) => this.#member(member, symbol));
    const suffix = symbol.type.implicit === true ? '' : ` of '${symbol.name}'`;
    claim(symbol, seen, named('member', local, suffix));
    symbol.type.members = [...(symbol.type.base?.members ?? []), ...local];

    const memberNames = new Map(seen);
    if (symbol.union) {
      const branches = this.#branches(symbol, symbol.union);
      const cases: Variant[] = [];
      for (const { branch, type, ...variant } of branches) {
        const { depth: branchDepth, memberNames: names } = this.#object(branch, nesting + 1);
        depth = Math.max(depth, branchDepth + 1);
        cases.push({ ...variant, type });
        for (const [name, described] of names) memberNames.set(name, described);
      }
      for (const { branch } of branches) claim(symbol, new Map(seen), this.#object(branch, nesting + 1).memberNames);
      symbol.type.variants = { tag: symbol.union.discriminator, cases };
    }
    if (depth > MAX_OBJECT_DEPTH) return tooDeep(symbol);
    const result = { depth, memberNames };
    this.#objects.set(symbol, result);
    return result;
  }

  #member({ name, optional, type, if: condition, features }: SourceMember, owner: ObjectSymbol): Member {
    checkFeatures(owner, features);
    const { type: resolved } = this.#lookUp(referencedName(type), owner, `member '${name}'`);
    return { name, type: resolved, optional, ...(condition === undefined ? {} : { if: condition }), features };
  }

  #branches(
    symbol: ObjectSymbol,
    { discriminator, branches }: NonNullable<ObjectSymbol['union']>,
  ): (Variant & { branch: ObjectSymbol })[] {
    const tag = symbol.type.members.find((member) => member.name === discriminator);
    if (tag === undefined) return fail(symbol, `discriminator '${discriminator}' is not a member of 'base'`);
    if (tag.type.kind !== 'enum') return fail(symbol, `discriminator '${discriminator}' is to be of an enum type`);
    if (tag.optional) return fail(symbol, `discriminator '${discriminator}' must not be optional`);
    if (tag.if !== undefined) return fail(symbol, `discriminator '${discriminator}' must not be conditional`);
    const { values, name: tagType } = tag.type;
    if (values.length === 0 && branches.length === 0) fail(symbol, 'the union has no branches');
    return branches.map(({ name, type, if: condition }) => {
      const branch = this.#lookUp(type, symbol, `branch '${name}'`);
      if (!values.some((value) => value.name === name)) {
        return fail(symbol, `branch '${name}' is not a value of enum type '${tagType}'`);
      }
      if (branch.kind !== 'object') return fail(symbol, `branch '${name}' can't be ${describe(branch)}`);
      return { case: name, type: branch.type, ...(condition === undefined ? {} : { if: condition }), branch };
    });
  }

  #alternate(symbol: AlternateSymbol): void {
    checkTypeFeatures(symbol, symbol.type.features);
    const branches: AlternateBranch[] = [];
    checkAlternateBranches(
      symbol.branches.map(({ name, type, if: condition }) => {
        const resolved = this.#lookUp(referencedName(type), symbol, `branch '${name}'`);
        branches.push({ name, type: resolved.type, ...(condition === undefined ? {} : { if: condition }) });
        return { name, symbol: resolved };
      }),
      (problem) => fail(symbol, problem),
    );
    symbol.type.branches = branches;
  }

  /** The object that `data` of a command or event names. */
  #data(symbol: CommandSymbol | EventSymbol): ObjectType {
    const data = this.#lookUp(symbol.dataName ?? EMPTY, symbol, "'data'");
    if (data.kind !== 'object') return fail(symbol, `'data' can't be ${describe(data)}`);
    if (!symbol.source.boxed) {
      if (data.union) fail(symbol, `'data' can be ${describe(data)} only with 'boxed'`);
      this.#object(data, 0);
      if (data.type.members.some((member) => member.if !== undefined)) {
        fail(symbol, "'data' can have conditional members only with 'boxed'");
      }
    }
    return data.type;
  }

  #command(symbol: CommandSymbol): void {
    const { name, returns, boxed, gen, allowOob, allowPreconfig, coroutine, successResponse } = symbol.source;
    checkFeatures(symbol, symbol.source.features);
    const data = this.#data(symbol);
    const result = this.#lookUp(returns === undefined ? EMPTY : referencedName(returns), symbol, "'returns'");
    const element = result.kind === 'array' ? this.#lookUp(result.elementName, symbol, "'returns'") : result;
    if (element.kind !== 'object' && !this.pragmas.excepts('command-returns-exceptions', name)) {
      fail(symbol, `'returns' can't be ${describe(result)}: replies are objects, or arrays of them`);
    }
    this.#commands.set(name, {
      kind: 'command',
      ...definitionParts(symbol),
      arguments: data,
      returns: result.type,
      allowOob,
      boxed,
      allowPreconfig,
      coroutine,
      gen,
      successResponse,
    });
  }

  #event(symbol: EventSymbol): void {
    const { name, boxed } = symbol.source;
    checkFeatures(symbol, symbol.source.features);
    const data = this.#data(symbol);
    this.#events.set(name, { kind: 'event', ...definitionParts(symbol), data, boxed });
  }
}

/** What commands and events take from their source unchanged. */
function definitionParts({
  source,
}: CommandSymbol | EventSymbol): Pick<Event, 'name' | 'module' | 'if' | 'features' | 'since'> {
  const { name, position, doc, features } = source;
  const since = sinceOf(doc);
  return {
    name,
    module: moduleName(position),
    ...(source.if === undefined ? {} : { if: source.if }),
    features,
    ...(since === undefined ? {} : { since }),
  };
}

function fail(symbol: SchemaSymbol, problem: string): never {
  if (symbol.position === undefined) throw new TypeError(`built-in '${symbol.name}': ${problem}`);
  throw new QapiSchemaError(symbol.position, problem, symbol.definition);
}

function tooDeep(symbol: SchemaSymbol): never {
  return fail(symbol, `bases and branches go deeper than ${MAX_OBJECT_DEPTH} types`);
}

/** Names as in C, each with the words to describe it. */
function named(what: string, parts: readonly { readonly name: string }[], suffix = ''): [string, string][] {
  return parts.map(({ name }) => [cName(name), `${what} '${name}'${suffix}`]);
}

/** Adds `names` to those taken. @throws QapiSchemaError if one is already taken */
function claim(symbol: SchemaSymbol, taken: Map<string, string>, names: Iterable<readonly [string, string]>): void {
  for (const [name, described] of names) {
    const other = taken.get(name);
    if (other !== undefined) fail(symbol, `${described} collides with ${other}`);
    taken.set(name, described);
  }
}

function checkFeatures(symbol: SchemaSymbol, features: readonly Feature[]): void {
  claim(symbol, new Map(), named('feature', features));
}

/** The special features apply to what is used, not to types. */
function checkTypeFeatures(symbol: SchemaSymbol, features: readonly Feature[]): void {
  checkFeatures(symbol, features);
  const special = features.find(({ name }) => SPECIAL_FEATURES.includes(name));
  if (special) fail(symbol, `feature '${special.name}' is not for types`);
}
