import { readTable } from './data-file.js';

const table = readTable('secret-properties.tsv', ['type', 'property', 'reason']);

/** Types of objects whose properties are known to hold a secret. */
export const secretHolders: ReadonlySet<string> = new Set(table.map(({ type }) => type));

/**
 * How QEMU ends the names of such properties, for those no table of ours knows. Names that end in `secret` or `id`
 * (`key-secret`, `keyid`, `passwordid`) name an object, and `rdseed` or `sgx-tokenkey` are switches of a CPU.
 */
const secretEnding = '(?:^|[-_.])(?:pass(?:word|wd|phrase)?|psk|key|token|cookie|credentials?)$';

/**
 * Names of properties that are, or may be, a secret. By the name alone, whatever object it is asked of: QEMU finds
 * properties by their exact name, while the object may be another one when the command comes to it than when it was
 * looked at, and paths have many spellings.
 */
export const secretPropertyName = new RegExp(
  `^(?:${[...new Set(table.map(({ property }) => property))].join('|')})$|${secretEnding}`,
);

/** The abstract type that QEMU derives its types of secrets from. */
export const secretBaseType = 'secret_common';

/** What every object of such a type has, and may be read: names of other objects, how the secret is written. */
const openProperties: ReadonlySet<string> = new Set([...['type', 'iv', 'keyid', 'loaded', 'format', 'file', 'serial']]);

/**
 * The names of a secret type's properties that must be taken for the secret: all but those known to tell nothing, so
 * that a type of a future release is covered on the day it ships.
 */
export function closedProperties(names: readonly string[]): string[] {
  return names.filter((name) => !openProperties.has(name));
}
