import { isRecord, jsonPointer } from '@qmp-gateway/qapi';
import type { JsonSchema } from '@qmp-gateway/qapi-openapi';
import { describedSettings } from '../../settings/setting.js';
import type { DescribedClass } from '../../settings/setting-type.js';
import type { FieldType } from './field-type.js';

/** A member of a request that is a setting too: it takes what the settings file takes, and says the same of it. */
export function settingField<T extends object, K extends keyof T & string>(
  of: DescribedClass<T>,
  key: K,
): FieldType<NonNullable<T[K]>> {
  const setting = describedSettings(of).get(key);
  if (setting === undefined) throw new TypeError(`no setting is called ${key}`);
  return {
    schema: () => withoutHints(setting.is.schema) as JsonSchema,
    faults: (value) =>
      setting.is.read(value).faults.map(({ path, message }) => ({ pointer: jsonPointer(path), message })),
  };
}

/** Texts for editors are no keywords of JSON Schema. */
function withoutHints(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutHints);
  if (!isRecord(schema)) return schema;
  return Object.fromEntries(
    Object.entries(schema).flatMap(([key, value]) =>
      key === 'patternErrorMessage' ? [] : [[key, withoutHints(value)]],
    ),
  );
}
