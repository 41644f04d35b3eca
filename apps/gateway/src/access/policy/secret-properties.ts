import { closedProperties, secretCommonMembers, secretHolders } from '@qmp-gateway/catalog';
import type { QapiModel, Variant } from '@qmp-gateway/qapi';

/** Names that are kept, and their length; a release has a handful. */
const mostProperties = 512;
const longestName = 128;

/**
 * Properties that count as secret of types in no table: those of a future release, or of a custom build. They are read
 * off the schema, where each type that `object-add` makes is a variant (since QEMU 6.0). The VM is not asked:
 * `qom-list-types` makes a QEMU load all its modules, which takes memory, and ends one whose modules on disk have been
 * replaced by an update meanwhile.
 */
export function secretPropertiesOf(model: Pick<QapiModel, 'commands'>): ReadonlySet<string> {
  const { cases = [] } = model.commands.get('object-add')?.arguments.variants ?? {};
  const names = cases
    .filter((variant) => !secretHolders.has(variant.case) && isSecret(variant))
    .flatMap(({ type }) => closedProperties(type.members.map(({ name }) => name)))
    .filter(({ length }) => length <= longestName);
  return new Set(names.slice(0, mostProperties));
}

function isSecret({ type: { members } }: Variant): boolean {
  return secretCommonMembers.every((name) => members.some((member) => member.name === name));
}
