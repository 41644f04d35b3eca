import { commandClassesFromSettings, type ClassSettings } from '@qmp-gateway/catalog';
import { SettingsError } from '../../settings/load-settings.js';
import type { Settings } from '../../settings/settings.js';

/** Classes of commands as the settings have them, as a dependency: a {@link ClassSettings}. */
export const CommandClassesToken = Symbol('commandClasses');

/** `commandClasses:` checked against the catalogs. @throws SettingsError that names each command whose class cannot be set */
export function readCommandClasses(settings: Pick<Settings, 'commandClasses'>): ClassSettings {
  const { classes, faults } = commandClassesFromSettings(settings.commandClasses);
  if (faults.length > 0)
    throw new SettingsError(faults.map(({ command, message }) => `commandClasses.${command}: ${message}`));
  return classes;
}
