/** The gateway's own resources as it answers them. Later versions may add members. */
import type { ProblemDocument } from './gateway-problem.js';

export interface ApiRoot {
  readonly name: string;
  readonly version: string;
  /** New for each start of the gateway. */
  readonly run: string;
  readonly capabilities: readonly string[];
}

/** Each may do what those before it may: `read`, `operate`, `configure`, `host`. */
export type Level = 'read' | 'operate' | 'configure' | 'host';

/** What the caller was granted. */
export interface Grant {
  readonly principal: string;
  readonly level: Level;
  /** Ids as globs, or `label:key=glob`. */
  readonly vms: readonly string[];
  readonly commands: { readonly allow: readonly string[]; readonly deny: readonly string[] };
}

/** Whether a command may be run, and by which rule. */
export interface CommandDecision extends Grant {
  readonly allowed: boolean;
  /** The level it needs. */
  readonly class: Level;
  readonly rule: string;
  readonly reason: string;
}

/** The same before the arguments are known; `class`, `rule` and `reason` are of the command without any. */
export interface CommandOutlook extends Omit<CommandDecision, 'allowed'> {
  /** True or false where that holds for all arguments. */
  readonly allowed: boolean | 'by-arguments';
  readonly lowestClass: Level;
  readonly highestClass: Level;
  /** The rules about arguments, each with the class it comes to. */
  readonly argumentRules: readonly { readonly class: Level; readonly rule: string; readonly reason: string }[];
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
  /** Whether it has a display device, so that `screen.png` shows something; null where that is not known. */
  readonly display: boolean | null;
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

/** `ready`: a job that waits to be told to finish. All but `running` and `ready` are final. */
export type OperationState = 'running' | 'ready' | 'done' | 'failed' | 'cancelled' | 'lost';

/** What became of a command, and of the work that goes on after its reply. */
export interface CommandOperation<Returns = unknown> {
  readonly id: string;
  readonly vm: string;
  /** Null for a job or a migration that was started past the gateway. */
  readonly command: string | null;
  readonly state: OperationState;
  readonly epoch: string | null;
  readonly started: string;
  readonly ended: string | null;
  /** When its work counts as failed. */
  readonly deadline?: string;
  readonly progress: {
    readonly current: number;
    readonly total: number;
    readonly unit: 'bytes' | 'steps';
    /** Units per second. */
    readonly rate: number | null;
    readonly estimatedEnd: string | null;
  } | null;
  readonly error: { readonly code: string; readonly detail: string } | null;
  readonly job?: { readonly id: string; readonly type: string | null; readonly status: string | null };
  /** The newest that belong to it. */
  readonly events: readonly {
    readonly cursor: string;
    readonly event: string;
    readonly data: Readonly<Record<string, unknown>>;
    readonly time: string;
  }[];
  /** What the command returned. */
  readonly return?: Returns;
  /** When `failed`, `cancelled` or `lost`. */
  readonly problem?: ProblemDocument;
}

/** A row of a list, which leaves out what the command returned. */
export type ListedOperation = Omit<CommandOperation, 'return'>;

export interface OperationList {
  /** The newest first. */
  readonly operations: readonly ListedOperation[];
  /** The event position this list belongs to: follow `operation` events from here, replacing rows. */
  readonly cursor: string;
}

/** Answer of one VM to a command for many. */
export type FanOutLine<Returns = unknown> =
  | { readonly vm: string; readonly status: 200; readonly cursor?: string; readonly return: Returns }
  | { readonly vm: string; readonly status: number; readonly problem: ProblemDocument; readonly return?: undefined };

/** What of the tree below an object is wanted. */
export interface QomView {
  /** Levels below that are looked into; 0 unless told, with a filter all. */
  readonly depth?: number | undefined;
  /** Glob: only objects of such types, and what leads to them. */
  readonly type?: string | undefined;
  /** Only objects with this text in their name or in that of a property. */
  readonly search?: string | undefined;
  /** Whose values are read: nobody's, those of the object itself (default), those of all that is shown. */
  readonly values?: 'none' | 'self' | 'all' | undefined;
  /** The most commands sent to the VM; 1000 unless told. */
  readonly budget?: number | undefined;
}

/** An object of the object tree. Without `children` it was named, and not looked into. */
export interface QomObject {
  readonly type: string | null;
  /** `error`: why the value can't be read; `withheld`: why the caller may not. None: it was not asked for. */
  readonly properties?: Readonly<Record<string, { type: string; value?: unknown; error?: string; withheld?: string }>>;
  readonly links?: Readonly<Record<string, { type: string; target?: unknown; error?: string; withheld?: string }>>;
  readonly children?: Readonly<Record<string, QomObject>>;
  /** Why it could not be looked into. */
  readonly error?: string;
}

export interface QomTree extends QomObject {
  readonly path: string;
  /** With a filter: paths of the objects and properties that fit. */
  readonly matches?: readonly string[];
  /** What it cost. */
  readonly commands: number;
  readonly complete: boolean;
  /** Why it is not. */
  readonly cut?: 'commands' | 'bytes' | 'deadline';
}
