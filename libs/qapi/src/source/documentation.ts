import { type SourceDefinition, featuresOf, partsInPlace } from './definitions.js';
import type { Pragmas } from './pragma.js';
import { QapiSchemaError } from './position.js';

/**
 * Compares the documentation of a definition with the definition: everything described must exist, and features must be
 * described. Members must be described if the schema has a list of exceptions from that (QEMU 9.1 and later).
 * @throws QapiSchemaError
 */
export function checkDocumentation(definition: SourceDefinition, pragmas: Pragmas): void {
  const { doc, name, kind, position } = definition;
  if (doc === undefined) return;
  const where = `${kind} '${name}'`;
  const members = partsInPlace(definition);
  const features = new Set(featuresOf(definition));
  for (const feature of features) {
    if (!doc.features.has(feature)) {
      throw new QapiSchemaError(position, `feature '${feature}' lacks documentation`, where);
    }
  }
  if (pragmas.has('documentation-exceptions') && !pragmas.excepts('documentation-exceptions', name)) {
    const bare = members.find((member) => !doc.members.has(member.name));
    if (bare) throw new QapiSchemaError(position, `'${bare.name}' lacks documentation`, where);
  }
  for (const [described, { position: at }] of doc.members) {
    if (!members.some((member) => member.name === described)) {
      throw new QapiSchemaError(at, `documents '${described}', which does not exist`, where);
    }
  }
  for (const [described, { position: at }] of doc.features) {
    if (!features.has(described)) {
      throw new QapiSchemaError(at, `documents feature '${described}', which does not exist`, where);
    }
  }
}
