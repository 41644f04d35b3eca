import type { Settlement } from './execution.js';
import { skipSpace, skipString, skipValue } from './json-scan.js';
import { serverBounds } from './server-bounds.js';

/**
 * Reads what a peer wrote, with checks: a server or a guest can write any JSON anywhere, whatever its schema says, and
 * no caller catches an error there.
 */

export type PeerObject = Readonly<Record<string, unknown>>;

/**
 * Undefined if the text is not JSON: QEMU can write `inf`, and not all bytes of a long reply were checked. For a text
 * over {@link serverBounds.ownAnswer} only the plain members of an object are read, which can be long (such as a file
 * that a guest agent read): a million small values would take a hundred times the memory of their text.
 */
export function parsedJson(json: string | Buffer): unknown {
  if (json.length > serverBounds.ownAnswer.most) return plainMembers(Buffer.from(json));
  try {
    return JSON.parse(json.toString());
  } catch {
    return undefined;
  }
}

/** Members of the largest object that is read without parsing it as a whole. */
const mostMembers = 1000;

/**
 * The members of an object that are neither objects nor lists; undefined for anything but an object, or if it has over
 * a thousand.
 */
function plainMembers(json: Buffer): PeerObject | undefined {
  const end = json.length;
  const members: [string, unknown][] = [];
  let at = skipSpace(json, 0, end);
  if (json[at] !== 0x7b) return undefined;
  do {
    const key = skipSpace(json, at + 1, end);
    const afterKey = skipString(json, key, end);
    const colon = afterKey < 0 ? end : skipSpace(json, afterKey, end);
    const value = skipSpace(json, colon + 1, end);
    const afterValue = json[colon] === 0x3a ? skipValue(json, value, end) : -1;
    if (afterValue < 0 || members.length === mostMembers) return undefined;
    if (json[value] !== 0x7b && json[value] !== 0x5b)
      members.push([
        JSON.parse(json.toString('utf8', key, afterKey)) as string,
        JSON.parse(json.toString('utf8', value, afterValue)),
      ]);
    at = skipSpace(json, afterValue, end);
  } while (json[at] === 0x2c);
  return json[at] === 0x7d && skipSpace(json, at + 1, end) === end ? Object.fromEntries(members) : undefined;
}

export function asObject(value: unknown): PeerObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as PeerObject) : undefined;
}

/** An array as a list of objects, with `{}` in place of other elements; undefined for anything but an array. */
export function asObjects(value: unknown): readonly PeerObject[] | undefined {
  return Array.isArray(value) ? (value as unknown[]).map((item) => asObject(item) ?? {}) : undefined;
}

/** The text; undefined for other types. */
export function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** A count or a size; undefined for other values: `1e999` parses as infinite. */
export function asNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}

/** The return value of a reply as an object; undefined for anything else. */
export function returnedObject(settlement: Settlement): PeerObject | undefined {
  return settlement.kind === 'return' ? asObject(parsedJson(settlement.value)) : undefined;
}

/** The return value of a reply as a list of objects; undefined for anything else. */
export function returnedList(settlement: Settlement): readonly PeerObject[] | undefined {
  return settlement.kind === 'return' ? asObjects(parsedJson(settlement.value)) : undefined;
}
