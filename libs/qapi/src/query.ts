import { jsonPointer } from './json-pointer.js';
import type { AlternateType, Command, Member, ObjectType, QapiType } from './model.js';
import { chooseShapes, findMember, type ObjectShape } from './object-shape.js';
import type { JsonNode } from './json-node.js';
import { JsonSyntaxError, readJson } from './strict-json.js';
import { findUnreadable } from './unreadable-character.js';
import {
  branchFor,
  validateArguments,
  type ArgumentFault,
  type CheckedArguments,
  type ValidationOptions,
} from './validate.js';

/** As deep as a body may be, for `a.b.c=`; JSON given as a value may have the same depth in addition. */
const MAX_DEPTH = 64;

/**
 * Arguments from query parameters, coerced by the schema and then validated like a body.
 *
 * A parameter sets a member, `a.b` the member `b` of `a`; repeated, it makes a list. Strings and enum values are taken
 * as they are; integers are digits; `true`, `false` and `null` are literal. An `any` value is JSON if it parses,
 * otherwise a string; an alternate takes the string if it has a branch for one. An object or a list of objects can also
 * be given as JSON.
 *
 * @param pairs decoded names and values, in order.
 */
export function argumentsFromQuery(
  command: Command,
  pairs: Iterable<readonly [string, string]>,
  options: ValidationOptions = {},
): CheckedArguments {
  const parameters = Array.from(pairs, ([key, value]) => ({ key, value }));
  if (parameters.length === 0) return validateArguments(command, undefined, options);
  const writer = new ArgumentWriter();
  const text = writer.object(command.arguments, parameters);
  const document = readJson(text, { maxDepth: 2 * MAX_DEPTH + 1 });
  const checked = validateArguments(command, document, options);
  if (writer.faults.length === 0) return checked;
  // Where a parameter could not be read, the validator has only seen its placeholder.
  const rest = checked.faults.filter((fault) => !writer.faults.some((known) => covers(known.pointer, fault.pointer)));
  return { faults: [...writer.faults, ...rest], json: undefined };
}

const covers = (outer: string, inner: string): boolean => inner === outer || inner.startsWith(`${outer}/`);

/** No member has a longer name. It bounds the search for the member that a long parameter begins with. */
const MAX_NAME = 255;

interface Parameter {
  /** The rest of the name at this level. */
  readonly key: string;
  readonly value: string;
}

/** Everything given for one member: values of its own, or parameters for its members. */
interface Given {
  readonly type: QapiType;
  readonly values: string[];
  readonly nested: Parameter[];
}

/** Undeclared names are kept unchanged: the validator reports them or lets them pass. */
const UNDECLARED: QapiType = { kind: 'builtin', name: 'any', json: 'value' };

/** Placeholder for a parameter that already has a fault. */
const PLACEHOLDER = 'null';

/** Writes query parameters as JSON text, guided by the schema. */
class ArgumentWriter {
  readonly faults: ArgumentFault[] = [];
  private readonly path: string[] = [];

  object(type: ObjectType, parameters: readonly Parameter[]): string {
    const tagValue = (tag: string): string | undefined => parameters.find(({ key }) => key === tag)?.value;
    const { shapes } = chooseShapes(type, tagValue);
    const members = new Map<string, Given>();
    for (const { key, value } of parameters) {
      const [name, rest, member] = splitKey(key, shapes);
      let given = members.get(name);
      if (!given) members.set(name, (given = { type: member?.type ?? UNDECLARED, values: [], nested: [] }));
      if (rest === undefined) given.values.push(value);
      else given.nested.push({ key: rest, value });
    }
    const texts: string[] = [];
    for (const [name, given] of members) {
      this.path.push(name);
      const unreadable = findUnreadable(name);
      if (unreadable === undefined) texts.push(`${JSON.stringify(name)}:${this.member(given)}`);
      else this.fault(`the name holds ${unreadable.name}`);
      this.path.pop();
    }
    return `{${texts.join(',')}}`;
  }

  private member({ type, values, nested }: Given): string {
    for (const value of values) {
      const unreadable = findUnreadable(value);
      if (unreadable !== undefined) return this.fault(`holds ${unreadable.name}`);
    }
    if (nested.length > 0) {
      const object = objectTypeOf(type);
      if (values.length > 0) return this.fault('is given both as a value and by its members');
      if (!object) return this.fault('has no members');
      if (this.path.length >= MAX_DEPTH) return this.fault(`is nested deeper than ${MAX_DEPTH}`);
      return this.object(object, nested);
    }
    const list = type.kind === 'alternate' && values.length > 1 ? branchFor(type, 'array') : type;
    if (list?.kind === 'array') return `[${values.map((value) => scalar(list.element, value)).join(',')}]`;
    if (values.length > 1) return this.fault(`takes one value and is given ${values.length} times`);
    return scalar(type, values[0] ?? '');
  }

  private fault(message: string): string {
    this.faults.push({ pointer: jsonPointer(this.path), message });
    return PLACEHOLDER;
  }
}

/**
 * The member that a parameter addresses, and the rest of the name for that member's members. Names may contain dots
 * themselves (`__com.example_x`), so the longest name wins.
 */
function splitKey(
  key: string,
  shapes: readonly ObjectShape[],
): [name: string, rest?: string | undefined, member?: Member] {
  const whole = findMember(shapes, key);
  if (whole) return [key, undefined, whole];
  for (let dot = key.lastIndexOf('.', MAX_NAME); dot > 0; dot = key.lastIndexOf('.', dot - 1)) {
    const name = key.slice(0, dot);
    const member = findMember(shapes, name);
    if (member) return [name, key.slice(dot + 1), member];
  }
  return [key];
}

function objectTypeOf(type: QapiType): ObjectType | undefined {
  const candidate = type.kind === 'alternate' ? branchFor(type, 'object') : type;
  return candidate?.kind === 'object' ? candidate : undefined;
}

/** One value as JSON. A value that does not match its type stays a string, for the validator to report. */
function scalar(type: QapiType, value: string): string {
  switch (type.kind) {
    case 'enum':
      return JSON.stringify(value);
    case 'object':
    case 'array':
      return jsonOr(value, (kind) => kind === type.kind);
    case 'alternate':
      return takesString(type) ? JSON.stringify(value) : jsonOr(value, (kind) => kind !== 'string');
    case 'builtin':
      switch (type.json) {
        case 'value':
          return jsonOr(value, () => true);
        case 'string':
        case 'int': // the validator removes the quotes around digits
          return JSON.stringify(value);
        default:
          return jsonOr(value, (kind) => kind === type.json);
      }
  }
}

const takesString = (type: AlternateType): boolean => branchFor(type, 'string') !== undefined;

/** Avoids the cost of an exception for most values that are not JSON. */
const JSON_START = /^[ \t\r\n]*[-0-9"{[tfn]/;

/** The value itself if it is JSON of a matching kind, otherwise a string of it. */
function jsonOr(value: string, fits: (kind: JsonNode['kind']) => boolean): string {
  if (!JSON_START.test(value)) return JSON.stringify(value);
  try {
    const { text, root } = readJson(value, { maxDepth: MAX_DEPTH });
    if (fits(root.kind)) return text.slice(root.start, root.end);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
  }
  return JSON.stringify(value);
}
