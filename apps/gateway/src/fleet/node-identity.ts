import { randomBytes } from 'node:crypto';
import type { StateDirectory } from '../state/state-directory.js';

const fileName = 'fleet-node.json';

/** Who this node is at every start: made at the first, and kept in its state directory. @throws SettingsError */
export function nodeIdentity(state: StateDirectory): string {
  const text = state.read(fileName);
  const known = text === undefined ? undefined : identityIn(text);
  if (known !== undefined) return known;
  const identity = randomBytes(16).toString('hex');
  state.write(fileName, `${JSON.stringify({ identity })}\n`);
  return identity;
}

/** A file that was damaged is made anew: then the name is had after the time for nodes that are not heard. */
function identityIn(text: string): string | undefined {
  try {
    const { identity } = JSON.parse(text) as { identity?: unknown };
    return typeof identity === 'string' && /^[0-9a-f]{32}$/.test(identity) ? identity : undefined;
  } catch {
    return undefined;
  }
}
