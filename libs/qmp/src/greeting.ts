import { asObject, asText, parsedJson } from './peer-json.js';
import { cutText, serverBounds } from './server-bounds.js';
import type { Greeting } from './session-info.js';

const isPart = (number: unknown): number is number => Number.isSafeInteger(number) && (number as number) >= 0;

/** Reads a greeting message; null when its `QMP` member has not the shape of QEMU's `QMP-GREETING`. */
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
