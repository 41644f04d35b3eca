import type { CommandClass } from '@qmp-gateway/catalog';
import type { ListenerAddress } from './listener-address.js';

export type VmKind = 'auto' | 'qemu' | 'stratovirt' | 'storage-daemon';

/** How to reach one VM, wherever that was said: settings, the API or discovery. */
export interface VmDefinition {
  /** QEMU's spelling: `unix:/path`, `tcp:host:port`, … */
  readonly endpoint: string;
  readonly agent?: string;
  readonly kind: VmKind;
  readonly labels: Readonly<Record<string, string>>;
  /** Allows plain tcp to other machines. */
  readonly insecure?: boolean;
  /** False: commands of class `host` are refused for this VM, whoever asks. */
  readonly hostCommands?: boolean;
}

export interface Limits {
  /** Bytes of one encoded command. */
  readonly commandBytes: number;
  /** Bytes of a request body. */
  readonly bodyBytes: number;
  /** Commands waiting per VM. */
  readonly queue: number;
  /** Bytes of answers waiting for slow readers, in all. */
  readonly replyBytes: number;
  /** Bytes of one line from a VM. */
  readonly lineBytes: number;
  /** Open connections, in all. */
  readonly connections: number;
}

/** Everything the gateway was told, read from file, environment and flags, and checked. */
export interface Settings {
  readonly listen: readonly ListenerAddress[];
  readonly state: string;
  readonly auth: 'token' | 'none';
  readonly allowHost: boolean;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly hostCommands: boolean;
  readonly vms: ReadonlyMap<string, VmDefinition>;
  readonly catalogs: readonly string[];
  readonly commandClasses: Readonly<Record<string, CommandClass>>;
  readonly audit: { readonly file: string; readonly required: boolean };
  readonly history: { readonly events: number; readonly bytes: number };
  readonly limits: Limits;
  readonly logLevel: LogLevel;
}

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Ids of VMs, everywhere. */
export const vmIdPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
