import type { Greeting } from './session-info.js';

/** Reads a greeting message; null when its `QMP` member has not the shape of QEMU's `QMP-GREETING`. */
export function readGreeting(json: string): Greeting | null {
  const message: unknown = JSON.parse(json);
  const qmp = memberOf(message, 'QMP');
  const version = memberOf(qmp, 'version');
  const numbers = memberOf(version, 'qemu');
  if (!isRecord(qmp) || !isRecord(version) || !isRecord(numbers)) return null;
  const { major, minor, micro } = numbers;
  if (typeof major !== 'number' || typeof minor !== 'number' || typeof micro !== 'number') return null;
  const capabilities = Array.isArray(qmp['capabilities']) ? qmp['capabilities'] : [];
  return {
    version: { major, minor, micro },
    package: typeof version['package'] === 'string' ? version['package'] : '',
    capabilities: capabilities.filter((name) => typeof name === 'string'),
    json,
  };
}

function memberOf(value: unknown, name: string): unknown {
  return isRecord(value) ? value[name] : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
