import { isRecord, nearestNames } from '@qmp-gateway/qapi';

/** A JSON Schema, of the 2020-12 draft. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** What is wrong with a value, and where in it. */
export interface SettingFault {
  /** Keys and indices that lead to it; empty for the value itself. */
  readonly path: readonly string[];
  readonly message: string;
  /** The schema accepts the value all the same, because JSON Schema cannot say this rule. */
  readonly beyondSchema?: true;
}

/** What was read, and every fault found on the way. Without a value there is at least one fault. */
export interface Reading<T> {
  readonly value?: T;
  readonly faults: readonly SettingFault[];
}

/** What a setting takes. The loader reads through it; the reference page and the JSON Schema are made of it. */
export interface SettingType<T> {
  /** For people, e.g. `list of paths`. */
  readonly called: string;
  /** Accepts exactly the values that {@link read} finds no fault in, but for those `beyondSchema`. */
  readonly schema: JsonSchema;
  /** The classes whose members the page lists: of the value, or of the entries of a list or a map. */
  readonly members?: DescribedClass;
  read(value: unknown): Reading<T>;
}

/** A class whose members carry `@Setting`. It describes values and is never instantiated. */
export interface DescribedClass<T extends object = object> {
  readonly prototype: T;
}

/** A reading without value, of one fault. */
export function refuse(message: string, path: readonly string[] = []): Reading<never> {
  return { faults: [{ path, message }] };
}

/** The faults of what is below `key`. */
export function below(key: string, faults: readonly SettingFault[]): SettingFault[] {
  return faults.map((fault) => ({ ...fault, path: [key, ...fault.path] }));
}

/** Says that no such key exists, and which names come near, or else which there are. */
export function unknownKey(key: string, known: readonly string[]): SettingFault {
  const nearest = nearestNames(key, known);
  const hint = nearest.length > 0 ? `did you mean ${nearest.join(' or ')}?` : `the keys are ${known.join(', ')}`;
  return { path: [key], message: `unknown (${hint})` };
}

const plainKey = /^[\w-][\w./-]*$/;

/** `path: what is wrong`, on one line; quotes a key that is not a plain name. */
export function shownFault({ path, message }: SettingFault): string {
  const odd = path.findIndex((key) => !plainKey.test(key));
  const plain = odd < 0 ? path : path.slice(0, odd);
  const quoted = odd < 0 ? [] : path.slice(odd).map((key) => JSON.stringify(key.slice(0, 150)));
  const place = plain.map((key) => key.slice(0, 150)).join('.');
  return [place, ...quoted, message].filter((part) => part !== '').join(': ');
}

export interface StringRules {
  readonly called: string;
  /** The fault of anything else, e.g. `must be the path of a file`. */
  readonly must: string;
  readonly pattern?: RegExp;
  /** Of characters; 1 unless this or a pattern says otherwise. */
  readonly minLength?: number;
  /** Of UTF-16 code units. */
  readonly maxLength?: number;
  /** What else is wrong with a string, or what is wrong more precisely than `must` says. */
  readonly faultsOf?: (text: string) => readonly string[];
}

export function string(rules: StringRules): SettingType<string> {
  const { called, must, pattern, minLength = pattern === undefined ? 1 : 0, maxLength, faultsOf } = rules;
  const fits = (text: string) =>
    text.length >= minLength &&
    (maxLength === undefined || isAtMost(text, maxLength)) &&
    (pattern === undefined || pattern.test(text));
  return {
    called,
    schema: {
      type: 'string',
      ...(minLength > 0 ? { minLength } : {}),
      ...(maxLength === undefined ? {} : { maxLength }),
      ...(pattern === undefined ? {} : { pattern: pattern.source, patternErrorMessage: must }),
    },
    read(value) {
      if (typeof value !== 'string') return refuse(must);
      const isInSchema = fits(value);
      const isTooLong = maxLength !== undefined && value.length > maxLength;
      const messages = faultsOf?.(value) ?? [];
      const all = messages.length === 0 && (!isInSchema || isTooLong) ? [must] : messages;
      const faults = all.map((message) => ({
        path: [],
        message,
        ...(isInSchema ? { beyondSchema: true as const } : {}),
      }));
      return faults.length === 0 ? { value, faults } : { faults };
    },
  };
}

/** As JSON Schema counts: by code points, of which each has one or two code units. */
function isAtMost(text: string, codePoints: number): boolean {
  return text.length <= codePoints || (text.length <= 2 * codePoints && Array.from(text).length <= codePoints);
}

export function boolean(): SettingType<boolean> {
  return {
    called: 'boolean',
    schema: { type: 'boolean' },
    read: (value) => (typeof value === 'boolean' ? { value, faults: [] } : refuse('must be true or false')),
  };
}

export function oneOf<const T extends string>(values: readonly T[], called = 'string'): SettingType<T> {
  const must = `must be ${values.length === 2 ? values.join(' or ') : `one of ${values.join(', ')}`}`;
  return {
    called,
    schema: { type: 'string', enum: values },
    read: (value) => (values.includes(value as T) ? { value: value as T, faults: [] } : refuse(must)),
  };
}

export function wholeNumber(minimum: number, maximum = Number.MAX_SAFE_INTEGER): SettingType<number> {
  const range = maximum === Number.MAX_SAFE_INTEGER ? `at least ${minimum}` : `${minimum} to ${maximum}`;
  return {
    called: 'whole number',
    schema: { type: 'integer', minimum, maximum },
    read: (value) =>
      typeof value === 'number' && Number.isInteger(value) && value >= minimum && value <= maximum
        ? { value, faults: [] }
        : refuse(`must be a whole number, ${range}`),
  };
}

/** @param called of the entries, in the plural */
export function list<T>(of: SettingType<T>, called: string, minItems = 0): SettingType<T[]> {
  return {
    called: `list of ${called}`,
    get schema() {
      return { type: 'array', items: of.schema, ...(minItems > 0 ? { minItems } : {}) };
    },
    ...(of.members === undefined ? {} : { members: of.members }),
    read(value) {
      if (!Array.isArray(value)) return refuse(`must be a list of ${called}`);
      if (value.length < minItems)
        return refuse(`must hold at least ${minItems === 1 ? 'one' : minItems} of ${called}`);
      const entries = value.map((entry) => of.read(entry));
      const faults = entries.flatMap((entry, at) => below(String(at), entry.faults));
      if (entries.some((entry) => entry.value === undefined)) return { faults };
      return { value: entries.map((entry) => entry.value as T), faults };
    },
  };
}

export interface MapRules {
  /** The entries and keys, e.g. `VMs by id`. */
  readonly called: string;
  readonly keys?: { readonly pattern: RegExp; readonly must: string };
  readonly maxEntries?: number;
}

/** An object whose keys are names. */
export function mapOf<T>(
  of: SettingType<T>,
  { called, keys, maxEntries }: MapRules,
): SettingType<Readonly<Record<string, T>>> {
  const readEntry = ([key, entry]: [string, unknown]): Reading<T> => {
    if (keys !== undefined && !keys.pattern.test(key)) return refuse(keys.must, [key]);
    const { faults, ...read } = of.read(entry);
    return { ...read, faults: below(key, faults) };
  };
  return {
    called: `object of ${called}`,
    get schema() {
      return {
        type: 'object',
        additionalProperties: of.schema,
        ...(keys === undefined
          ? {}
          : { propertyNames: { pattern: keys.pattern.source, patternErrorMessage: keys.must } }),
        ...(maxEntries === undefined ? {} : { maxProperties: maxEntries }),
      };
    },
    ...(of.members === undefined ? {} : { members: of.members }),
    read(value) {
      if (!isRecord(value)) return refuse(`must be an object of ${called}`);
      const given = Object.entries(value);
      if (maxEntries !== undefined && given.length > maxEntries) return refuse(`must hold at most ${maxEntries}`);
      const entries = given.map((entry) => [entry[0], readEntry(entry)] as const);
      const faults = entries.flatMap(([, entry]) => entry.faults);
      if (entries.some(([, entry]) => entry.value === undefined)) return { faults };
      return { value: Object.fromEntries(entries.map(([key, entry]) => [key, entry.value as T])), faults };
    },
  };
}

/** The same values, kept in another form. */
export function converted<A, B>(type: SettingType<A>, convert: (value: A) => B): SettingType<B> {
  const { called, members } = type;
  return {
    called,
    ...(members === undefined ? {} : { members }),
    get schema() {
      return type.schema;
    },
    read(value) {
      const reading = type.read(value);
      return reading.value === undefined
        ? { faults: reading.faults }
        : { value: convert(reading.value), faults: reading.faults };
    },
  };
}
