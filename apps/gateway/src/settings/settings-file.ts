import 'reflect-metadata';
import {
  ArrayNotEmpty,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsNotEmpty,
  IsObject,
  IsOptional,
  IsString,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import { IsClientCertificateList, JwtSettings, TlsSettings } from './access-settings.js';
import { Setting } from './setting.js';
import {
  certificateMembers,
  discoveryMembers,
  listenerMembers,
  monitorSocketMembers,
  vmMembers,
} from './setting-members.js';
import {
  IsByteSize,
  IsCommandClassMap,
  IsDiscoveryList,
  IsListenerList,
  IsMonitorSockets,
  IsOriginList,
  IsVmMap,
  isRecord,
} from './settings-rules.js';
import { logLevels, type LogLevel } from './settings.js';

/** Where the audit log goes and whether commands may run without it. */
export class AuditSettings {
  @Setting({
    what: 'File name inside the state directory, or an absolute path. SIGHUP opens it anew.',
    type: 'path',
    example: 'audit.log',
    restart: true,
  })
  @IsString()
  @IsNotEmpty()
  @IsOptional()
  file = 'audit.log';

  @Setting({
    what: 'Refuse commands while the log cannot be written.',
    type: 'boolean',
    example: 'true',
    restart: true,
  })
  @IsBoolean()
  @IsOptional()
  required = false;
}

/** How much is kept of past events, in all. */
export class HistorySettings {
  @Setting({ what: 'Events.', type: 'number', example: '100000', restart: true })
  @IsInt()
  @Min(0)
  @Max(10_000_000)
  @IsOptional()
  events = 100_000;

  @Setting({ what: 'Their size.', type: 'size', example: '64MiB', restart: true })
  @IsByteSize()
  @IsOptional()
  bytes: number | string = '64MiB';
}

/** Where VMs write pictures of their screens for the gateway, and who may. */
export class PictureSettings {
  @Setting({
    what: 'Directory that QEMU can reach, made when it is not there. One for each gateway.',
    type: 'path',
    default: '`pictures` in the state directory',
    example: '/run/qmp-gateway/pictures',
    flag: { spelling: '--pictures-dir <dir>', what: 'where QEMU writes pictures for the gateway' },
    restart: true,
  })
  @IsString()
  @IsNotEmpty()
  @IsOptional()
  dir: string | undefined = undefined;

  @Setting({
    what: 'Group of QEMUs that run as another user than the gateway, which must be in it too; needs `dir`.',
    type: 'name or number',
    example: 'kvm',
    flag: { spelling: '--pictures-group <group>', what: 'the group of QEMUs of another user' },
    restart: true,
  })
  @IsString()
  @IsNotEmpty()
  @IsOptional()
  group: string | undefined = undefined;
}

/** Bounds. Sizes take `64KiB`, `1MiB`, … or bytes. */
export class LimitSettings {
  @Setting({ what: 'One encoded command. QEMU reads its input at about 270 KB/s.', type: 'size', example: '64KiB' })
  @IsByteSize()
  @IsOptional()
  commandBytes: number | string = '64KiB';

  @Setting({ what: 'The body of a request.', type: 'size', example: '1MiB' })
  @IsByteSize()
  @IsOptional()
  bodyBytes: number | string = '1MiB';

  @Setting({ what: 'A file written to a guest.', type: 'size', example: '8GiB' })
  @IsByteSize()
  @IsOptional()
  fileBytes: number | string = '1GiB';

  @Setting({ what: 'Commands that wait for one VM.', type: 'number', example: '1000' })
  @IsInt()
  @Min(1)
  @IsOptional()
  queue = 1000;

  @Setting({ what: 'Answers that wait for slow readers, in all.', type: 'size', example: '256MiB' })
  @IsByteSize()
  @IsOptional()
  replyBytes: number | string = '256MiB';

  @Setting({ what: 'One line from a VM.', type: 'size', example: '64MiB', restart: true })
  @IsByteSize()
  @IsOptional()
  lineBytes: number | string = '64MiB';

  @Setting({
    what: 'Open connections over all listeners. At most three quarters of the descriptors the process may have: VMs need some.',
    type: 'number',
    example: '10000',
    restart: true,
  })
  @IsInt()
  @Min(1)
  @IsOptional()
  connections = 10_000;

  @Setting({ what: 'Requests of one principal; 0 for any number.', type: 'number', example: '50' })
  @IsInt()
  @Min(0)
  @IsOptional()
  requestsPerSecond = 0;
}

/** `ID=ENDPOINT` beside the VMs of the file. */
function withVms(given: readonly string[], file: unknown, faults: string[]): unknown {
  if (!isRecord(file)) return file;
  const vms = { ...file };
  for (const entry of given) {
    const equals = entry.indexOf('=');
    const id = entry.slice(0, equals);
    if (equals <= 0) faults.push(`vm: ${JSON.stringify(entry)} is not of the form ID=ENDPOINT`);
    else if (Object.hasOwn(vms, id)) faults.push(`vms.${id}: given twice`);
    else vms[id] = { endpoint: entry.slice(equals + 1) };
  }
  return vms;
}

/** The settings as the file, the environment and the flags write them. The one list of keys, types and defaults. */
export class SettingsFile {
  @Setting({
    what: 'Where the gateway listens: `host:port` (port 0: any free one), `unix:/path`, or an object for a unix socket. Several in the environment are separated by commas.',
    type: 'list of addresses',
    example: '["127.0.0.1:8080", {unix: /run/qmp-gateway/http.sock, mode: "0660", group: ops, level: operate}]',
    flag: { spelling: '--listen <addr>', what: 'host:port or unix:/path', repeatable: true },
    members: listenerMembers,
    restart: true,
  })
  @IsArray()
  @ArrayNotEmpty()
  @IsListenerList()
  @IsOptional()
  listen: unknown[] = ['127.0.0.1:8080'];

  @Setting({
    what: 'Directory of the registry, the tokens, the audit log, and what is known of operations and idempotency keys; made 0700 when it is not there, refused when others may write there ([who may](security.md#directories-and-sockets)).',
    type: 'path',
    default: '`$STATE_DIRECTORY` (systemd sets it), else `./state`',
    example: '/var/lib/qmp-gateway',
    flag: { spelling: '--state <dir>', what: 'registry, tokens, audit log' },
    restart: true,
  })
  @IsString()
  @IsNotEmpty()
  @IsOptional()
  state?: string = undefined;

  @Setting({
    what: '`token`: everyone needs credentials. `none`: everyone has level `configure`; refused unless every listener is loopback or a unix socket.',
    type: '`token` or `none`',
    example: 'token',
    flag: { spelling: '--auth <mode>', what: 'token, or none for local listeners' },
    restart: true,
  })
  @IsIn(['token', 'none'])
  @IsOptional()
  auth: 'token' | 'none' = 'token';

  @Setting({
    what: 'With `auth: none`: everyone has level `host`.',
    type: 'boolean',
    example: 'false',
    flag: { spelling: '--allow-host', what: 'with --auth none: allow commands of class host' },
    restart: true,
  })
  @IsBoolean()
  @IsOptional()
  allowHost = false;

  @Setting({
    what: 'Names besides `localhost`, IP addresses and those of the certificate that a `Host` header may have, with any port.',
    type: 'list of host names',
    example: '[gw.example.org]',
  })
  @IsArray()
  @IsString({ each: true })
  @IsNotEmpty({ each: true })
  @IsOptional()
  allowedHosts: string[] = [];

  @Setting({
    what: 'Other origins whose pages may use the gateway.',
    type: 'list of origins',
    example: '["https://dash.example.org"]',
  })
  @IsArray()
  @IsOriginList()
  @IsOptional()
  allowedOrigins: string[] = [];

  @Setting({
    what: 'HTTPS on every tcp listener. The files are PEM and are read again on SIGHUP; turning TLS on or off, and beginning or ceasing to ask for client certificates, needs a restart.',
    type: 'object',
    example: '{cert: /etc/qmp-gateway/cert.pem, key: /etc/qmp-gateway/key.pem, clientCa: /etc/qmp-gateway/clients.pem}',
  })
  @ValidateNested()
  @IsObject()
  @IsOptional()
  tls?: TlsSettings = undefined;

  @Setting({
    what: 'JSON Web Tokens of an issuer, taken besides the tokens of the gateway. With it no `root.token` is made at the first start.',
    type: 'object',
    example: '{issuer: "https://id.example.org", audience: qmp-gateway, jwks: "https://id.example.org/keys"}',
  })
  @ValidateNested()
  @IsObject()
  @IsOptional()
  jwt?: JwtSettings = undefined;

  @Setting({
    what: 'Whom client certificates stand for; needs `tls.clientCa`. With it no `root.token` is made at the first start.',
    type: 'list of objects',
    example: '[{subject: "CN=ops,O=Example", level: configure, vms: ["web-*"]}]',
    members: certificateMembers,
  })
  @IsArray()
  @IsClientCertificateList()
  @IsOptional()
  clientCertificates: unknown[] = [];

  @Setting({
    what: '`false` refuses commands of class `host` for all VMs, whoever asks.',
    type: 'boolean',
    example: 'false',
  })
  @IsBoolean()
  @IsOptional()
  hostCommands = true;

  @Setting({
    what: 'The VMs, by id (letters, digits and `. _ -`, at most 128 of them). Those of the flag come besides.',
    type: 'object of VMs by id',
    example: '{web-1: {endpoint: "unix:/run/qemu/web-1.qmp", agent: "unix:/run/qemu/web-1.qga", labels: {tenant: a}}}',
    flag: {
      spelling: '--vm <id=endpoint>',
      what: 'a VM, e.g. web-1=unix:/run/qemu/web-1.qmp',
      repeatable: true,
      merge: withVms,
    },
    members: vmMembers,
  })
  @IsVmMap()
  @IsOptional()
  vms: Record<string, unknown> = {};

  @Setting({
    what: 'Sockets to watch for: VMs that come and go with them. Those of the flag come besides.',
    type: 'list of patterns',
    example: '[{qmp: "/run/qemu/{tenant}/{id}.qmp", agent: "/run/qemu/{tenant}/{id}.qga"}]',
    flag: {
      spelling: '--discover <pattern>',
      what: 'sockets to watch for, e.g. /run/qemu/{id}.qmp',
      repeatable: true,
      merge: (given, file) => (Array.isArray(file) ? [...(file as unknown[]), ...given.map((qmp) => ({ qmp }))] : file),
    },
    members: discoveryMembers,
  })
  @IsArray()
  @IsDiscoveryList()
  @IsOptional()
  discover: unknown[] = [];

  @Setting({
    what: 'Catalogs of your own, made by `qapi-compiler build`; asked before the bundled ones.',
    type: 'list of files',
    example: '[/etc/qmp-gateway/ours.json]',
    flag: { spelling: '--catalog <file>', what: 'a catalog of your own', repeatable: true },
    restart: true,
  })
  @IsArray()
  @IsString({ each: true })
  @IsOptional()
  catalogs: string[] = [];

  @Setting({
    what: 'The class of commands that no bundled catalog knows; raises, never lowers, that of others.',
    type: 'object of classes by command',
    example: '{__com.example_query-x: read}',
    restart: true,
  })
  @IsCommandClassMap()
  @IsOptional()
  commandClasses: Record<string, string> = {};

  @Setting({
    what: "Shared monitors as unix sockets, `DIR/<vm>.sock`: QMP tools open them in place of QEMU's own.",
    type: 'object',
    example: '{dir: /run/qmp-gateway/monitors, mode: "0600", level: operate}',
    members: monitorSocketMembers,
    restart: true,
  })
  @IsMonitorSockets()
  @IsOptional()
  monitorSockets?: unknown = undefined;

  @Setting({
    what: 'Where VMs write pictures of their screens for the gateway, and who may: see [libvirt](connecting.md#pictures-of-a-qemu-of-another-user).',
    type: 'object',
    example: '{dir: /run/qmp-gateway/pictures, group: kvm}',
  })
  @ValidateNested()
  @IsObject()
  @IsOptional()
  pictures = new PictureSettings();

  @Setting({ what: 'The audit log.', type: 'object', example: '{file: audit.log, required: false}' })
  @ValidateNested()
  @IsObject()
  @IsOptional()
  audit = new AuditSettings();

  @Setting({
    what: 'How much is kept of past events, in all.',
    type: 'object',
    example: '{events: 100000, bytes: 64MiB}',
  })
  @ValidateNested()
  @IsObject()
  @IsOptional()
  history = new HistorySettings();

  @Setting({ what: 'Bounds.', type: 'object', example: '{queue: 1000, requestsPerSecond: 50}' })
  @ValidateNested()
  @IsObject()
  @IsOptional()
  limits = new LimitSettings();

  @Setting({
    what: `How much is logged: ${logLevels.map((level) => `\`${level}\``).join(', ')}.`,
    type: 'text',
    example: 'debug',
    flag: { spelling: '--log-level <level>', what: logLevels.join(', ') },
  })
  @IsIn(logLevels)
  @IsOptional()
  logLevel: LogLevel = 'info';
}

/** The settings that are objects with settings of their own. */
export const nestedSettings = {
  pictures: PictureSettings,
  audit: AuditSettings,
  history: HistorySettings,
  limits: LimitSettings,
  tls: TlsSettings,
  jwt: JwtSettings,
} as const;
