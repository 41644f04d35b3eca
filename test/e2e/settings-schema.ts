import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { readFileSync } from 'node:fs';

const file = new URL('../../docs/settings.schema.json', import.meta.url);
let validate: ValidateFunction | undefined;

/** Where the published JSON Schema finds settings wrong; empty for settings that it accepts. */
export function schemaFaults(settings: unknown): string[] {
  if (validate === undefined) {
    const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true });
    ajv.addVocabulary(['patternErrorMessage']);
    validate = ajv.compile(JSON.parse(readFileSync(file, 'utf8')) as object);
  }
  if (validate(settings)) return [];
  return (validate.errors ?? []).map(({ instancePath, message = '' }) => `${instancePath}: ${message}`);
}
