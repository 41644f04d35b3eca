/**
 * The gateway's own resources, by the names of this package. What they are made of is generated from the gateway's
 * declarations; here is only what TypeScript can say more exactly: what a command returns, which members come together.
 */
import type * as gateway from './generated/gateway-types.js';
import type { ProblemDocument } from './gateway-problem.js';

/** Each may do what those before it may: `read`, `operate`, `configure`, `host`. */
export type Level = gateway.Token['level'];

/** What the caller was granted. */
export type Grant = Pick<gateway.Access, 'principal' | 'level' | 'vms' | 'commands'>;

/** Whether a command may be run, and by which rule. */
export type CommandDecision = Grant &
  Required<Pick<gateway.Access, 'class' | 'rule' | 'reason'>> & { readonly allowed: boolean };

/** The same before the arguments are known; `class`, `rule` and `reason` are of the command without any. */
export type CommandOutlook = Grant &
  Required<
    Pick<gateway.Access, 'allowed' | 'class' | 'rule' | 'reason' | 'lowestClass' | 'highestClass' | 'argumentRules'>
  >;

/** `ready`: a job that waits to be told to finish. All but `running` and `ready` are final. */
export type OperationState = gateway.CommandOperation['state'];

/** A row of a list, which leaves out what the command returned. */
export type ListedOperation = Omit<gateway.CommandOperation, 'return' | 'problem'> & {
  /** When `failed`, `cancelled` or `lost`. */
  readonly problem?: ProblemDocument;
};

/** What became of a command, and of the work that goes on after its reply. */
export type CommandOperation<Returns = unknown> = ListedOperation & {
  /** What the command returned. */
  readonly return?: Returns;
};

export type OperationList = Omit<gateway.CommandOperationPage, 'operations'> & {
  /** The newest first. */
  readonly operations: readonly ListedOperation[];
};

/** The QAPI types of a server, by name. A list of a type is written `[name]`; names that are not here are built in. */
export type SchemaTypes = gateway.VmSchema['types'];

/** What a server says of one command. */
export type SchemaCommand = gateway.VmSchema['commands'][number];

/** Answer of one VM to a command for many. */
export type FanOutLine<Returns = unknown> =
  | { readonly vm: string; readonly status: 200; readonly cursor?: string; readonly return: Returns }
  | { readonly vm: string; readonly status: number; readonly problem: ProblemDocument; readonly return?: undefined };

/** Members that are undefined count as absent. */
type Loose<T> = { readonly [Key in keyof T]?: T[Key] | undefined };

/** What of the tree below an object is wanted. */
export type QomView = Loose<gateway.GetQomQuery>;

/** A line of a program's run in the guest. */
export type ExecLine =
  | Exclude<gateway.ExecLine, { readonly type: 'problem' }>
  | { readonly type: 'problem'; readonly pid: number; readonly problem: ProblemDocument };

/** A program to run in the guest. */
export type ExecRequest = Omit<gateway.ExecRequest, 'timeout'> & {
  /** How long it is followed, seconds or a duration; default ten minutes. It goes on after that. */
  readonly timeout?: number | string;
};
