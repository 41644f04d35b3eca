import { asObject, asText, parsedJson } from './peer-json.js';
import { cutText, serverBounds } from './server-bounds.js';

/** What a server says at connect. */
export interface Greeting {
  readonly version: { readonly major: number; readonly minor: number; readonly micro: number };
  readonly package: string;
  readonly capabilities: readonly string[];
  /** The greeting line as the server wrote it. */
  readonly json: string;
}

const isPart = (number: unknown): number is number => Number.isSafeInteger(number) && (number as number) >= 0;

/** Parses a greeting message; null if its `QMP` member does not have the shape of QEMU's `QMP-GREETING`. */
export function readGreeting(json: string): Greeting | null {
  const qmp = asObject(asObject(parsedJson(json))?.['QMP']);
  const version = asObject(qmp?.['version']);
  const numbers = asObject(version?.['qemu']);
  if (qmp === undefined || version === undefined || numbers === undefined) return null;
  const { major, minor, micro } = numbers;
  if (!isPart(major) || !isPart(minor) || !isPart(micro)) return null;
  const capabilities = Array.isArray(qmp['capabilities']) ? qmp['capabilities'] : [];
  return {
    version: { major, minor, micro },
    package: cutText(asText(version['package']) ?? '', serverBounds.package.most),
    capabilities: capabilities.slice(0, serverBounds.capability.most).filter((name) => typeof name === 'string'),
    json,
  };
}
