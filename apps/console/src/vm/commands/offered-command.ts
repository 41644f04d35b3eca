import type { Grant, Level } from '@qmp-gateway/client';
import type { CommandOfVm } from '../../forms/command-form.js';

const levels: readonly Level[] = ['read', 'operate', 'configure', 'host'];

/**
 * Why the caller cannot run a command, whatever its arguments.
 * @returns undefined if he can, or arguments decide
 */
export function whyNotOffered(command: CommandOfVm, { level, commands }: Grant): string | undefined {
  const { name, lowestClass, offered, reason } = command;
  if (offered === false) return `The gateway does not run it: ${reason ?? 'it gives no reason'}.`;
  if (levels.indexOf(lowestClass) > levels.indexOf(level))
    return `It needs level ${lowestClass}; you have level ${level}.`;
  if (commands.deny.some((glob) => globMatches(glob, name))) return 'Your token excludes it.';
  if (commands.allow.length > 0 && !commands.allow.some((glob) => globMatches(glob, name)))
    return 'It is not among the commands that your token allows.';
  return undefined;
}

/** Whether the arguments decide which level the command needs. */
export function dependsOnArguments({ lowestClass, highestClass }: CommandOfVm): boolean {
  return lowestClass !== highestClass;
}

/** `*` stands for any characters, everything else for itself. */
function globMatches(glob: string, name: string): boolean {
  const pattern = glob.replace(/[.?+^${}()|[\]\\]/g, '\\$&').replace(/\*+/g, '.*');
  return new RegExp(`^${pattern}$`, 's').test(name);
}
