import { isRecord } from '@qmp-gateway/qapi';
import type { CommandClass } from '@qmp-gateway/catalog';
import {
  clientCertificateType,
  jwtType,
  tlsType,
  type ClientCertificate,
  type JwtSettings,
  type TlsSettings,
} from './access-settings.js';
import type { ListenerAddress } from './listener-address.js';
import { fleetType, type FleetSettings } from './fleet-settings.js';
import { listenerType } from './listener-settings.js';
import { group } from './object-type.js';
import { publicUrlType, type PublicUrl } from './public-url.js';
import { Setting } from './setting.js';
import { boolean, converted, list, mapOf, oneOf, string, type SettingFault } from './setting-type.js';
import {
  discoveryType,
  monitorSocketsType,
  serialsType,
  type DiscoverySettings,
  type MonitorSocketSettings,
  type SerialSettings,
} from './socket-settings.js';
import {
  auditType,
  historyType,
  limitsType,
  picturesType,
  type AuditSettings,
  type HistorySettings,
  type Limits,
  type PictureSettings,
} from './store-settings.js';
import { level, path } from './value-types.js';
import { vmIdPattern, vmType, type VmDefinition } from './vm-definition.js';

export type { Limits } from './store-settings.js';

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

const origin = string({
  called: 'origin',
  must: 'must be an origin such as https://dash.example.org (no path, no *, lower case)',
  pattern: /^https?:\/\/[^/?#*@\s]+$/,
  faultsOf: (given) =>
    URL.canParse(given) && new URL(given).origin === given
      ? []
      : ['must be an origin such as https://dash.example.org (no path, no *, lower case)'],
});

const hostName = string({
  called: 'host name',
  must: 'must be a host name, without scheme and port',
  pattern: /^[^\s/:@?#]+$/,
});

/** `ID=ENDPOINT` beside the VMs of the file. */
function withVms(given: readonly string[], file: unknown, faults: SettingFault[]): unknown {
  if (file !== undefined && file !== null && !isRecord(file)) return file;
  const vms: Record<string, unknown> = { ...file };
  for (const entry of given) {
    const equals = entry.indexOf('=');
    const id = entry.slice(0, equals);
    if (equals <= 0) faults.push({ path: ['vm'], message: `${JSON.stringify(entry)} is not of the form ID=ENDPOINT` });
    else if (Object.hasOwn(vms, id)) faults.push({ path: ['vms', id], message: 'given twice' });
    else vms[id] = { endpoint: entry.slice(equals + 1) };
  }
  return vms;
}

/** Patterns beside those of the file. */
function withPatterns(given: readonly string[], file: unknown): unknown {
  if (file !== undefined && file !== null && !Array.isArray(file)) return file;
  return [...((file ?? []) as unknown[]), ...given.map((qmp) => ({ qmp }))];
}

/** Every setting: what the file may hold, and what the gateway holds after reading it. The one list of them. */
export class SettingsFile {
  @Setting({
    what: 'Addresses where the gateway listens: `host:port` (port 0: any free one), `unix:/path`, or an object for a unix socket.',
    is: list(listenerType, 'addresses', 1),
    default: ['127.0.0.1:8080'],
    example: '["127.0.0.1:8080", {unix: /run/qmp-gateway/http.sock, mode: "0660", group: ops, level: operate}]',
    flag: { spelling: '--listen <addr>', what: 'host:port or unix:/path', repeatable: true },
    restart: true,
  })
  readonly listen!: readonly ListenerAddress[];

  @Setting({
    what: 'Directory of the registry, the tokens, the audit log, and the records of operations and idempotency keys. The gateway creates it with mode 0700 if it does not exist, and refuses it if others may write there (see [directories and sockets](security.md#directories-and-sockets)).',
    is: path(),
    default: './state',
    defaultText: '`$STATE_DIRECTORY`, which systemd sets, else `./state`',
    example: '/var/lib/qmp-gateway',
    flag: { spelling: '--state <dir>', what: 'directory of the registry, the tokens and the audit log' },
    restart: true,
  })
  readonly state!: string;

  @Setting({
    what: '`token`: everyone needs credentials. `none`: everyone has level `configure`; the gateway refuses this unless every listener is a loopback address or a unix socket.',
    is: oneOf(['token', 'none'], '`token` or `none`'),
    default: 'token',
    example: 'token',
    flag: { spelling: '--auth <mode>', what: 'token, or none for local listeners' },
    restart: true,
  })
  readonly auth!: 'token' | 'none';

  @Setting({
    what: 'With `auth: none`: everyone has level `host`.',
    is: boolean(),
    default: false,
    example: 'false',
    flag: { spelling: '--allow-host', what: 'with --auth none: allow commands of class host' },
    restart: true,
  })
  readonly allowHost!: boolean;

  @Setting({
    what: 'Names that a `Host` header may have, with any port, besides `localhost` and IP addresses with any port, and the names of the certificate with the port of the listener.',
    is: converted(list(hostName, 'host names'), (hosts) => hosts.map((host) => host.toLowerCase())),
    default: [],
    example: '[gw.example.org]',
    flag: {
      spelling: '--allowed-host <name>',
      what: 'a name that clients may use in Host, with any port',
      repeatable: true,
      variable: 'QMPGW_ALLOWED_HOSTS',
    },
  })
  readonly allowedHosts!: readonly string[];

  @Setting({
    what: 'Other origins whose pages may use the gateway.',
    is: list(origin, 'origins'),
    default: [],
    example: '["https://dash.example.org"]',
  })
  readonly allowedOrigins!: readonly string[];

  @Setting({
    what: "Where clients reach the gateway behind a [reverse proxy](reverse-proxies.md). Its name counts as one of `allowedHosts`, and pages of its origin are the gateway's own. Its path, if it has one, stands before the paths in `Location`, `operation` and the documents; the gateway takes requests with it and without.",
    is: publicUrlType(),
    example: 'https://gw.example.org/qemu',
    flag: { spelling: '--public-url <url>', what: 'where clients reach the gateway behind a proxy' },
    restart: true,
  })
  readonly publicUrl?: PublicUrl;

  @Setting({
    what: 'HTTPS on every TCP listener. The files are PEM, and SIGHUP reads them again. To turn TLS on or off, or to start or stop asking for client certificates, restart the gateway.',
    is: tlsType,
    example: '{cert: /etc/qmp-gateway/cert.pem, key: /etc/qmp-gateway/key.pem, clientCa: /etc/qmp-gateway/clients.pem}',
  })
  readonly tls?: Readonly<TlsSettings>;

  @Setting({
    what: 'JSON Web Tokens of an issuer, accepted besides the tokens of the gateway. With this setting the first start creates no `root.token`.',
    is: jwtType,
    example: '{issuer: "https://id.example.org", audience: qmp-gateway, jwks: "https://id.example.org/keys"}',
  })
  readonly jwt?: Readonly<JwtSettings>;

  @Setting({
    what: 'Whom client certificates stand for; needs `tls.clientCa`. With this setting the first start creates no `root.token`.',
    is: list(clientCertificateType, 'objects'),
    default: [],
    example: '[{subject: "CN=ops,O=Example", level: configure, vms: ["web-*"]}]',
  })
  readonly clientCertificates!: readonly ClientCertificate[];

  @Setting({
    what: '`false` refuses commands of class `host` for all VMs, whoever sends them.',
    is: boolean(),
    default: true,
    example: 'false',
  })
  readonly hostCommands!: boolean;

  @Setting({
    what: 'The VMs by id. An id is letters, digits and `. _ -`, at most 128 of them. The flag adds VMs to those of the file.',
    is: converted(
      mapOf(vmType, {
        called: 'VMs by id',
        keys: {
          pattern: vmIdPattern,
          must: 'an id is letters, digits and . _ -, at most 128 of them, the first a letter or digit',
        },
      }),
      (vms): ReadonlyMap<string, VmDefinition> => new Map(Object.entries(vms)),
    ),
    default: {},
    example: '{web-1: {endpoint: "unix:/run/qemu/web-1.qmp", agent: "unix:/run/qemu/web-1.qga", labels: {tenant: a}}}',
    flag: {
      spelling: '--vm <id=endpoint>',
      what: 'a VM, e.g. web-1=unix:/run/qemu/web-1.qmp',
      repeatable: true,
      merge: withVms,
    },
  })
  readonly vms!: ReadonlyMap<string, VmDefinition>;

  @Setting({
    what: 'Sockets to watch for: VMs come and go with them. The flag adds patterns to those of the file.',
    is: list(discoveryType, 'patterns'),
    default: [],
    example: '[{qmp: "/run/qemu/{tenant}/{id}.qmp", agent: "/run/qemu/{tenant}/{id}.qga"}]',
    flag: {
      spelling: '--discover <pattern>',
      what: 'sockets to watch for, e.g. /run/qemu/{id}.qmp',
      repeatable: true,
      merge: withPatterns,
    },
  })
  readonly discover!: readonly DiscoverySettings[];

  @Setting({
    what: 'Catalogs of your own, made by `qapi-compiler build`. The gateway looks there before it looks in its own.',
    is: list(path('must be the path of a file'), 'paths'),
    default: [],
    example: '[/etc/qmp-gateway/ours.json]',
    flag: { spelling: '--catalog <file>', what: 'a catalog of your own', repeatable: true },
    restart: true,
  })
  readonly catalogs!: readonly string[];

  @Setting({
    what: 'The class of commands that no bundled catalog knows. It can raise the class of other commands, never lower it.',
    is: mapOf(level(), { called: 'classes by command' }),
    default: {},
    example: '{__com.example_query-x: read}',
    restart: true,
  })
  readonly commandClasses!: Readonly<Record<string, CommandClass>>;

  @Setting({
    what: "Shared monitors as unix sockets, `DIR/<vm>.sock`. QMP tools open them in place of QEMU's own.",
    is: monitorSocketsType,
    example: '{dir: /run/qmp-gateway/monitors, mode: "0600", level: operate}',
    restart: true,
  })
  readonly monitorSockets?: MonitorSocketSettings;

  @Setting({
    what: 'Where VMs write pictures of their screens for the gateway, and which group of theirs may: see [libvirt](connecting.md#pictures-of-a-qemu-of-another-user).',
    is: picturesType,
    default: {},
    example: '{dir: /run/qmp-gateway/pictures, group: kvm}',
  })
  readonly pictures!: PictureSettings;

  @Setting({
    what: 'Serial lines of VMs: see [serials.md](serials.md).',
    is: serialsType,
    default: {},
    example: '{attach: always, paths: [/var/lib/libvirt/qemu/serial/*.sock]}',
  })
  readonly serials!: SerialSettings;

  @Setting({
    what: 'Globs of paths of files and character devices that callers of level `host` may have the gateway open for a VM: see [file-descriptors.md](file-descriptors.md). `*` is any run of characters. `/dev/net/tun` stands for the tap interfaces that the gateway may attach to. Empty: none.',
    is: list(
      string({ called: 'glob of paths', must: 'must be an absolute path, with or without *', pattern: /^\// }),
      'globs of paths',
    ),
    default: [],
    example: '[/var/lib/images/*.qcow2, /dev/net/tun]',
  })
  readonly hostPaths!: readonly string[];

  @Setting({
    what: 'Several gateways as one, over NATS: see [fleet.md](fleet.md). Without it the gateway is alone.',
    is: fleetType,
    example: '{name: prod, servers: ["tls://n1:4222"]}',
  })
  readonly fleet?: FleetSettings;

  @Setting({ what: 'The audit log.', is: auditType, default: {}, example: '{file: audit.log, required: false}' })
  readonly audit!: AuditSettings;

  @Setting({
    what: 'How much the gateway keeps of past events, in all.',
    is: historyType,
    default: {},
    example: '{events: 100000, bytes: 64MiB}',
  })
  readonly history!: HistorySettings;

  @Setting({ what: 'Bounds.', is: limitsType, default: {}, example: '{queue: 1000, requestsPerSecond: 50}' })
  readonly limits!: Limits;

  @Setting({
    what: `How much is logged: ${logLevels.map((name) => `\`${name}\``).join(', ')}.`,
    is: oneOf(logLevels),
    default: 'info',
    example: 'debug',
    flag: { spelling: '--log-level <level>', what: logLevels.join(', ') },
  })
  readonly logLevel!: LogLevel;
}

export const settingsType = group(SettingsFile, { must: 'must hold an object of settings' });

/** The settings as a dependency. */
export const SettingsToken = Symbol('settings');

/**
 * The settings of a running gateway, read from file, environment and flags, and checked. SIGHUP replaces the values that
 * can change, in this object and in its groups: parts keep the object, or `limits`, and read a value when they need it.
 */
export interface Settings extends SettingsFile {
  /** Path of the settings file; null without one. */
  readonly file: string | null;
}
