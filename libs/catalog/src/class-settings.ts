import { classOrder, compareClasses, isCommandClass, type CommandClass } from './command-class.js';
import { serverKindNames } from './server-kinds.js';
import { commandKnowledge, isKnownCommand } from './command-knowledge.js';

/** `commandClasses:` of the settings file, checked: command name to class. */
export type ClassSettings = ReadonlyMap<string, CommandClass>;

export interface ClassSettingFault {
  readonly command: string;
  readonly message: string;
}

/**
 * Checks `commandClasses:`. It sets the class of commands in no table, and may raise the class of a known one; a
 * setting below the class of a known command on every kind of server would never apply, so it is a fault.
 */
export function commandClassesFromSettings(settings: Readonly<Record<string, unknown>>): {
  readonly classes: ClassSettings;
  readonly faults: readonly ClassSettingFault[];
} {
  const classes = new Map<string, CommandClass>();
  const faults: ClassSettingFault[] = [];
  for (const [command, value] of Object.entries(settings)) {
    if (typeof value !== 'string' || !isCommandClass(value)) {
      faults.push({ command, message: `must be one of ${classOrder.join(', ')}` });
      continue;
    }
    const known = serverKindNames
      .filter((kind) => isKnownCommand(kind, command))
      .map((kind) => commandKnowledge(kind, command));
    if (known.length > 0 && known.every((knowledge) => compareClasses(value, knowledge.class) < 0)) {
      faults.push({
        command,
        message: `may not be lowered: it is ${known[0]?.class ?? 'host'} (${known[0]?.reason ?? ''})`,
      });
      continue;
    }
    classes.set(command, value);
  }
  return { classes, faults };
}
