import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import { directoryFault, membershipFault, nameFault, passageFault, type DirectoryUser } from '@qmp-gateway/qmp';
import { readCommandClasses } from './access/policy/command-classes.js';
import { readJwksFile } from './access/credentials/jwks.js';
import { groupId } from './settings/group-id.js';
import { loadTlsMaterial } from './entrance/tls-material.js';
import { loadCatalogs } from './schemas/load-catalogs.js';
import { loadVmTls } from './vms/vm-tls.js';
import type { Flags } from './settings/flags.js';
import type { ListenerAddress } from './settings/listener-address.js';
import { readSettings, SettingsError } from './settings/load-settings.js';
import type { Settings } from './settings/settings.js';
import { systemFault } from './settings/system-fault.js';

/**
 * The settings of `serve`. Reads every file they name and checks every directory: it exists, and others cannot write to it.
 * @param user as whom the gateway will run
 * @throws SettingsError with all faults at once
 */
export function checkedSettings(flags: Flags, user: DirectoryUser = 'own'): Settings {
  const { settings, faults, faulty } = readSettings(flags, process.env);
  const errors = namedFileErrors(settings, faulty, user);
  if (faults.length > 0) errors.unshift(new SettingsError(faults));
  if (errors.length > 0) throw SettingsError.together(errors);
  return settings;
}

function namedFileErrors(settings: Settings, faulty: ReadonlySet<string>, user: DirectoryUser): SettingsError[] {
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
      if (error instanceof SettingsError) return [error];
      throw error;
    }
  });
}

/** Checks what can be known without listening: the gateway whose settings these are may be using the address. */
function checkListeners(listen: readonly ListenerAddress[]): void {
  const faults = listen.flatMap((address, at) => {
    if (address.kind !== 'unix') return [];
    const directory = dirname(address.path);
    if (!existsSync(directory)) return [`listen.${at}: the directory ${directory} does not exist`];
    const fault = nameFault(address.path);
    if (fault !== undefined) return [`listen.${at}: ${fault}`];
    const { group } = address;
    return group === undefined || groupId(group) !== undefined ? [] : [`listen.${at}.group: no group ${group} exists`];
  });
  if (faults.length > 0) throw new SettingsError(faults, true);
}

/** The QEMUs of the group must be able to enter the directory, and the gateway must be in the group to give files to it. */
function checkPictures({ dir, group }: Settings['pictures'], user: DirectoryUser): void {
  if (dir === undefined) return;
  if (!existsSync(dirname(resolve(dir))))
    throw new SettingsError([`pictures.dir: the directory ${dirname(resolve(dir))} does not exist`], true);
  refuse('pictures.dir', directoryFault(dir, user));
  if (group === undefined) return;
  const gid = groupId(group);
  if (gid === undefined) throw new SettingsError([`pictures.group: no group ${group} exists`], true);
  if (user === 'own') refuse('pictures.group', membershipFault(gid));
  refuse('pictures.dir', passageFault(dir, gid));
}

/** Anyone who can put another file in its place can remove what was recorded. */
function checkAuditFile(file: string): void {
  checkWritable('audit.file', existsSync(file) ? file : dirname(file));
  refuse('audit.file', nameFault(file));
}

/** @throws SettingsError when the gateway cannot create it or write to it, or others can write to it */
function checkState(state: string, user: DirectoryUser): void {
  let nearest = resolve(state);
  while (!existsSync(nearest)) nearest = dirname(nearest);
  if (!statSync(nearest).isDirectory()) throw new SettingsError([`state: ${nearest} is not a directory`], true);
  checkWritable('state', nearest);
  refuse('state', directoryFault(state, user));
}

/** For what the machine refuses: a directory that is not mounted yet looks like one of another user. */
function refuse(key: string, fault: string | undefined): void {
  if (fault !== undefined) throw new SettingsError([`${key}: ${fault}`], true);
}

function checkWritable(key: string, path: string): void {
  try {
    accessSync(path, constants.W_OK);
  } catch (error) {
    throw new SettingsError([`${key}: cannot write to ${path}: ${systemFault(error)}`], true);
  }
}
