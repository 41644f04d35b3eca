import { readFileSync } from 'node:fs';
import { validateSync, type ValidationError } from 'class-validator';
import { parse as parseYaml, YAMLParseError } from 'yaml';
import { JwtSettings, readClientCertificate, TlsSettings, type ClientCertificate } from './access-settings.js';
import { parseByteSize } from './byte-size.js';
import { isLocal, type ListenerAddress } from './listener-address.js';
import { AuditSettings, HistorySettings, LimitSettings, SettingsFile } from './settings-file.js';
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

/** Flags as commander gives them; only those that were set. */
export interface Flags {
  config?: string;
  listen?: string[];
  vm?: string[];
  discover?: string[];
  auth?: string;
  allowHost?: boolean;
  state?: string;
  catalog?: string[];
  logLevel?: string;
  tlsCert?: string;
  tlsKey?: string;
  tlsClientCa?: string;
}

/** Everything wrong with the settings, a line each: `path: what is wrong`. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';

  constructor(readonly faults: readonly string[]) {
    super(faults.join('\n'));
  }
}

const defaultFile = './qmp-gateway.yaml';
const nested = {
  audit: AuditSettings,
  history: HistorySettings,
  limits: LimitSettings,
  tls: TlsSettings,
  jwt: JwtSettings,
};

/**
 * Settings from flags, environment (`QMPGW_…`), file and defaults, in this order of precedence.
 * @throws SettingsError with all faults at once.
 */
export function loadSettings(flags: Flags, environment: NodeJS.ProcessEnv = process.env): Settings {
  const fromEnvironment = flagsFromEnvironment(environment);
  const given: Flags = { ...fromEnvironment, ...flags };
  const file = readSettingsFile(given.config);
  const faults: string[] = [];
  const settings = instantiate(file, faults);
  applyFlags(settings, given, faults);
  faults.push(...validateSync(settings, { validationError: { target: false, value: false } }).flatMap(describe));
  if (faults.length > 0) throw new SettingsError(faults);
  const resolved = resolve(settings, environment);
  const impossible = combinationFaults(resolved);
  if (impossible.length > 0) throw new SettingsError(impossible);
  return resolved;
}

function flagsFromEnvironment(environment: NodeJS.ProcessEnv): Flags {
  const text = (name: string) => environment[`QMPGW_${name}`];
  const list = (name: string) =>
    text(name)
      ?.split(',')
      .map((entry) => entry.trim());
  const entries: [keyof Flags, unknown][] = [
    ['config', text('CONFIG')],
    ['listen', list('LISTEN')],
    ['vm', list('VM')],
    ['discover', list('DISCOVER')],
    ['auth', text('AUTH')],
    [
      'allowHost',
      text('ALLOW_HOST') === undefined ? undefined : ['1', 'true', 'yes'].includes(text('ALLOW_HOST') ?? ''),
    ],
    ['state', text('STATE')],
    ['catalog', list('CATALOG')],
    ['logLevel', text('LOG_LEVEL')],
    ['tlsCert', text('TLS_CERT')],
    ['tlsKey', text('TLS_KEY')],
    ['tlsClientCa', text('TLS_CLIENT_CA')],
  ];
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function readSettingsFile(path: string | undefined): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(path ?? defaultFile, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (path === undefined && code === 'ENOENT') return {};
    throw new SettingsError([`${path ?? defaultFile}: cannot be read (${code ?? String(error)})`]);
  }
  try {
    const parsed: unknown = parseYaml(text);
    if (parsed === null || parsed === undefined) return {};
    if (isRecord(parsed)) return parsed;
    throw new SettingsError([`${path ?? defaultFile}: must hold an object of settings`]);
  } catch (error) {
    if (error instanceof YAMLParseError)
      throw new SettingsError([`${path ?? defaultFile}: not YAML: ${error.message.split('\n', 1)[0] ?? ''}`]);
    throw error;
  }
}

/** The file as an instance with all defaults; keys nobody knows become faults. Done by hand: class-transformer drops a key named `constructor`. */
function instantiate(file: Record<string, unknown>, faults: string[]): SettingsFile {
  const settings = new SettingsFile();
  assignKnown(settings, file, '', faults);
  for (const [key, Nested] of Object.entries(nested)) {
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
  if (flags.listen !== undefined) settings.listen = flags.listen;
  if (flags.auth !== undefined) settings.auth = flags.auth as SettingsFile['auth'];
  if (flags.allowHost !== undefined) settings.allowHost = flags.allowHost;
  if (flags.state !== undefined) settings.state = flags.state;
  if (flags.catalog !== undefined) settings.catalogs = flags.catalog;
  if (flags.logLevel !== undefined) settings.logLevel = flags.logLevel as SettingsFile['logLevel'];
  const { tlsCert: cert, tlsKey: key, tlsClientCa: clientCa } = flags;
  if ((cert ?? key ?? clientCa) !== undefined)
    settings.tls = Object.assign(settings.tls ?? new TlsSettings(), {
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(clientCa === undefined ? {} : { clientCa }),
    });
  if (flags.discover !== undefined && Array.isArray(settings.discover))
    settings.discover = [...settings.discover, ...flags.discover.map((qmp) => ({ qmp }))];
  if (flags.vm === undefined) return;
  const vms = isRecord(settings.vms) ? { ...settings.vms } : {};
  for (const entry of flags.vm) {
    const equals = entry.indexOf('=');
    const id = entry.slice(0, equals);
    if (equals <= 0) faults.push(`vm: ${JSON.stringify(entry)} is not of the form ID=ENDPOINT`);
    else if (Object.hasOwn(vms, id)) faults.push(`vms.${id}: given twice`);
    else vms[id] = { endpoint: entry.slice(equals + 1) };
  }
  settings.vms = vms;
}

function describe(error: ValidationError): string[] {
  // Every nested object has a rule of its own that says the same.
  const { nestedValidation, ...constraints } = error.constraints ?? {};
  const own = Object.values(constraints)
    .flatMap((message) => message.split('\n'))
    .map((message) => {
      const text = message.startsWith(`${error.property} `) ? message.slice(error.property.length + 1) : message;
      return /^[\w.-]+: /.test(text) ? `${error.property}.${text}` : `${error.property}: ${text}`;
    });
  const inner = (error.children ?? []).flatMap(describe).map((line) => `${error.property}.${line}`);
  return [...own, ...inner];
}

function resolve(file: SettingsFile, environment: NodeJS.ProcessEnv): Settings {
  const bytes = (size: number | string) => parseByteSize(size) ?? 0;
  const { history, limits } = file;
  const vms = Object.entries(file.vms).map(([id, vm]): [string, VmDefinition] => [
    id,
    readVmDefinition(vm).value as VmDefinition,
  ]);
  return {
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
    audit: { file: file.audit.file, required: file.audit.required },
    history: { events: history.events, bytes: bytes(history.bytes) },
    limits: {
      commandBytes: bytes(limits.commandBytes),
      bodyBytes: bytes(limits.bodyBytes),
      queue: limits.queue,
      replyBytes: bytes(limits.replyBytes),
      lineBytes: bytes(limits.lineBytes),
      connections: limits.connections,
      requestsPerSecond: limits.requestsPerSecond,
    },
    logLevel: file.logLevel,
  };
}

/** Settings that are right one by one and wrong together. */
function combinationFaults(settings: Settings): string[] {
  const faults: string[] = [];
  if (settings.auth === 'none') {
    const open = settings.listen.find((address) => !isLocal(address));
    if (open?.kind === 'tcp')
      faults.push(`auth: none is refused, because ${open.host}:${open.port} can be reached from other machines`);
  } else if (settings.allowHost)
    faults.push('allowHost: goes with auth: none only; with tokens, give a token level host');
  if (settings.clientCertificates.length > 0 && settings.tls?.clientCa === undefined)
    faults.push('clientCertificates: need tls.clientCa, the authority that signs them');
  if (settings.auth === 'none' && (settings.jwt !== undefined || settings.clientCertificates.length > 0))
    faults.push('auth: none takes everybody for the same; jwt and clientCertificates need auth: token');
  return faults;
}
