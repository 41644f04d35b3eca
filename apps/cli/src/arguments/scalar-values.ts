import { JsonText, readJson, type SchemaTypes } from '@qmp-gateway/client';
import { typeOf } from './schema-model.js';

/** What a text stands for where a type is expected; or why it stands for nothing. */
export type ReadValue = { readonly value: unknown } | { readonly fault: string };

const integerNames: ReadonlySet<string> = new Set([
  ...['int', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64', 'size'],
]);
const integerForm = /^(-?)(0[xX][0-9a-fA-F]+|\d+)([KMGTPE])?(?:iB)?$/;
const powers = 'KMGTPE';
const switches: Readonly<Record<string, boolean>> = {
  true: true,
  on: true,
  yes: true,
  false: false,
  off: false,
  no: false,
};

/**
 * Reads a text by the type that the model declares; nothing is guessed from how it looks.
 * @param reference of the type, `[name]` for a list
 */
export function readValue(types: SchemaTypes, reference: string, text: string): ReadValue {
  const type = typeOf(types, reference);
  switch (type.kind) {
    case 'enum':
      // Others are for the VM to refuse: the gateway names the values.
      return { value: text };
    case 'list':
    case 'object':
      return readStructure(type.kind, text);
    case 'alternate':
      return readAlternate(types, type.types, text);
    case 'builtin':
      return readBuiltin(type.name, text);
  }
}

function readBuiltin(name: string, text: string): ReadValue {
  if (name === 'str') return { value: text };
  if (integerNames.has(name)) return readInteger(text);
  if (name === 'bool') {
    const known = Object.hasOwn(switches, text) ? switches[text] : undefined;
    return known === undefined ? { fault: 'takes true or false' } : { value: known };
  }
  if (name === 'number')
    return isJson(text, 'number', 'bigint') ? { value: new JsonText(text) } : { fault: 'takes a number' };
  if (name === 'null') return text === 'null' ? { value: null } : { fault: 'takes null alone' };
  return { fault: 'may be of any type: write key:=JSON, a string in quotes' };
}

/** Digits, hexadecimal with `0x`, and `K` to `E` for powers of 1024 (`4G`, `512MiB`); of any length. */
export function readInteger(text: string): ReadValue {
  const [match, sign, digits = '', unit] = integerForm.exec(text) ?? [];
  if (match === undefined) return { fault: 'takes an integer' };
  const factor = unit === undefined ? 1n : 1024n ** BigInt(powers.indexOf(unit) + 1);
  const magnitude = BigInt(digits) * factor;
  return { value: sign === '-' ? -magnitude : magnitude };
}

function readStructure(kind: 'list' | 'object', text: string): ReadValue {
  const opening = kind === 'list' ? '[' : '{';
  if (text.trimStart().startsWith(opening) && isJson(text, 'object')) return { value: new JsonText(text) };
  return {
    fault: kind === 'list' ? 'takes a list' : 'has members: write key.member=value, or key:={JSON}',
  };
}

/** A string where there is a branch for it; otherwise the branch whose form the text has. */
function readAlternate(types: SchemaTypes, branches: readonly string[], text: string): ReadValue {
  const kinds = branches.map((reference) => ({ reference, type: typeOf(types, reference) }));
  const isValue = kinds.some(({ type }) => type.kind === 'enum' && type.values.includes(text));
  const structure = kinds.find(({ type }) => type.kind === 'object' || type.kind === 'list');
  const hasString = kinds.some(({ type }) => type.kind === 'builtin' && type.name === 'str');
  if (isValue) return { value: text };
  if (structure !== undefined && /^\s*[[{]/.test(text)) {
    const read = readValue(types, structure.reference, text);
    if ('value' in read) return read;
  }
  if (hasString) return { value: text };
  const scalars = kinds.filter(({ type }) => type.kind === 'builtin');
  for (const { reference } of scalars) {
    const read = readValue(types, reference, text);
    if ('value' in read) return read;
  }
  if (kinds.some(({ type }) => type.kind === 'enum')) return { value: text };
  return { fault: `takes one of ${branches.join(', ')}` };
}

/** Whether a text is JSON of such a type, by `typeof`. */
export function isJson(text: string, ...kinds: readonly string[]): boolean {
  try {
    const value = readJson(text);
    return kinds.length === 0 || kinds.includes(typeof value);
  } catch {
    return false;
  }
}
