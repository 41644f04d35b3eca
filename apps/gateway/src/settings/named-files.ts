import { commandClassesFromSettings, type ClassSettings } from '@qmp-gateway/catalog';
import { readJwksFile } from '../access/jwks.js';
import { loadTlsMaterial } from '../listeners/tls-material.js';
import { loadCatalogs } from '../schemas/load-catalogs.js';
import { loadVmTls } from '../vms/vm-tls.js';
import { SettingsError } from './load-settings.js';
import type { Settings } from './settings.js';

/** `commandClasses:` as the catalogs allow it. @throws SettingsError naming each command whose class can't be set so */
export function readCommandClasses(settings: Pick<Settings, 'commandClasses'>): ClassSettings {
  const { classes, faults } = commandClassesFromSettings(settings.commandClasses);
  if (faults.length > 0)
    throw new SettingsError(faults.map(({ command, message }) => `commandClasses.${command}: ${message}`));
  return classes;
}

/** Reads everything the settings point at, as `serve` would. @throws SettingsError with all faults at once */
export function checkNamedFiles(settings: Settings): void {
  const { tls, jwt } = settings;
  const checks = [
    () => loadCatalogs(settings.catalogs),
    () => readCommandClasses(settings),
    () => tls === undefined || loadTlsMaterial(tls),
    () => loadVmTls(settings.vms),
    () => jwt === undefined || readJwksFile(jwt.jwks),
  ];
  const faults = checks.flatMap((check) => {
    try {
      check();
      return [];
    } catch (error) {
      if (error instanceof SettingsError) return error.faults;
      throw error;
    }
  });
  if (faults.length > 0) throw new SettingsError(faults);
}
