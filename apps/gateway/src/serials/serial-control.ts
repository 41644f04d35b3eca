import { isRecord } from '@qmp-gateway/qapi';

/** What a client asks for in a text frame. */
export type SerialControl = 'take' | 'break';

const longest = 64;

/** @returns undefined for what is none */
export function readControl(data: Buffer): SerialControl | undefined {
  if (data.length > longest) return undefined;
  let message: unknown;
  try {
    message = JSON.parse(data.toString());
  } catch {
    return undefined;
  }
  if (!isRecord(message) || Object.keys(message).length !== 1) return undefined;
  return (['take', 'break'] as const).find((control) => message[control] === true);
}
