import { readFileSync } from 'node:fs';
import { resolve as absolutePath } from 'node:path';
import { validateSync, type ValidationError } from 'class-validator';
import { parse as parseYaml } from 'yaml';
import { readClientCertificate, type ClientCertificate } from './access-settings.js';
import { parseByteSize } from './byte-size.js';
import { flagsFromEnvironment, settingFlags, type Flags } from './flags.js';
import { impossibleSettings } from './impossible-settings.js';
import type { ListenerAddress } from './listener-address.js';
import { nestedSettings, SettingsFile } from './settings-file.js';
import {
  isRecord,
  readDiscovery,
  readListener,
  readMonitorSockets,
  readVmDefinition,
  unknownKey,
} from './settings-rules.js';
import type { CommandClass } from '@qmp-gateway/catalog';
import type { DiscoverySettings, Settings, VmDefinition } from './settings.js';

/** Everything wrong with the settings, a line each: `path: what is wrong`. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';

  constructor(readonly faults: readonly string[]) {
    super(faults.join('\n'));
  }
}

/** Settings, and everything that is wrong with them. */
export interface SettingsReading {
  /** With the defaults in place of what is wrong. */
  readonly settings: Settings;
  readonly faults: readonly string[];
  /** Top-level keys of settings that are wrong by themselves: nothing is to be concluded from them. */
  readonly faulty: ReadonlySet<string>;
}

const defaultFile = './qmp-gateway.yaml';

/**
 * Settings from flags, environment (`QMPGW_…`), file and defaults, in this order of precedence.
 * @throws SettingsError with all faults at once.
 */
export function loadSettings(flags: Flags, environment: NodeJS.ProcessEnv = process.env): Settings {
  const { settings, faults } = readSettings(flags, environment);
  if (faults.length > 0) throw new SettingsError(faults);
  return settings;
}

/** As {@link loadSettings}, for callers that look for more faults. @throws SettingsError for a file that can't be read */
export function readSettings(flags: Flags, environment: NodeJS.ProcessEnv): SettingsReading {
  const faults: string[] = [];
  const given: Flags = { ...flagsFromEnvironment(environment, faults), ...flags };
  const { path, values } = readSettingsFile(given.config);
  const file = instantiate(values, faults);
  applyFlags(file, given, faults);
  const wrong = validateSync(file, { validationError: { target: false, value: false } });
  faults.push(...wrong.flatMap(describe));
  const faulty = new Set(wrong.map(({ property }) => property));
  const defaults = new SettingsFile();
  for (const key of faulty) Object.assign(file, { [key]: defaults[key as keyof SettingsFile] });
  const settings = resolve(file, environment, path);
  faults.push(...impossibleSettings(settings, faulty));
  return { settings, faults, faulty };
}

/** What the settings file holds, and which it is; null without one. */
interface ReadFile {
  readonly path: string | null;
  readonly values: Record<string, unknown>;
}

function readSettingsFile(given: string | undefined): ReadFile {
  const path = absolutePath(given ?? defaultFile);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (given === undefined && code === 'ENOENT') return { path: null, values: {} };
    throw new SettingsError([`${given ?? defaultFile}: cannot be read (${code ?? String(error)})`]);
  }
  let parsed: unknown;
  try {
    parsed = parseYaml(text, { logLevel: 'error' });
  } catch (error) {
    const [what = ''] = (error as Error).message.split('\n', 1);
    throw new SettingsError([`${given ?? defaultFile}: not YAML: ${what.replace(/:$/, '')}`]);
  }
  if (parsed === null || parsed === undefined) return { path, values: {} };
  if (isRecord(parsed)) return { path, values: parsed };
  throw new SettingsError([`${given ?? defaultFile}: must hold an object of settings`]);
}

/** The file as an instance with all defaults; keys nobody knows become faults. Done by hand: class-transformer drops a key named `constructor`. */
function instantiate(file: Record<string, unknown>, faults: string[]): SettingsFile {
  const settings = new SettingsFile();
  assignKnown(settings, file, '', faults);
  for (const [key, Nested] of Object.entries(nestedSettings)) {
    const value = file[key];
    if (!isRecord(value)) continue;
    const instance = new Nested();
    assignKnown(instance, value, `${key}.`, faults);
    Object.assign(settings, { [key]: instance });
  }
  return settings;
}

function assignKnown(target: object, source: Record<string, unknown>, prefix: string, faults: string[]): void {
  const known = Object.keys(target);
  for (const [key, value] of Object.entries(source)) {
    if (!known.includes(key)) faults.push(prefix + unknownKey(key, known));
    else if (value !== null && value !== undefined) Object.assign(target, { [key]: value });
  }
}

function applyFlags(settings: SettingsFile, flags: Flags, faults: string[]): void {
  for (const { name, path, merge } of settingFlags) {
    const value = flags[name];
    if (value === undefined) continue;
    const [key, member] = path;
    const target = member === undefined ? settings : nestedTarget(settings, key);
    const present: unknown = target === undefined ? undefined : Reflect.get(target, member ?? key);
    const merged = merge === undefined ? value : merge(value as readonly string[], present, faults);
    // What should hold it is wrong, and is told of.
    if (target !== undefined) Object.assign(target, { [member ?? key]: merged });
  }
}

/** The object of settings that a flag is in; made when the file has none. */
function nestedTarget(settings: SettingsFile, key: string): object | undefined {
  const present: unknown = Reflect.get(settings, key);
  if (present !== undefined) return isRecord(present) ? present : undefined;
  const made = new nestedSettings[key as keyof typeof nestedSettings]();
  Object.assign(settings, { [key]: made });
  return made;
}

/** The faults of a property: one line for itself, and one for each place in it that is wrong. */
function describe(error: ValidationError): string[] {
  const { property } = error;
  // Every nested object has a rule of its own that says the same.
  const { nestedValidation, ...constraints } = error.constraints ?? {};
  const messages = Object.values(constraints)
    .flatMap((message) => message.split('\n'))
    .map((message) => (message.startsWith(`${property} `) ? message.slice(property.length + 1) : message));
  const isInside = (message: string) => /^[\w.-]+: /.test(message);
  const itself = messages.filter((message) => !isInside(message));
  return [
    ...(itself.length > 0 ? [`${property}: ${itself.join('; ')}`] : []),
    ...[...messages.filter(isInside), ...(error.children ?? []).flatMap(describe)].map((line) => `${property}.${line}`),
  ];
}

function resolve(file: SettingsFile, environment: NodeJS.ProcessEnv, path: string | null): Settings {
  const bytes = (size: number | string) => parseByteSize(size) ?? 0;
  const { history, limits } = file;
  const vms = Object.entries(file.vms).map(([id, vm]): [string, VmDefinition] => [
    id,
    readVmDefinition(vm).value as VmDefinition,
  ]);
  return {
    file: path,
    listen: file.listen.map((entry) => readListener(entry).value as ListenerAddress),
    state: file.state ?? environment['STATE_DIRECTORY'] ?? './state',
    auth: file.auth,
    allowHost: file.allowHost,
    allowedHosts: file.allowedHosts.map((host) => host.toLowerCase()),
    allowedOrigins: file.allowedOrigins,
    ...(file.tls === undefined ? {} : { tls: file.tls }),
    ...(file.jwt === undefined ? {} : { jwt: file.jwt }),
    clientCertificates: file.clientCertificates.map((entry) => readClientCertificate(entry).value as ClientCertificate),
    hostCommands: file.hostCommands,
    vms: new Map(vms),
    discover: file.discover.map((entry) => readDiscovery(entry).value as DiscoverySettings),
    catalogs: file.catalogs,
    commandClasses: file.commandClasses as Record<string, CommandClass>,
    monitorSockets: file.monitorSockets === undefined ? undefined : readMonitorSockets(file.monitorSockets).value,
    pictures: {
      ...(file.pictures.dir === undefined ? {} : { dir: file.pictures.dir }),
      ...(file.pictures.group === undefined ? {} : { group: file.pictures.group }),
    },
    audit: { file: file.audit.file, required: file.audit.required },
    history: { events: history.events, bytes: bytes(history.bytes) },
    limits: {
      commandBytes: bytes(limits.commandBytes),
      bodyBytes: bytes(limits.bodyBytes),
      fileBytes: bytes(limits.fileBytes),
      queue: limits.queue,
      replyBytes: bytes(limits.replyBytes),
      lineBytes: bytes(limits.lineBytes),
      connections: limits.connections,
      requestsPerSecond: limits.requestsPerSecond,
    },
    logLevel: file.logLevel,
  };
}
