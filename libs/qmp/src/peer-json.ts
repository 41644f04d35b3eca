import type { Outcome } from './execution.js';

/**
 * What a peer wrote, read with checks: a server or a guest can write any JSON anywhere, whatever its schema says, and it
 * is read where nobody is left to catch what is thrown.
 */

export type PeerObject = Readonly<Record<string, unknown>>;

/** Undefined for what is no JSON: QEMU can write `inf`, and of a long reply nobody has looked at all bytes. */
export function parsedJson(json: string | Buffer): unknown {
  try {
    return JSON.parse(json.toString());
  } catch {
    return undefined;
  }
}

export function asObject(value: unknown): PeerObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as PeerObject) : undefined;
}

/** An array as a list of objects, `{}` for what is none; undefined for anything else. */
export function asObjects(value: unknown): readonly PeerObject[] | undefined {
  return Array.isArray(value) ? (value as unknown[]).map((item) => asObject(item) ?? {}) : undefined;
}

/** The text, or undefined for what is none. */
export function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** A count or a size; undefined for what can be none: `1e999` is read as infinite. */
export function asNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}

/** The return value of an answer as an object; undefined for anything else. */
export function returnedObject(outcome: Outcome): PeerObject | undefined {
  return outcome.kind === 'return' ? asObject(parsedJson(outcome.value)) : undefined;
}

/** The return value of an answer as a list of objects; undefined for anything else. */
export function returnedList(outcome: Outcome): readonly PeerObject[] | undefined {
  return outcome.kind === 'return' ? asObjects(parsedJson(outcome.value)) : undefined;
}
