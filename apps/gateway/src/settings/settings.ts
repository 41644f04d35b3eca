import type { CommandClass } from '@qmp-gateway/catalog';
import type { Level } from '../access/principal.js';
import type { ClientCertificate, JwtSettings, TlsSettings } from './access-settings.js';
import type { ListenerAddress } from './listener-address.js';

export type VmKind = 'auto' | 'qemu' | 'stratovirt' | 'storage-daemon';

/** Files (PEM) for TLS endpoints of a VM, and the name its certificate must carry (default: the endpoint's host). */
export interface VmTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly serverName?: string;
}

/** How to reach one VM, wherever that was said: settings, the API or discovery. */
export interface VmDefinition {
  /** QEMU's spelling: `unix:/path`, `tcp:host:port`, … */
  readonly endpoint: string;
  readonly agent?: string;
  readonly kind: VmKind;
  readonly labels: Readonly<Record<string, string>>;
  readonly tls?: VmTls;
  /** Allows plain tcp to other machines. */
  readonly insecure?: boolean;
  /** False: commands of class `host` are refused for this VM, whoever asks. */
  readonly hostCommands?: boolean;
  /** Absent when the operator, or somebody of level `host`, wrote the paths. */
  readonly anchors?: VmAnchors;
}

/**
 * For paths that were written in part by others: the directories, of endpoint and agent, that the operator wrote. Below
 * them no name may be a link, at any dial.
 */
export interface VmAnchors {
  readonly endpoint?: string;
  readonly agent?: string;
}

/** Sockets to watch for: VMs that come and go with them. */
export interface DiscoverySettings {
  /** Path of QMP sockets with `{id}`; other placeholders become labels. */
  readonly qmp: string;
  /** Path of the guest agents' sockets beside them, with the same placeholders. */
  readonly agent?: string;
}

/** Shared monitors as unix sockets, `DIR/<vm>.sock`. */
export interface MonitorSocketSettings {
  readonly dir: string;
  /** Permission bits of each socket. */
  readonly mode: number;
  /** What whoever may open a socket may do with its VM. */
  readonly level: Level;
}

export interface Limits {
  /** Bytes of one encoded command. */
  readonly commandBytes: number;
  /** Bytes of a request body. */
  readonly bodyBytes: number;
  /** Bytes of a file written to a guest. */
  readonly fileBytes: number;
  /** Commands waiting per VM. */
  readonly queue: number;
  /** Bytes of answers waiting for slow readers, in all. */
  readonly replyBytes: number;
  /** Bytes of one line from a VM. */
  readonly lineBytes: number;
  /** Open connections, in all. */
  readonly connections: number;
  /** Requests of one principal; 0 for any number. */
  readonly requestsPerSecond: number;
}

/**
 * Everything the gateway was told, read from file, environment and flags, and checked. SIGHUP puts new values in place of
 * those that can change: who wants them keeps this object, or `limits`, and looks when it needs them.
 */
export interface Settings {
  /** Path of the settings file; null without one. */
  readonly file: string | null;
  readonly listen: readonly ListenerAddress[];
  readonly state: string;
  readonly auth: 'token' | 'none';
  readonly allowHost: boolean;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly tls?: Readonly<TlsSettings>;
  readonly jwt?: Readonly<JwtSettings>;
  readonly clientCertificates: readonly ClientCertificate[];
  readonly hostCommands: boolean;
  readonly vms: ReadonlyMap<string, VmDefinition>;
  readonly discover: readonly DiscoverySettings[];
  readonly catalogs: readonly string[];
  readonly commandClasses: Readonly<Record<string, CommandClass>>;
  /** Undefined: none are made. */
  readonly monitorSockets: MonitorSocketSettings | undefined;
  /** Where VMs write pictures of their screens, and which group of theirs may. */
  readonly pictures: { readonly dir?: string; readonly group?: string };
  readonly audit: { readonly file: string; readonly required: boolean };
  readonly history: { readonly events: number; readonly bytes: number };
  readonly limits: Limits;
  readonly logLevel: LogLevel;
}

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Ids of VMs, everywhere. */
export const vmIdPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
