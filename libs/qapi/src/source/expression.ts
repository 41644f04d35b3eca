import type { Condition, EnumValue, Feature } from '../model.js';
import type { MembersOrType, SourceMember, TypeReference } from './definitions.js';
import { cName, lowerCaseFault } from './names.js';
import { type Value, type ValueObject, isArray, isObject } from './parser.js';
import { type Position, QapiSchemaError } from './position.js';

/**
 * The parts of all definitions: keys, conditions, features, members, type references. Each method checks one part and
 * returns it typed; it throws faults at the line the definition starts on, with the name of the definition.
 */
export class Expression {
  /**
   * @param value - the object of the schema
   * @param definition - what it defines (`command 'x'`), for messages
   */
  constructor(
    readonly value: ValueObject,
    readonly position: Position,
    readonly definition?: string,
  ) {}

  fail(problem: string): never {
    throw new QapiSchemaError(this.position, problem, this.definition);
  }

  /** The value as an object with all keys of `required` and no keys beyond `optional`. */
  object(
    value: Value | undefined,
    what: string,
    required: readonly string[],
    optional: readonly string[],
  ): ValueObject {
    if (!isObject(value)) return this.fail(`${what} should be an object`);
    const missing = required.find((key) => !value.has(key));
    if (missing !== undefined) this.fail(`${what} has no '${missing}'`);
    const unknown = [...value.keys()].find((key) => !required.includes(key) && !optional.includes(key));
    if (unknown !== undefined) {
      this.fail(`${what} has an unknown key '${unknown}'; there are ${[...required, ...optional].join(', ')}`);
    }
    return value;
  }

  string(value: Value | undefined, what: string): string {
    return typeof value === 'string' ? value : this.fail(`${what} should be a string`);
  }

  array(value: Value | undefined, what: string): readonly Value[] {
    return isArray(value) ? value : this.fail(`${what} should be an array`);
  }

  /** The `if` of `owner`, as an object to spread. */
  condition(owner: ValueObject, what: string): { if?: Condition } {
    const value = owner.get('if');
    return value === undefined ? {} : { if: this.#condition(value, `'if' of ${what}`) };
  }

  #condition(value: Value, what: string): Condition {
    if (typeof value === 'string') {
      return /^[A-Z][A-Z0-9_]*$/.test(value) ? value : this.fail(`${what}: '${value}' is not a configuration symbol`);
    }
    if (!isObject(value)) return this.fail(`${what} should be a string or an object`);
    this.object(value, what, [], ['all', 'any', 'not']);
    const [operator, operand] = [...value][0] ?? [];
    if (operand === undefined || value.size > 1)
      return this.fail(`${what} needs exactly one of 'all', 'any' and 'not'`);
    if (operator === 'not') return { not: this.#condition(operand, what) };
    const operands = this.array(operand, `'${operator}' in ${what}`);
    if (operands.length === 0) this.fail(`'${operator}' in ${what} is empty`);
    const conditions = operands.map((part) => this.#condition(part, what));
    return operator === 'all' ? { all: conditions } : { any: conditions };
  }

  features(owner: ValueObject): Feature[] {
    const value = owner.get('features');
    if (value === undefined) return [];
    return this.array(value, "'features'").map((item) => {
      const feature = this.object(longhand(item, 'name'), "a member of 'features'", ['name'], ['if']);
      const name = this.string(feature.get('name'), "the name of a member of 'features'");
      const what = `feature '${name}'`;
      this.#name(lowerCaseFault(name), what);
      return { name, ...this.condition(feature, what) };
    });
  }

  /** @param permissive - allows upper case and `_`, as `member-name-exceptions` does */
  enumValues(value: Value | undefined, permissive: boolean): EnumValue[] {
    return this.array(value, "'data'").map((item) => {
      const member = this.object(longhand(item, 'name'), "a member of 'data'", ['name'], ['if', 'features']);
      const name = this.string(member.get('name'), "the name of a member of 'data'");
      const what = `value '${name}'`;
      // Only enum values may start with a digit.
      const judged = /^[0-9]/.test(name) ? `d${name}` : name;
      this.#name(lowerCaseFault(judged, { upper: permissive, underscore: permissive }), what);
      return { name, ...this.condition(member, what), features: this.features(member) };
    });
  }

  members(value: Value | undefined, key: string, permissive: boolean): SourceMember[] {
    if (!isObject(value)) return this.fail(`'${key}' should be an object or the name of a type`);
    return [...value].map(([starred, item]) => {
      const optional = starred.startsWith('*');
      const name = optional ? starred.slice(1) : starred;
      const what = `member '${name}' of '${key}'`;
      this.#name(lowerCaseFault(name, { upper: permissive, underscore: permissive }), what);
      // The C code uses `u` for the cases of unions and `has_x` for optional members.
      if (name === 'u' || cName(name).startsWith('has_')) this.fail(`${what} has a reserved name`);
      const member = this.object(longhand(item, 'type'), what, ['type'], ['if', 'features']);
      const condition = this.condition(member, what);
      const features = this.features(member);
      return { name, optional, type: this.typeOrArray(member.get('type'), what), ...condition, features };
    });
  }

  membersOrType(value: Value | undefined, key: string, permissive: boolean): MembersOrType {
    return typeof value === 'string' ? value : this.members(value, key, permissive);
  }

  typeName(value: Value | undefined, what: string): string {
    return typeof value === 'string' ? value : this.fail(`${what} should be the name of a type`);
  }

  typeOrArray(value: Value | undefined, what: string): TypeReference {
    if (typeof value === 'string') return value;
    if (!isArray(value)) return this.fail(`${what} should be the name of a type, or that in an array`);
    const [element, ...others] = value;
    if (typeof element !== 'string' || others.length > 0) {
      return this.fail(`${what}: an array holds the name of one type`);
    }
    return { arrayOf: element };
  }

  /** The flag `key`; a schema can only set it to the opposite of its default. */
  flag(key: string, normally: boolean): boolean {
    const value = this.value.get(key);
    if (value === undefined) return normally;
    if (value !== !normally) this.fail(`flag '${key}' can only be ${String(!normally)}`);
    return !normally;
  }

  #name(fault: string | undefined, what: string): void {
    if (fault !== undefined) this.fail(`the name of ${what} ${fault}`);
  }
}

/** Where `key` is the only key, the object around it may be omitted. */
export function longhand(value: Value, key: string): ValueObject {
  return isObject(value) ? value : new Map([[key, value]]);
}
