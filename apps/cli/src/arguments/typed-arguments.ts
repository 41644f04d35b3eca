import { JsonText, type SchemaCommand } from '@qmp-gateway/client';
import type { ArgumentPair } from './argument-pairs.js';
import { isJson, readValue } from './scalar-values.js';
import { membersOf, objectOf, typeOf, type MemberModel, type ObjectModel, type ServerModel } from './schema-model.js';

/** Something wrong with an argument, by the key that was typed. */
export interface PairFault {
  readonly key: string;
  readonly message: string;
}

/** Arguments of a command, ready to be sent. */
export interface TypedArguments {
  /** Undefined: none were given. */
  readonly value: Readonly<Record<string, unknown>> | undefined;
  readonly faults: readonly PairFault[];
  /** The keys that were typed, by JSON Pointer. */
  readonly keys: ReadonlyMap<string, string>;
  /** Keys of members that the model does not declare. */
  readonly undeclared: readonly string[];
}

/** Types of members that no schema lists, where the VM tells them otherwise: names as in a schema. */
export type OpenTypes = ReadonlyMap<string, string>;

/**
 * Makes the arguments of a command from what was typed. `a.b=` sets the member `b` of `a`, a key given again makes a
 * list, `key:=JSON` is taken as it is.
 * @param openTypes of members that are not declared; those without a type are strings
 */
export function typedArguments(
  model: ServerModel,
  command: SchemaCommand,
  pairs: readonly ArgumentPair[],
  openTypes: OpenTypes = new Map(),
): TypedArguments {
  if (pairs.length === 0) return { value: undefined, faults: [], keys: new Map(), undeclared: [] };
  const writer = new ArgumentsWriter(model, openTypes);
  const object = objectOf(model.types, command.arguments) ?? { kind: 'object', members: [] };
  const value = writer.object(
    object,
    pairs.map((pair) => ({ ...pair, rest: pair.key })),
    [],
  );
  return { value, faults: writer.faults, keys: writer.keys, undeclared: writer.undeclared };
}

/** A pair, with what of its key belongs to this level. */
interface Given extends ArgumentPair {
  readonly rest: string;
}

class ArgumentsWriter {
  readonly faults: PairFault[] = [];
  readonly keys = new Map<string, string>();
  readonly undeclared: string[] = [];

  constructor(
    private readonly model: ServerModel,
    private readonly openTypes: OpenTypes,
  ) {}

  object(object: ObjectModel, pairs: readonly Given[], path: readonly string[]): Record<string, unknown> {
    const members = membersOf(this.model.types, object, (tag) => pairs.find(({ rest }) => rest === tag)?.value);
    const groups = new Map<string, { member: MemberModel | undefined; own: Given[]; below: Given[] }>();
    for (const pair of pairs) {
      const { name, member, rest } = splitKey(pair.rest, members);
      let group = groups.get(name);
      if (group === undefined) groups.set(name, (group = { member, own: [], below: [] }));
      if (rest === undefined) group.own.push(pair);
      else group.below.push({ ...pair, rest });
    }
    const value: Record<string, unknown> = {};
    for (const [name, { member, own, below }] of groups) {
      const inner = [...path, name];
      const typed = (own[0] ?? below[0])?.key ?? name;
      this.keys.set(
        pointerTo(inner),
        own.length > 0 ? typed : typed.slice(0, typed.length - (below[0]?.rest.length ?? 0) - 1),
      );
      // An own member, whatever its name.
      Object.defineProperty(value, name, {
        value: this.#member(member, own, below, inner),
        ...{ enumerable: true, configurable: true, writable: true },
      });
    }
    return value;
  }

  #member(
    member: MemberModel | undefined,
    own: readonly Given[],
    below: readonly Given[],
    path: readonly string[],
  ): unknown {
    const [first] = own;
    if (below.length > 0) {
      const object = member === undefined ? undefined : objectOf(this.model.types, member.type);
      if (object === undefined) return this.#fault(below[0], 'has no members');
      if (first !== undefined) return this.#fault(first, 'is given as a whole and by its members');
      return this.object(object, below, path);
    }
    if (member === undefined && first !== undefined && !first.isJson && path.length === 1)
      this.undeclared.push(first.key);
    const reference = member?.type ?? this.openTypes.get(path[0] ?? '') ?? 'str';
    const type = typeOf(this.model.types, reference);
    const list = type.kind === 'list' ? type.element : own.length > 1 ? this.#listBranch(reference) : undefined;
    if (list !== undefined && !(own.length === 1 && isWholeList(first)))
      return own.map((pair) => this.#value(list, pair));
    if (own.length > 1) return this.#fault(first, `takes one value, and is given ${own.length} times`);
    return first === undefined ? undefined : this.#value(reference, first);
  }

  /** Of an alternate that may be a list. */
  #listBranch(reference: string): string | undefined {
    const type = typeOf(this.model.types, reference);
    if (type.kind !== 'alternate') return undefined;
    const lists = type.types.map((branch) => typeOf(this.model.types, branch));
    return lists.flatMap((branch) => (branch.kind === 'list' ? [branch.element] : []))[0];
  }

  #value(reference: string, pair: Given): unknown {
    if (pair.isJson) return isJson(pair.value) ? new JsonText(pair.value) : this.#fault(pair, 'is not JSON');
    const read = readValue(this.model.types, reference, pair.value);
    return 'value' in read ? read.value : this.#fault(pair, read.fault);
  }

  /** Takes the place of the value; nothing is sent where there is a fault. */
  #fault(pair: Given | undefined, message: string): null {
    this.faults.push({ key: pair?.key ?? '', message });
    return null;
  }
}

/** A list of its own, in JSON. */
function isWholeList(pair: Given | undefined): boolean {
  return pair !== undefined && (pair.isJson || pair.value.trimStart().startsWith('['));
}

/** The member that a key begins with; names may contain dots themselves, so the longest one wins. */
function splitKey(
  key: string,
  members: readonly MemberModel[],
): { name: string; member: MemberModel | undefined; rest: string | undefined } {
  const find = (name: string): MemberModel | undefined => members.find((member) => member.name === name);
  const whole = find(key);
  if (whole !== undefined) return { name: key, member: whole, rest: undefined };
  for (let dot = key.lastIndexOf('.'); dot > 0; dot = key.lastIndexOf('.', dot - 1)) {
    const name = key.slice(0, dot);
    const member = find(name);
    if (member !== undefined) return { name, member, rest: key.slice(dot + 1) };
  }
  return { name: key, member: undefined, rest: undefined };
}

/** RFC 6901. */
function pointerTo(path: readonly string[]): string {
  return path.map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** The key that a person typed, or would type, for a place in the arguments. */
export function keyAtPointer(pointer: string, keys: ReadonlyMap<string, string>): string {
  const typed = keys.get(pointer);
  if (typed !== undefined) return typed;
  const cut = pointer.lastIndexOf('/');
  if (cut < 0) return '';
  const step = pointer
    .slice(cut + 1)
    .replaceAll('~1', '/')
    .replaceAll('~0', '~');
  const above = keyAtPointer(pointer.slice(0, cut), keys);
  return above === '' ? step : `${above}.${step}`;
}
