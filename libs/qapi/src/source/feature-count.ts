import { type SourceDefinition, featuresOf } from './definitions.js';
import { QapiSchemaError } from './position.js';
import { SPECIAL_FEATURES } from './symbols.js';

/** QEMU stores features as bits of one word, in which the special ones always have theirs. */
const MAX_FEATURES = 64;

/** @throws QapiSchemaError at the definition that adds one feature name too many */
export function checkFeatureCount(definitions: readonly SourceDefinition[]): void {
  const names = new Set(SPECIAL_FEATURES);
  for (const definition of definitions) {
    for (const name of featuresOf(definition)) names.add(name);
    if (names.size > MAX_FEATURES) {
      const where = `${definition.kind} '${definition.name}'`;
      throw new QapiSchemaError(definition.position, `a schema has at most ${MAX_FEATURES} features`, where);
    }
  }
}
