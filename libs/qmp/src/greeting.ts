import { asObject, asText, parsedJson } from './peer-json.js';
import type { Greeting } from './session-info.js';

/** Reads a greeting message; null when its `QMP` member has not the shape of QEMU's `QMP-GREETING`. */
export function readGreeting(json: string): Greeting | null {
  const qmp = asObject(asObject(parsedJson(json))?.['QMP']);
  const version = asObject(qmp?.['version']);
  const numbers = asObject(version?.['qemu']);
  if (qmp === undefined || version === undefined || numbers === undefined) return null;
  const { major, minor, micro } = numbers;
  if (typeof major !== 'number' || typeof minor !== 'number' || typeof micro !== 'number') return null;
  const capabilities = Array.isArray(qmp['capabilities']) ? qmp['capabilities'] : [];
  return {
    version: { major, minor, micro },
    package: asText(version['package']) ?? '',
    capabilities: capabilities.filter((name) => typeof name === 'string'),
    json,
  };
}
