/** The gateway's own resources as it answers them. Later versions may add members. */
import type { ProblemDocument } from './gateway-problem.js';

export interface ApiRoot {
  readonly name: string;
  readonly version: string;
  /** New for each start of the gateway. */
  readonly run: string;
  readonly capabilities: readonly string[];
}

export interface Vm {
  readonly id: string;
  readonly state: 'connecting' | 'negotiating' | 'ready' | 'waiting' | 'busy' | 'closed';
  /** Null unless `ready`. */
  readonly health: 'ok' | 'slow' | 'unresponsive' | null;
  /** As `query-status` says it; null unless `ready`. */
  readonly runState: string | null;
  readonly since: string;
  readonly retryAt?: string;
  /** The session with the VM; opaque, never reused. */
  readonly epoch: string | null;
  readonly kind: string;
  readonly version: string | null;
  readonly name: string | null;
  readonly uuid: string | null;
  readonly capabilities: readonly string[];
  readonly schema: string | null;
  readonly source: 'settings' | 'api' | 'discovery';
  readonly labels: Readonly<Record<string, string>>;
  /** Not in `vm-changed` events. */
  readonly inFlight?: number;
  /** From level `configure` up, as are `package` and `lastError.detail`. */
  readonly endpoint?: string;
  readonly package?: string | null;
  readonly lastError: { readonly code: string; readonly detail?: string; readonly time: string } | null;
}

export interface VmList {
  readonly vms: readonly Vm[];
  /** The event position this list belongs to: follow events from here, replacing rows. */
  readonly cursor: string;
}

export interface VmRegistration {
  /** As QEMU spells it: `unix:/path`, `tcp:host:port`, `tls:host:port`, `listen:unix:/path`. */
  readonly endpoint: string;
  /** Endpoint of the guest agent. */
  readonly agent?: string;
  readonly kind?: 'auto' | 'qemu' | 'stratovirt' | 'storage-daemon';
  readonly labels?: Readonly<Record<string, string>>;
}

/** What became of a command. */
export interface CommandOperation<Returns = unknown> {
  readonly id: string;
  readonly vm: string;
  readonly command: string;
  readonly state: 'running' | 'done' | 'failed' | 'lost';
  readonly epoch: string | null;
  readonly started: string;
  readonly ended: string | null;
  /** When `done`. */
  readonly return?: Returns;
  /** When `failed` or `lost`. */
  readonly problem?: ProblemDocument;
}

/** Answer of one VM to a command for many. */
export type FanOutLine<Returns = unknown> =
  | { readonly vm: string; readonly status: 200; readonly cursor?: string; readonly return: Returns }
  | { readonly vm: string; readonly status: number; readonly problem: ProblemDocument; readonly return?: undefined };
