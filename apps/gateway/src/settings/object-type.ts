import { isRecord } from '@qmp-gateway/qapi';
import { parse as parseYaml } from 'yaml';
import { describedSettings, type Descriptions, type SettingDescription } from './setting.js';
import {
  below,
  refuse,
  unknownKey,
  type DescribedClass,
  type JsonSchema,
  type Reading,
  type SettingFault,
  type SettingType,
} from './setting-type.js';

export interface ObjectRules<T> {
  readonly called?: string;
  /** The fault of a value that is not an object. */
  readonly must?: string;
  /** Faults of members that are right one by one; `read` holds those that are. */
  readonly together?: (given: Readonly<Record<string, unknown>>, read: Readonly<Partial<T>>) => readonly SettingFault[];
  /** What the schema says of members together. */
  readonly schema?: JsonSchema;
}

/** What was read of an object whose members may be wrong. */
export interface MembersReading<T> {
  readonly read: Partial<T>;
  /** Members that were given and have no value, because they are wrong. */
  readonly wrong: ReadonlySet<string>;
  readonly faults: readonly SettingFault[];
}

export interface ObjectSettingType<T> extends SettingType<T> {
  readonly members: DescribedClass;
  /** Each member is a setting with a section, perhaps a flag, of its own. */
  readonly isGroup: boolean;
  /** @param keys those that it takes, if not all */
  readMembers(value: Readonly<Record<string, unknown>>, keys?: readonly string[]): MembersReading<T>;
}

/** An object whose members a class describes. Members that it does not know are faults. */
export function object<T extends object>(of: DescribedClass<T>, rules: ObjectRules<T> = {}): ObjectSettingType<T> {
  return objectType(of, rules, false);
}

/**
 * Settings that belong together, each with a name of its own such as `limits.queue`. A key without a value, as YAML
 * allows it, counts as one that is not given.
 */
export function group<T extends object>(of: DescribedClass<T>, rules: ObjectRules<T> = {}): ObjectSettingType<T> {
  return objectType(of, rules, true);
}

/** The group that a setting is, or undefined. */
export function groupIn({ is }: SettingDescription): DescribedClass | undefined {
  return 'isGroup' in is && is.isGroup === true ? is.members : undefined;
}

function objectType<T extends object>(
  of: DescribedClass<T>,
  rules: ObjectRules<T>,
  isGroup: boolean,
): ObjectSettingType<T> {
  const { called = 'object', must = 'must be an object', together } = rules;
  const described = describedSettings(of);
  const type: ObjectSettingType<T> = {
    called,
    members: of,
    isGroup,
    // Made when it is asked for: reading the examples takes longer than all else that a start does with settings.
    get schema() {
      return { ...objectSchema(described, isGroup), ...rules.schema };
    },
    readMembers(value, keys = [...described.keys()]) {
      const isGiven = (key: string) =>
        Object.hasOwn(value, key) && value[key] !== undefined && !(isGroup && value[key] === null);
      const unknown = Object.keys(value)
        .filter((key) => !keys.includes(key) && value[key] !== undefined)
        .map((key) => unknownKey(key, keys));
      const members = keys.map((key) => {
        const description = described.get(key) as SettingDescription;
        return [key, readMember(description, isGiven(key), value[key])] as const;
      });
      const right = members.filter(([, { value: read }]) => read !== undefined);
      const read = Object.fromEntries(right.map(([key, { value: own }]) => [key, own])) as Partial<T>;
      const wrong = members.filter(([, { value: own, faults }]) => own === undefined && faults.length > 0);
      const faults = [...unknown, ...members.flatMap(([key, member]) => below(key, member.faults))];
      const combined = together?.(value, read) ?? [];
      return {
        read,
        wrong: new Set([...wrong.map(([key]) => key), ...combined.map(({ path: [key = ''] }) => key)]),
        faults: [...faults, ...combined],
      };
    },
    read(value): Reading<T> {
      if (!isRecord(value)) return refuse(must);
      const { read, wrong, faults } = type.readMembers(value);
      return wrong.size > 0 ? { faults } : { value: read as T, faults };
    },
  };
  return type;
}

function readMember(description: SettingDescription, isGiven: boolean, value: unknown): Reading<unknown> {
  if (isGiven) return description.is.read(value);
  if (description.required === true) return refuse('missing');
  return description.default === undefined ? { faults: [] } : description.is.read(description.default);
}

function objectSchema(described: Descriptions, isGroup: boolean): JsonSchema {
  const required = [...described].filter(([, { required: isRequired }]) => isRequired === true).map(([key]) => key);
  const properties = [...described].map(([key, description]) => [key, memberSchema(description, isGroup)]);
  return {
    type: 'object',
    properties: Object.fromEntries(properties) as JsonSchema,
    ...(required.length > 0 ? { required } : {}),
    additionalProperties: false,
  };
}

function memberSchema(description: SettingDescription, isGroup: boolean): JsonSchema {
  const { what, is, default: value, required, example } = description;
  const mayBeBlank = isGroup && required !== true;
  return {
    // Links lead to other pages of the docs.
    description: what.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1'),
    ...(mayBeBlank ? orNull(is.schema) : is.schema),
    ...(value === undefined || groupIn(description) !== undefined ? {} : { default: value }),
    ...(example === undefined ? {} : { examples: [parseYaml(example) as unknown] }),
  };
}

function orNull(schema: JsonSchema): JsonSchema {
  const { type, enum: values } = schema;
  return {
    ...schema,
    type: [type, 'null'].flat(),
    ...(values === undefined ? {} : { enum: [...(values as unknown[]), null] }),
  };
}
