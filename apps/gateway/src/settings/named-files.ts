import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import { commandClassesFromSettings, type ClassSettings } from '@qmp-gateway/catalog';
import { readJwksFile } from '../access/jwks.js';
import { groupId } from '../listeners/listener.js';
import { loadTlsMaterial } from '../listeners/tls-material.js';
import { loadCatalogs } from '../schemas/load-catalogs.js';
import { loadVmTls } from '../vms/vm-tls.js';
import type { Flags } from './flags.js';
import type { ListenerAddress } from './listener-address.js';
import { readSettings, SettingsError } from './load-settings.js';
import type { Settings } from './settings.js';

/** `commandClasses:` as the catalogs allow it. @throws SettingsError naming each command whose class can't be set so */
export function readCommandClasses(settings: Pick<Settings, 'commandClasses'>): ClassSettings {
  const { classes, faults } = commandClassesFromSettings(settings.commandClasses);
  if (faults.length > 0)
    throw new SettingsError(faults.map(({ command, message }) => `commandClasses.${command}: ${message}`));
  return classes;
}

/**
 * The settings of `serve`, and everything they point at tried: files read, directories there.
 * @throws SettingsError with all faults at once
 */
export function checkedSettings(flags: Flags, environment: NodeJS.ProcessEnv = process.env): Settings {
  const { settings, faults, faulty } = readSettings(flags, environment);
  const all = [...faults, ...namedFileFaults(settings, faulty)];
  if (all.length > 0) throw new SettingsError(all);
  return settings;
}

function namedFileFaults(settings: Settings, faulty: ReadonlySet<string>): string[] {
  const { tls, jwt, audit } = settings;
  const checks: Readonly<Partial<Record<keyof Settings, () => unknown>>> = {
    listen: () => checkListeners(settings.listen),
    state: () => checkState(settings.state),
    audit: () =>
      isAbsolute(audit.file) && checkWritable('audit.file', existsSync(audit.file) ? audit.file : dirname(audit.file)),
    catalogs: () => loadCatalogs(settings.catalogs),
    commandClasses: () => readCommandClasses(settings),
    tls: () => tls === undefined || loadTlsMaterial(tls),
    vms: () => loadVmTls(settings.vms),
    jwt: () => jwt === undefined || readJwksFile(jwt.jwks),
  };
  return Object.entries(checks).flatMap(([key, check]) => {
    if (faulty.has(key)) return [];
    try {
      check();
      return [];
    } catch (error) {
      if (error instanceof SettingsError) return error.faults;
      throw error;
    }
  });
}

/** What can be known without listening: the address may be in use by the gateway whose settings these are. */
function checkListeners(listen: readonly ListenerAddress[]): void {
  const faults = listen.flatMap((address, at) => {
    if (address.kind !== 'unix') return [];
    const directory = dirname(address.path);
    if (!existsSync(directory)) return [`listen.${at}: the directory ${directory} does not exist`];
    const { group } = address;
    return group === undefined || groupId(group) !== undefined
      ? []
      : [`listen.${at}.group: there is no group ${group}`];
  });
  if (faults.length > 0) throw new SettingsError(faults);
}

/** @throws SettingsError when it can't be made, or written to. */
function checkState(state: string): void {
  let nearest = resolve(state);
  while (!existsSync(nearest)) nearest = dirname(nearest);
  if (statSync(nearest).isDirectory()) checkWritable('state', nearest);
  else throw new SettingsError([`state: ${nearest} is not a directory`]);
}

function checkWritable(key: string, path: string): void {
  try {
    accessSync(path, constants.W_OK);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    throw new SettingsError([`${key}: ${path} cannot be written to (${code})`]);
  }
}
