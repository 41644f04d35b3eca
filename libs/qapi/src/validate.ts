import { jsonPointer } from './json-pointer.js';
import type {
  AlternateType,
  ArrayType,
  BuiltinName,
  BuiltinType,
  Command,
  EnumType,
  ObjectType,
  QapiType,
} from './model.js';
import { nearestNames } from './nearest.js';
import {
  casesWithMember,
  chooseShapes,
  findMember,
  shapeOf,
  type ChosenShapes,
  type ObjectShape,
} from './object-shape.js';
import type { JsonArray, JsonDocument, JsonNode, JsonObject } from './json-node.js';

/** One fault in the arguments of a command. */
export interface ArgumentFault {
  /** JSON Pointer (RFC 6901) from the arguments object; for a missing member, where it should be. */
  readonly pointer: string;
  readonly message: string;
  /** Nearest names or values, the nearest first. */
  readonly suggestions?: readonly string[];
}

export interface ValidationOptions {
  /** Undeclared members of the arguments object pass unchecked; by default exactly if the command has `gen: false`. */
  readonly openMembers?: boolean;
  /** Rejects integers outside a width narrower than 64 bits: only if the widths are those of exactly this VM. */
  readonly enforceWidths?: boolean;
  /** The meaning of a word that is not a value of an enum; suggested if the enum has it. */
  readonly meantValue?: (word: string) => string | undefined;
}

export interface CheckedArguments {
  /** All faults, in document order; empty if the command can be sent. */
  readonly faults: readonly ArgumentFault[];
  /** The arguments object to send; undefined if there are no arguments, or faults. */
  readonly json: string | undefined;
}

/** A 64 KiB body can contain ten thousand faults; beyond this many the answer says that there are more. */
const MAX_FAULTS = 100;
/**
 * Number of faults that get suggestions: searching hundreds of names for each of a hundred faults would delay everybody
 * else.
 */
const MAX_SUGGESTED = 20;

/** Characters of a name that the schema does not know, in its pointer. */
const MAX_SHOWN_NAME = 100;

const NO_FAULTS: readonly ArgumentFault[] = [];
const NO_ARGUMENTS: JsonObject = { kind: 'object', start: 0, end: 2, members: [] };

/**
 * Checks the arguments of a command like the VM's own input visitor, but reports all faults at once.
 *
 * The text to send is the client's own, byte for byte, except that strings of digits lose their quotes where the schema
 * wants an integer. What the VM accepts is accepted: integers of any length, `-1` for unsigned ones. What it rejects
 * (`1.0` and `1e3` for integers, null for an absent optional member) is a fault.
 *
 * @param document the result of `readJson` for the client's text; undefined if there was none.
 */
export function validateArguments(
  command: Command,
  document: JsonDocument | undefined,
  options: ValidationOptions = {},
): CheckedArguments {
  const check = new ArgumentCheck(document?.text ?? '{}', options);
  const root = document?.root ?? NO_ARGUMENTS;
  const open = options.openMembers ?? command.gen === false;
  if (root.kind === 'object') check.object(root, command.arguments, open);
  else check.fault(`expected an object of arguments, found ${describe(root)}`);
  if (check.faults.length > 0) return { faults: check.faults, json: undefined };
  return { faults: NO_FAULTS, json: document && check.textOf(root) };
}

/** Integer types narrower than 64 bits; the VM checks wider ones. */
const NARROW_RANGES: Partial<Record<BuiltinName, readonly [number, number]>> = {
  int8: [-0x80, 0x7f],
  int16: [-0x8000, 0x7fff],
  int32: [-0x8000_0000, 0x7fff_ffff],
  uint8: [0, 0xff],
  uint16: [0, 0xffff],
  uint32: [0, 0xffff_ffff],
};

/** Exactly a JSON integer, so that removing the quotes leaves a number. */
const INTEGER_DIGITS = /^-?(?:0|[1-9][0-9]*)$/;

interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** One walk over the arguments. The nesting that the reader allows bounds the recursion. */
class ArgumentCheck {
  readonly faults: ArgumentFault[] = [];
  private readonly path: (string | number)[] = [];
  private readonly replacements: Replacement[] = [];

  constructor(
    private readonly text: string,
    private readonly options: ValidationOptions,
  ) {}

  object(node: JsonObject, type: ObjectType, open = false): void {
    const chosen = type.variants ? chooseShapes(type, (tag) => stringMember(node, tag)) : undefined;
    const shapes = chosen?.shapes ?? [shapeOf(type)];
    let requiredFound = 0;
    for (const { name, value } of node.members) {
      if (this.faults.length > MAX_FAULTS) return;
      const member = findMember(shapes, name);
      if (member) {
        if (!member.optional) requiredFound++;
        this.path.push(name);
        this.value(value, member.type);
        this.path.pop();
      } else if (!open) {
        this.unknownMember(name, shapes, chosen?.undecided ?? false);
      }
    }
    let required = 0;
    for (const shape of shapes) required += shape.required.length;
    if (requiredFound < required) this.missingMembers(node, shapes);
  }

  fault(message: string, suggestions: readonly string[] = []): void {
    if (this.faults.length > MAX_FAULTS) return;
    if (this.faults.length === MAX_FAULTS) {
      this.faults.push({ pointer: '', message: `more faults than the ${MAX_FAULTS} listed here` });
      return;
    }
    this.faults.push({ pointer: jsonPointer(this.path), message, ...(suggestions.length > 0 && { suggestions }) });
  }

  /** The node as it will be sent. */
  textOf(node: JsonNode): string {
    if (this.replacements.length === 0) return this.text.slice(node.start, node.end);
    const pieces: string[] = [];
    let copied = node.start;
    for (const replacement of this.replacements) {
      pieces.push(this.text.slice(copied, replacement.start), replacement.text);
      copied = replacement.end;
    }
    pieces.push(this.text.slice(copied, node.end));
    return pieces.join('');
  }

  private value(node: JsonNode, type: QapiType): void {
    switch (type.kind) {
      case 'builtin':
        this.builtin(node, type);
        break;
      case 'enum':
        this.enumValue(node, type);
        break;
      case 'object':
        if (node.kind === 'object') this.object(node, type);
        else this.wrongType(node, 'an object');
        break;
      case 'array':
        if (node.kind === 'array') this.items(node, type);
        else this.wrongType(node, 'an array');
        break;
      case 'alternate':
        this.alternate(node, type);
    }
  }

  private items(node: JsonArray, type: ArrayType): void {
    for (const [index, item] of node.items.entries()) {
      if (this.faults.length > MAX_FAULTS) return;
      this.path.push(index);
      this.value(item, type.element);
      this.path.pop();
    }
  }

  private builtin(node: JsonNode, type: BuiltinType): void {
    if (type.json === 'int') this.integer(node, type);
    else if (type.json !== 'value' && type.json !== node.kind) this.wrongType(node, WANTED[type.json]);
  }

  private integer(node: JsonNode, type: BuiltinType): void {
    if (node.kind === 'number' && node.integer) {
      if (this.options.enforceWidths) this.width(this.text.slice(node.start, node.end), type);
    } else if (node.kind === 'string' && INTEGER_DIGITS.test(node.value)) {
      this.replacements.push({ start: node.start, end: node.end, text: node.value });
      if (this.options.enforceWidths) this.width(node.value, type);
    } else if (node.kind === 'number') {
      this.fault('expected an integer in digits, without fraction or exponent');
    } else {
      this.wrongType(node, WANTED.int);
    }
  }

  private width(digits: string, type: BuiltinType): void {
    const range = NARROW_RANGES[type.name];
    if (!range) return;
    // Exact for values within any of the ranges, and far outside for other values.
    const value = Number(digits);
    const [least, most] = range;
    if (value < least || value > most) this.fault(`expected an integer from ${least} to ${most} (${type.name})`);
  }

  private enumValue(node: JsonNode, type: EnumType): void {
    if (node.kind !== 'string') {
      this.wrongType(node, 'a string');
      return;
    }
    for (const value of type.values) if (value.name === node.value) return;
    const names = type.values.map((value) => value.name);
    const meant = this.options.meantValue?.(node.value);
    const nearest = this.nearest(node.value, [names]);
    const suggestions = meant !== undefined && names.includes(meant) ? [...new Set([meant, ...nearest])] : nearest;
    const areListed = suggestions.length === 0 || names.length <= FEW;
    const values = areListed ? `the values: ${listed(names)}` : `the ${names.length} values`;
    this.fault(`${quoted(node.value)} is not one of ${values}`, suggestions);
  }

  /** QEMU selects the branch by the JSON type alone and then validates the value against it. */
  private alternate(node: JsonNode, type: AlternateType): void {
    const branch = branchFor(type, node.kind) ?? this.branchForDigits(type, node);
    if (branch) {
      this.value(node, branch);
      return;
    }
    const wanted = new Set(type.branches.map((candidate) => wantedBy(candidate.type)));
    this.wrongType(node, [...wanted].join(' or '));
  }

  /** Digits in quotes select the integer branch if no branch accepts strings. */
  private branchForDigits(type: AlternateType, node: JsonNode): QapiType | undefined {
    if (node.kind !== 'string' || !INTEGER_DIGITS.test(node.value)) return undefined;
    const branch = branchFor(type, 'number');
    return branch?.kind === 'builtin' && branch.json === 'int' ? branch : undefined;
  }

  private wrongType(node: JsonNode, wanted: string): void {
    this.fault(`expected ${wanted}, found ${describe(node)}`);
  }

  private unknownMember(name: string, shapes: ChosenShapes['shapes'], undecided: boolean): void {
    const union = shapes.findLast((shape) => shape.tag !== undefined);
    const cases = union ? casesWithMember(union, name) : [];
    // Without a selected branch the tag is the fault; a member of some branch is not another one.
    if (undecided && cases.length > 0) return;
    const branches = undecided && union ? Array.from(union.cases.values(), shapeOf) : [];
    const candidates = [...shapes, ...branches].map((shape) => shape.members.keys());
    this.path.push(name.slice(0, MAX_SHOWN_NAME));
    this.fault(
      union && cases.length > 0
        ? `is taken only where '${union.tag ?? ''}' is ${listed(cases)}`
        : `unknown member ${quoted(name)}`,
      this.nearest(name, candidates),
    );
    this.path.pop();
  }

  private missingMembers(node: JsonObject, shapes: readonly ObjectShape[]): void {
    for (const shape of shapes) {
      for (const { name } of shape.required) {
        if (node.members.some((member) => member.name === name)) continue;
        this.path.push(name);
        this.fault('required member is missing');
        this.path.pop();
      }
    }
  }

  private nearest(name: string, candidates: readonly Iterable<string>[]): string[] {
    if (this.faults.length >= MAX_SUGGESTED) return [];
    return nearestNames(name, new Set(candidates.flatMap((names) => [...names])));
  }
}

function stringMember(node: JsonObject, name: string): string | undefined {
  for (const member of node.members) {
    if (member.name === name) return member.value.kind === 'string' ? member.value.value : undefined;
  }
  return undefined;
}

/** The branch of an alternate that accepts values of this JSON type; QAPI allows at most one. */
export function branchFor(type: AlternateType, kind: JsonNode['kind']): QapiType | undefined {
  return type.branches.find((branch) => takes(branch.type, kind))?.type;
}

function takes(type: QapiType, kind: JsonNode['kind']): boolean {
  switch (type.kind) {
    case 'enum':
      return kind === 'string';
    case 'object':
    case 'array':
      return kind === type.kind;
    case 'alternate':
      return false; // QAPI has no alternates of alternates
    case 'builtin':
      return type.json === 'value' || kind === (type.json === 'int' ? 'number' : type.json);
  }
}

const WANTED = {
  string: 'a string',
  boolean: 'a boolean',
  null: 'null',
  value: 'any value',
  number: 'a number',
  int: 'an integer',
} as const;

function wantedBy(type: QapiType): string {
  if (type.kind === 'builtin') return WANTED[type.json];
  if (type.kind === 'object') return 'an object';
  return type.kind === 'array' ? 'an array' : 'a string';
}

function describe(node: JsonNode): string {
  switch (node.kind) {
    case 'null':
      return 'null';
    case 'array':
    case 'object':
      return `an ${node.kind}`;
    default:
      return `a ${node.kind}`;
  }
}

/** Client text in a message: as JSON, so that it cannot pass for the gateway's own text, and shortened. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text);
}

/** Names in one message. The largest enum of QEMU has 162 values; other servers can have any number. */
const LISTED = 200;

/** Up to this many values are listed also where the fault says which of them was meant. */
const FEW = 20;

function listed(names: readonly string[]): string {
  if (names.length <= LISTED) return names.join(', ');
  return `${names.slice(0, LISTED).join(', ')}, … (${names.length} in all)`;
}
