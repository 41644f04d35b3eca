import type { FakeAnswer, FakeCommand } from './fake-monitor.js';

/** A guest agent's answer to `guest-sync-delimited`: the id after a 0xFF. */
export function syncAnswer({ arguments: args }: FakeCommand): FakeAnswer {
  return { raw: Buffer.concat([Buffer.of(0xff), Buffer.from(`{"return": ${(args as { id: number }).id}}\n`)]) };
}
