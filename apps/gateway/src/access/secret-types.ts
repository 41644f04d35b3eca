import { closedProperties, secretBaseType, secretHolders } from '@qmp-gateway/catalog';
import type { QapiModel } from '@qmp-gateway/qapi';
import { asObjects, asText, parsedJson } from '@qmp-gateway/qmp';
import type { Ask } from './own-monitor.js';

/** Of types beyond those the catalog knows; a release has a handful at most, and each costs a question. */
const mostTypes = 32;
/** Of their properties, which are kept; none has a longer name. */
const mostProperties = 512;
const longestName = 128;

/**
 * Asks a VM for types of secrets no table of ours knows: a future release, or somebody's own build.
 *
 * @returns the properties of theirs that must be taken for the secret
 */
export async function findSecretProperties(ask: Ask, model: QapiModel): Promise<ReadonlySet<string>> {
  if (!model.commands.has('qom-list-types') || !model.commands.has('qom-list-properties')) return new Set();
  const types = await namesOf(ask('qom-list-types', JSON.stringify({ implements: secretBaseType, abstract: false })));
  const unknown = types.filter((type) => type !== 'secret_keyring' && !secretHolders.has(type)).slice(0, mostTypes);
  const listed = await Promise.all(
    unknown.map((type) => namesOf(ask('qom-list-properties', JSON.stringify({ typename: type })))),
  );
  const names = closedProperties(listed.flat()).filter(({ length }) => length <= longestName);
  return new Set(names.slice(0, mostProperties));
}

async function namesOf(answer: Promise<Buffer | undefined>): Promise<string[]> {
  const list = await answer;
  if (list === undefined) return [];
  return (asObjects(parsedJson(list)) ?? []).flatMap(({ name }) => asText(name) ?? []);
}
