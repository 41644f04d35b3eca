import 'reflect-metadata';
import type { JsonSchema } from '@qmp-gateway/qapi-openapi';
import { isRecord, nearestNames } from '@qmp-gateway/qapi';
import { ValidateBy, ValidateIf } from 'class-validator';
import {
  below,
  faultsOfEach,
  type FieldType,
  type ComponentType,
  type Refer,
  type ShapeClass,
  type ValueFault,
} from './field-type.js';

/** A member of a shape. */
export interface Field {
  readonly name: string;
  readonly type: FieldType;
  readonly required: boolean;
  readonly what: string | undefined;
}

/** The names of the members of a class. */
export function namesOf(shape: ShapeClass): string[] {
  return fieldsOf(shape).map(({ name }) => name);
}

/** How a shape appears in the documents. */
export interface ShapeOptions {
  readonly what?: string;
  /** Of what callers send: unknown members are refused. */
  readonly closed?: boolean;
  /** Optional members of which an object has one, and not more. */
  readonly exactlyOneOf?: readonly string[];
  readonly examples?: readonly unknown[];
}

interface NamedShape extends ShapeOptions {
  readonly name: string;
}

const fieldsKey = Symbol('fields');
const shapeKey = Symbol('shape');

/**
 * How a class appears in the documents.
 * @param name of its component schema; empty: it is written where it is used
 */
export function Shape(name: string, options: ShapeOptions = {}): ClassDecorator {
  return (target) => Reflect.defineMetadata(shapeKey, { name, ...options } satisfies NamedShape, target);
}

type FieldDecorator<T> = <K extends string>(target: { [P in K]?: T | undefined }, name: K) => void;

/** A member that is always there. @param what it is, for readers of the documents */
export function Required<T>(type: FieldType<T>, what?: string): FieldDecorator<T> {
  return (target, name) => {
    declare(target, { name, type, required: true, what });
  };
}

/** A member that may be absent. @param what it is, for readers of the documents */
export function Optional<T>(type: FieldType<T>, what?: string): FieldDecorator<T> {
  return (target, name) => {
    ValidateIf((_, value) => value !== undefined)(target, name);
    declare(target, { name, type, required: false, what });
  };
}

/** The rule name by which a fault of class-validator is known to be one of a field's type. */
export const fieldRule = 'field';

function declare(target: object, field: Field): void {
  const own = (Reflect.getOwnMetadata(fieldsKey, target) ?? []) as readonly Field[];
  Reflect.defineMetadata(fieldsKey, [...own, field], target);
  ValidateBy({
    name: fieldRule,
    validator: {
      validate: (value) => field.type.faults(value).length === 0,
      defaultMessage: () => `${field.name} does not fit`,
    },
  })(target, field.name);
}

/** A member that excludes another one. */
export function NotWith(other: string): PropertyDecorator {
  return ValidateBy({
    name: 'notWith',
    validator: {
      validate: (_, place) => Reflect.get(place?.object ?? {}, other) === undefined,
      defaultMessage: () => `clashes with ${other}`,
    },
  });
}

const knownFields = new WeakMap<ShapeClass, readonly Field[]>();

/** The members of a class, those of the class it extends first. */
export function fieldsOf(shape: ShapeClass): readonly Field[] {
  const known = knownFields.get(shape);
  if (known !== undefined) return known;
  const fields: Field[] = [];
  for (let at: object | null = shape.prototype as object; at !== null; at = Reflect.getPrototypeOf(at))
    fields.unshift(...((Reflect.getOwnMetadata(fieldsKey, at) ?? []) as readonly Field[]));
  knownFields.set(shape, fields);
  return fields;
}

function optionsOf(shape: ShapeClass): Partial<NamedShape> {
  return (Reflect.getOwnMetadata(shapeKey, shape) ?? {}) as Partial<NamedShape>;
}

/** What is wrong with the choice of members, where a class leaves one. */
export function choiceFaults(of: ShapeClass, value: object): ValueFault[] {
  const { exactlyOneOf: names = [] } = optionsOf(of);
  const given = names.filter((name) => Object.hasOwn(value, name) && Reflect.get(value, name) !== undefined);
  if (names.length === 0 || given.length === 1) return [];
  return [{ pointer: '', message: `must have exactly one of ${names.join(', ')}` }];
}

/** An object with the members of a class. */
export function shape<T extends object>(of: () => ShapeClass<T>): FieldType<T> {
  return {
    schema: (refer) => refer(of()),
    faults: (value) => shapeFaults(of(), value),
  };
}

/** Everything wrong with an object that should have a shape's members and no others. */
export function shapeFaults(of: ShapeClass, value: unknown): ValueFault[] {
  if (!isRecord(value)) return [{ pointer: '', message: 'must be a JSON object' }];
  const fields = fieldsOf(of);
  const names = namesOf(of);
  return [
    ...unknownMembers(
      Object.keys(value).filter((name) => !names.includes(name)),
      names,
    ),
    ...fields.flatMap(({ name, type, required }) => {
      const member = Object.hasOwn(value, name) ? value[name] : undefined;
      if (member === undefined) return required ? below(name, [{ pointer: '', message: 'missing' }]) : [];
      return below(name, type.faults(member));
    }),
    ...choiceFaults(of, value),
  ];
}

const longestShownName = 100;
/** Of faults, those whose name is searched among the known ones. */
export const mostSuggested = 20;

/** The fault of a name that nobody declared. @param known the names there are */
export function unknownMember(
  name: string,
  known: readonly string[],
  { what = 'it takes', suggests = true }: { readonly what?: string; readonly suggests?: boolean } = {},
): ValueFault[] {
  const shown = name.slice(0, longestShownName);
  const suggestions = suggests ? nearestNames(shown, known) : [];
  const message = known.length === 0 ? 'unknown' : `unknown; ${what} ${known.join(', ')}`;
  return below(shown, [{ pointer: '', message, ...(suggestions.length > 0 ? { suggestions } : {}) }]);
}

/** Faults of names that nobody declared; only the first get suggestions, which cost a search each. */
export function unknownMembers(names: Iterable<string>, known: readonly string[]): ValueFault[] {
  return faultsOfEach(names, (name, at) => unknownMember(name, known, { suggests: at < mostSuggested }));
}

/** Component schemas of shapes, added as they are referred to. */
export class ShapeSchemas {
  readonly components = new Map<string, JsonSchema>();

  /** A reference to a named shape, or the schema itself of one without a name. */
  readonly refer: Refer = (of) => {
    if (typeof of !== 'function') return this.#component(of.name, () => this.#namedType(of));
    const { name = '', ...options } = optionsOf(of);
    return name === '' ? this.#schema(of, options) : this.#component(name, () => this.#schema(of, options));
  };

  #component(name: string, make: () => JsonSchema): JsonSchema {
    if (!this.components.has(name)) {
      // Before its members: they may refer to it.
      this.components.set(name, {});
      this.components.set(name, make());
    }
    return { $ref: `#/components/schemas/${name}` };
  }

  #namedType({ what, type, examples }: ComponentType): JsonSchema {
    return { description: what, ...type.schema(this.refer), ...(examples === undefined ? {} : { examples }) };
  }

  #schema(of: ShapeClass, { what, closed, examples, exactlyOneOf = [] }: ShapeOptions): JsonSchema {
    const description = what === undefined ? {} : { description: what };
    const further = examples === undefined ? {} : { examples };
    const fields = fieldsOf(of);
    if (exactlyOneOf.length === 0) return { ...description, ...this.#object(fields, closed), ...further };
    const oneOf = exactlyOneOf.map((chosen) => {
      const others = exactlyOneOf.filter((name) => name !== chosen);
      const members = fields.filter(({ name }) => !others.includes(name));
      return this.#object(
        members.map((field) => (field.name === chosen ? { ...field, required: true } : field)),
        closed,
      );
    });
    return { ...description, oneOf, ...further };
  }

  #object(fields: readonly Field[], closed: boolean | undefined): JsonSchema {
    const required = fields.filter((field) => field.required).map(({ name }) => name);
    return {
      type: 'object',
      properties: Object.fromEntries(fields.map((field) => [field.name, fieldSchema(field, this.refer)])),
      ...(required.length > 0 ? { required } : {}),
      ...(closed === true ? { additionalProperties: false } : {}),
    };
  }
}

/** The schema of a member with what it is. */
export function fieldSchema({ type, what }: Field, refer: Refer): JsonSchema {
  const schema = type.schema(refer);
  return what === undefined ? schema : { ...schema, description: what };
}
