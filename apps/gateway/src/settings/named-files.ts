import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import { directoryFault, membershipFault, nameFault, passageFault, type DirectoryUser } from '@qmp-gateway/qmp';
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
 * The settings of `serve`, and everything they point at tried: files read, directories there and ours.
 * @param user as whom the gateway will run
 * @throws SettingsError with all faults at once
 */
export function checkedSettings(flags: Flags, user: DirectoryUser = 'own'): Settings {
  const { settings, faults, faulty } = readSettings(flags, process.env);
  const all = [...faults, ...namedFileFaults(settings, faulty, user)];
  if (all.length > 0) throw new SettingsError(all);
  return settings;
}

function namedFileFaults(settings: Settings, faulty: ReadonlySet<string>, user: DirectoryUser): string[] {
  const { tls, jwt, audit, monitorSockets } = settings;
  const checks: Readonly<Partial<Record<keyof Settings, () => unknown>>> = {
    listen: () => checkListeners(settings.listen),
    state: () => checkState(settings.state, user),
    audit: () => isAbsolute(audit.file) && checkAuditFile(audit.file),
    pictures: () => checkPictures(settings.pictures, user),
    monitorSockets: () =>
      monitorSockets === undefined || refuse('monitorSockets.dir', directoryFault(monitorSockets.dir, user)),
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
    const fault = nameFault(address.path);
    if (fault !== undefined) return [`listen.${at}: ${fault}`];
    const { group } = address;
    return group === undefined || groupId(group) !== undefined
      ? []
      : [`listen.${at}.group: there is no group ${group}`];
  });
  if (faults.length > 0) throw new SettingsError(faults);
}

/** The QEMUs of the group must find the way there, and the gateway be one who can give them something. */
function checkPictures({ dir, group }: Settings['pictures'], user: DirectoryUser): void {
  if (dir === undefined) return;
  if (!existsSync(dirname(resolve(dir))))
    throw new SettingsError([`pictures.dir: the directory ${dirname(resolve(dir))} does not exist`]);
  refuse('pictures.dir', directoryFault(dir, user));
  if (group === undefined) return;
  const gid = groupId(group);
  if (gid === undefined) throw new SettingsError([`pictures.group: there is no group ${group}`]);
  if (user === 'own') refuse('pictures.group', membershipFault(gid));
  refuse('pictures.dir', passageFault(dir, gid));
}

/** Whoever can put another file in its place takes away what was recorded. */
function checkAuditFile(file: string): void {
  checkWritable('audit.file', existsSync(file) ? file : dirname(file));
  refuse('audit.file', nameFault(file));
}

/** @throws SettingsError when it can't be made, or written to, or can be by others. */
function checkState(state: string, user: DirectoryUser): void {
  let nearest = resolve(state);
  while (!existsSync(nearest)) nearest = dirname(nearest);
  if (!statSync(nearest).isDirectory()) throw new SettingsError([`state: ${nearest} is not a directory`]);
  checkWritable('state', nearest);
  refuse('state', directoryFault(state, user));
}

function refuse(key: string, fault: string | undefined): void {
  if (fault !== undefined) throw new SettingsError([`${key}: ${fault}`]);
}

function checkWritable(key: string, path: string): void {
  try {
    accessSync(path, constants.W_OK);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    throw new SettingsError([`${key}: ${path} cannot be written to (${code})`]);
  }
}
