import { readFileSync } from 'node:fs';
import { CatalogError, decodeCatalog, type Catalog } from '@qmp-gateway/catalog';
import { SettingsError } from '../settings/load-settings.js';
import { systemFault } from '../settings/system-fault.js';

/** The operator's own catalogs. @throws SettingsError naming each file that cannot be used */
export function loadCatalogs(files: readonly string[]): Catalog[] {
  const faults: string[] = [];
  const catalogs = files.flatMap((file) => {
    try {
      return [decodeCatalog(readFileSync(file, 'utf8'), file)];
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (!(error instanceof CatalogError) && code === undefined) throw error;
      const why = error instanceof CatalogError ? error.message : `cannot read ${file}: ${systemFault(error)}`;
      faults.push(`catalogs: ${why}`);
      return [];
    }
  });
  if (faults.length > 0) throw new SettingsError(faults);
  return catalogs;
}
