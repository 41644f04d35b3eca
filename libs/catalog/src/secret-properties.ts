import { readTable } from './data-file.js';

const table = readTable('secret-properties.tsv', ['type', 'property', 'reason']);

/** Types of objects with properties that are known to contain a secret. */
export const secretHolders: ReadonlySet<string> = new Set(table.map(({ type }) => type));

/**
 * Endings that QEMU uses for the names of such properties, for names in no table. Names that end in `secret` or `id`
 * (`key-secret`, `keyid`, `passwordid`) refer to an object, and `rdseed` or `sgx-tokenkey` are switches of a CPU.
 */
const secretEnding = '(?:^|[-_.])(?:pass(?:word|wd|phrase)?|psk|key|token|cookie|credentials?)$';

/**
 * Names of properties that are, or may be, a secret. The name alone decides, whatever the object: QEMU finds properties
 * by their exact name, while another object may be there when the command runs than when it was checked, and paths have
 * many spellings.
 */
export const secretPropertyName = new RegExp(
  `^(?:${[...new Set(table.map(({ property }) => property))].join('|')})$|${secretEnding}`,
);

/** Members that all of QEMU's types of secrets have, and no other type: how a secret is encrypted. */
export const secretCommonMembers = ['keyid', 'iv', 'format'] as const;

/** The readable properties that every object of such a type has: names of other objects, the encoding of the secret. */
const openProperties: ReadonlySet<string> = new Set([...['type', 'iv', 'keyid', 'loaded', 'format', 'file', 'serial']]);

/**
 * The names of a secret type's properties that count as secret: all except those known to reveal nothing, so that a
 * type of a future release is covered on the day it ships.
 */
export function closedProperties(names: readonly string[]): string[] {
  return names.filter((name) => !openProperties.has(name));
}
