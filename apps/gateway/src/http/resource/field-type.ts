import { isRecord, jsonPointer } from '@qmp-gateway/qapi';
import type { JsonSchema } from '@qmp-gateway/qapi-openapi';
import type { Fault } from '../../problems/problem.js';
import { parseDuration } from '../../settings/duration.js';

/** A class whose members are declared with `@Required` and `@Optional`. */
export type ShapeClass<T extends object = object> = new () => T;

/** A type that is a component schema of its own, though no class. */
export interface ComponentType {
  readonly name: string;
  readonly what: string;
  readonly type: FieldType;
  readonly examples?: readonly unknown[];
}

/** Gives the reference to the component schema of a shape or a named type. */
export type Refer = (of: ShapeClass | ComponentType) => JsonSchema;

/** What is wrong at a place below a value: the pointer begins there. */
export type ValueFault = Pick<Fault, 'pointer' | 'message' | 'suggestions'>;

/**
 * What a member of a query, a body or an answer may be: one declaration for its JSON Schema and for its check.
 * @typeParam T the value as handlers get it
 */
export interface FieldType<T = unknown> {
  schema(refer: Refer): JsonSchema;
  /** Everything wrong with a value; empty when it fits. Values are never shown: they may be secrets. */
  faults(value: unknown): readonly ValueFault[];
  /** From the text of a parameter or header, where the value is not the text itself; undefined when it cannot be read. */
  parse?(text: string): T | undefined;
  /** Of a list: its elements. As a parameter it may be given more than once. */
  readonly item?: FieldType;
  /** Only to make `T` known. */
  readonly valueType?: T;
}

/** A body within its bound can have tens of thousands of faults; beyond this many the answer says that there are more. */
export const mostFaults = 100;

/** The faults of each part, until there are more than are told. */
export function faultsOfEach<T>(
  parts: Iterable<T>,
  faultsOf: (part: T, at: number) => readonly ValueFault[],
): ValueFault[] {
  const faults: ValueFault[] = [];
  let at = 0;
  for (const part of parts) {
    if (faults.length > mostFaults) break;
    faults.push(...faultsOf(part, at++));
  }
  return faults;
}

/** @param takes completes "must be …" */
function plain<T>(
  schema: JsonSchema,
  takes: string,
  accepts: (value: unknown) => boolean,
  parse?: (text: string) => T | undefined,
): FieldType<T> {
  return {
    schema: () => schema,
    faults: (value) => (accepts(value) ? [] : [{ pointer: '', message: `must be ${takes}` }]),
    ...(parse === undefined ? {} : { parse }),
  };
}

interface TextRules {
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: RegExp;
  readonly format?: string;
  readonly contentEncoding?: string;
  readonly examples?: readonly string[];
  /** What the pattern takes, in words that complete "must be …". */
  readonly takes?: string;
}

export function text(rules: TextRules = {}): FieldType<string> {
  const { takes = lengthInWords(rules), pattern, ...keywords } = rules;
  const { minLength = 0, maxLength = Infinity } = rules;
  return plain(
    { type: 'string', ...keywords, ...(pattern === undefined ? {} : { pattern: pattern.source }) },
    takes,
    (value) =>
      typeof value === 'string' &&
      value.length >= minLength &&
      value.length <= maxLength &&
      (pattern === undefined || pattern.test(value)),
  );
}

function lengthInWords({ minLength = 0, maxLength }: TextRules): string {
  if (maxLength === undefined) return minLength > 0 ? 'a string that is not empty' : 'a string';
  return minLength > 0
    ? `a string of ${minLength} to ${maxLength} characters`
    : `a string of at most ${maxLength} characters`;
}

export function base64(): FieldType<string> {
  const pattern = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
  return plain(
    { type: 'string', contentEncoding: 'base64' },
    'base64',
    (value) => typeof value === 'string' && pattern.test(value),
  );
}

interface NumberRules {
  readonly least?: number;
  readonly most?: number;
  readonly default?: number;
  readonly format?: 'int64';
}

export function wholeNumber(rules: NumberRules = { least: 0 }): FieldType<number> {
  const { least, most, format } = rules;
  const range =
    least !== undefined && most !== undefined
      ? ` from ${least} to ${most}`
      : least !== undefined
        ? ` of at least ${least}`
        : '';
  return plain(
    {
      type: 'integer',
      ...(format === undefined ? {} : { format }),
      ...(least === undefined ? {} : { minimum: least }),
      ...(most === undefined ? {} : { maximum: most }),
      ...(rules.default === undefined ? {} : { default: rules.default }),
    },
    `a whole number${range}`,
    (value) =>
      Number.isInteger(value) && (value as number) >= (least ?? -Infinity) && (value as number) <= (most ?? Infinity),
    (parameter) => (/^-?\d{1,15}$/.test(parameter) ? Number(parameter) : undefined),
  );
}

export function number(): FieldType<number> {
  return plain({ type: 'number' }, 'a number', (value) => typeof value === 'number');
}

export function flag(rules: { readonly default?: boolean } = {}): FieldType<boolean> {
  return plain(
    { type: 'boolean', ...rules },
    'true or false',
    (value) => typeof value === 'boolean',
    (parameter) => ({ true: true, false: false })[parameter],
  );
}

export function choice<const T extends string>(
  values: readonly T[],
  rules: { readonly default?: T } = {},
): FieldType<T> {
  const [first] = values;
  const takes = values.length === 1 ? String(first) : `one of ${values.join(', ')}`;
  return plain({ type: 'string', enum: values, ...rules }, takes, (value) => values.includes(value as T));
}

export function constant<const T extends string | number | boolean>(value: T): FieldType<T> {
  return plain({ const: value }, JSON.stringify(value), (given) => given === value);
}

/** The value stays text; {@link parseDuration} gives its milliseconds. */
export function duration(bounds: { readonly most: string; readonly positive?: boolean }): FieldType<string> {
  const most = parseDuration(bounds.most) ?? NaN;
  return plain(
    {
      type: 'string',
      pattern: bounds.positive === true ? '^0*[1-9][0-9]*(ms|s|m|h|d)?$' : '^[0-9]+(ms|s|m|h|d)?$',
      description: `Seconds, or with a unit: \`5\`, \`5s\`, \`500ms\`, \`10m\`; at most \`${bounds.most}\``,
    },
    `a duration ${bounds.positive === true ? 'of more than 0, ' : ''}such as 30s or 500ms, at most ${bounds.most}`,
    (value) => {
      const milliseconds = typeof value === 'string' ? parseDuration(value) : undefined;
      return milliseconds !== undefined && milliseconds <= most && (bounds.positive !== true || milliseconds > 0);
    },
  );
}

/** RFC 3339, UTC. */
export function moment(): FieldType<string> {
  return plain(
    { type: 'string', format: 'date-time' },
    'a time such as 2026-01-31T12:00:00.000Z',
    (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value)),
  );
}

/** Any JSON value, or with a schema what only that says. */
export function anything(schema: JsonSchema = {}): FieldType {
  return { schema: () => schema, faults: () => [] };
}

export function anyObject(): FieldType<Readonly<Record<string, unknown>>> {
  return plain({ type: 'object' }, 'an object', isRecord);
}

/** @param takes completes "must be …" */
export function checked<T>(schema: JsonSchema, takes: string, accepts: (value: unknown) => boolean): FieldType<T> {
  return plain(schema, takes, accepts);
}

export function nullable<T>(type: FieldType<T>): FieldType<T | null> {
  return {
    schema: (refer) => orNull(type.schema(refer)),
    faults: (value) => (value === null ? [] : type.faults(value)),
  };
}

function orNull(schema: JsonSchema): JsonSchema {
  if (schema.$ref !== undefined) return { anyOf: [schema, { type: 'null' }] };
  return {
    ...schema,
    ...(typeof schema.type === 'string' ? { type: [schema.type, 'null'] } : {}),
    ...(schema.enum === undefined ? {} : { enum: [...schema.enum, null] }),
  };
}

export function list<T>(
  item: FieldType<T>,
  { least = 0, most = Infinity }: { readonly least?: number; readonly most?: number } = {},
): FieldType<readonly T[]> {
  return {
    item,
    schema: (refer) => ({
      type: 'array',
      items: item.schema(refer),
      ...(least > 0 ? { minItems: least } : {}),
      ...(most < Infinity ? { maxItems: most } : {}),
    }),
    faults: (value) => {
      if (!Array.isArray(value)) return [{ pointer: '', message: 'must be a list' }];
      if (value.length < least) return [{ pointer: '', message: 'must not be empty' }];
      if (value.length > most) return [{ pointer: '', message: `must have at most ${most} entries` }];
      return faultsOfEach(value, (entry, at) => below(String(at), item.faults(entry)));
    },
  };
}

/** An object with names of the caller's. */
export function mapOf<T>(item: FieldType<T>): FieldType<Readonly<Record<string, T>>> {
  return {
    schema: (refer) => ({ type: 'object', additionalProperties: item.schema(refer) }),
    faults: (value) =>
      isRecord(value)
        ? faultsOfEach(Object.entries(value), ([name, entry]) => below(name, item.faults(entry)))
        : [{ pointer: '', message: 'must be an object' }],
  };
}

/** Makes a type a component schema: unions above all, which are no class. */
export function named<T>(name: string, what: string, type: FieldType<T>, examples?: readonly unknown[]): FieldType<T> {
  const component: ComponentType = { name, what, type, ...(examples === undefined ? {} : { examples }) };
  return { ...type, schema: (refer) => refer(component) };
}

/** One of several; what is wrong is told for the one with the fewest faults. */
export function either<T>(types: readonly FieldType<T>[], keyword: 'oneOf' | 'anyOf' = 'oneOf'): FieldType<T> {
  return {
    schema: (refer) => ({ [keyword]: types.map((type) => type.schema(refer)) }),
    faults: (value) =>
      types.map((type) => type.faults(value)).reduce((best, faults) => (faults.length < best.length ? faults : best)),
  };
}

/** The faults of a value as faults of what holds it. */
export function below(name: string, faults: readonly ValueFault[]): ValueFault[] {
  return faults.map((fault) => ({ ...fault, pointer: `${jsonPointer([name])}${fault.pointer}` }));
}
