import { writeJson } from '@qmp-gateway/client';

/** C1 controls and marks of direction are valid in JSON, and a terminal obeys them. */
const unsafe = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** One line of JSON with all digits of its integers, safe for a terminal. */
export function compactJson(value: unknown): string {
  return escaped(writeJson(value) ?? 'null');
}

/** JSON with an indent of two, as `JSON.stringify` would write it if it knew `bigint`. */
export function prettyJson(value: unknown): string {
  return escaped(indented(value, ''));
}

function indented(value: unknown, indent: string): string {
  if (typeof value !== 'object' || value === null) return writeJson(value) ?? 'null';
  const inner = `${indent}  `;
  const parts = Array.isArray(value)
    ? value.map((item) => indented(item, inner))
    : Object.entries(value)
        .filter(([, member]) => member !== undefined)
        .map(([name, member]) => `${JSON.stringify(name)}: ${indented(member, inner)}`);
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  if (parts.length === 0) return `${open}${close}`;
  return `${open}\n${parts.map((part) => inner + part).join(',\n')}\n${indent}${close}`;
}

function escaped(json: string): string {
  return json.replace(unsafe, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
