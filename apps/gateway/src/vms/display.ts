import type { Ask } from '../access/policy/own-monitor.js';
import type { QapiModel } from '@qmp-gateway/qapi';
import { asObjects, asText, parsedJson } from '@qmp-gateway/qmp';

/** Where QEMU has its consoles in the object tree. */
const consoles = '{"path":"/backend"}';
/** A picture that nobody wants: QEMU looks for a console before it opens the file. */
const dump = '{"filename":"/dev/null"}';

/**
 * Whether a VM shows anything a picture could be taken of, which is a matter of its devices: `-display` and `-vnc` say only
 * who looks. QEMU's errors do not tell no display from no file, so it is asked what it has.
 *
 * @param ask undefined where the VM answers with an error
 * @returns null where that can't be asked
 */
export async function hasDisplay(ask: Ask, { commands }: Pick<QapiModel, 'commands'>): Promise<boolean | null> {
  if (!commands.has('screendump')) return false;
  if (!commands.has('qom-list')) return null;
  const listed = await ask('qom-list', consoles);
  const objects = listed === undefined ? [] : (asObjects(parsedJson(listed)) ?? []);
  if (objects.some(({ name }) => /^console\[\d+\]$/.test(asText(name) ?? ''))) return true;
  // Releases before 8 list only what they were started with, not what was plugged in later.
  return (await ask('screendump', dump)) !== undefined;
}

/** Commands after which a VM may have a display that had none. @param json of the arguments */
export function mayBringDisplay(command: string, json: string | undefined): boolean {
  if (command === 'human-monitor-command') return json?.includes('device_add') === true;
  return command === 'device_add' || command === 'x-exit-preconfig';
}
