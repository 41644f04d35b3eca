import type { Ruling } from '@qmp-gateway/catalog';
import type { JsonDocument } from '@qmp-gateway/qapi';
import type { HandedRequest } from '../access/handed-connection.js';
import type { Descriptor } from '@qmp-gateway/unix-fds';
import type { Principal } from '../access/principal.js';
import type { CommandTrace } from '../http/command-trace.js';
import type { Operation } from '../operations/operation.js';
import type { Problem } from '../problems/problem.js';

/** How a command came in; all ways are checked and answered alike. */
export type Entrance = 'rest' | 'message' | 'fan-out' | 'json-rpc' | 'monitor' | 'resource' | 'internal';

/** Arguments as they came, not yet read. */
export type CommandArguments =
  | { readonly kind: 'none' }
  /** The `arguments` object as JSON: bytes of a body, or the text of a part of a larger message; and, read already, its document. */
  | { readonly kind: 'json'; readonly json: Uint8Array | string; readonly document?: JsonDocument }
  /** Query parameters of a GET, decoded. */
  | { readonly kind: 'query'; readonly pairs: readonly (readonly [string, string])[] };

/** One command of one principal for one VM, however it came in. */
export interface CommandRequest {
  readonly principal: Principal;
  readonly requestId: string;
  readonly traceparent?: string | undefined;
  readonly entrance: Entrance;
  readonly vm: string;
  /** For the VM's guest agent, not for its monitor. */
  readonly agent?: boolean;
  readonly command: string;
  readonly arguments: CommandArguments;
  readonly outOfBand?: boolean | undefined;
  /** Came with the command and belong to it: they are closed when it ends, whatever its outcome. */
  readonly descriptors?: readonly Descriptor[] | undefined;
  /**
   * In place of the class of command and arguments: for a resource of the gateway that makes the arguments itself, so
   * that what they could do at a caller's wish is no question. Never made from anything a caller sends.
   */
  readonly ruling?: Ruling;
  /** One of many commands behind one request, whose answer says everything: no operation is kept. */
  readonly part?: boolean;
  /** Receives the end if it comes after the caller was told of the deadline. Never called before the answer. */
  readonly late?: ((answer: CommandAnswer) => void) | undefined;
  /** By GET: only commands whose class by name is `read`. */
  readonly readOnly?: boolean | undefined;
  /** Where the caller asked for it; absent where that is no part of an HTTP request. */
  readonly timeoutIn?: 'query' | 'header';
  /** Asked for by the caller, in ms; checked against the command's ceiling. Runs from `arrivedAt`. */
  readonly timeoutMs?: number | undefined;
  readonly dryRun?: boolean | undefined;
  /** `string`: integers beyond ±(2^53-1) in the return value become strings. */
  readonly int64?: 'string' | 'number' | undefined;
  readonly idempotencyKey?: string | undefined;
  /** Written only in this session, else `epoch-changed`. */
  readonly epoch?: string | undefined;
  /** Monotonic milliseconds when the whole request had arrived. */
  readonly arrivedAt: number;
  /** Of a request that another node of the fleet has handed over: by which one, and the bounds it has set. */
  readonly handed?: (Pick<HandedRequest, 'node'> & Partial<HandedRequest>) | undefined;
  /** The caller wants the gateway to follow the work beyond the reply. */
  readonly follow?: CommandFollowing;
}

/** What a caller that follows the work, not only the reply, asks of the command path. */
export interface CommandFollowing {
  /** The command passed all checks and will be sent in its turn. Called at most once, possibly after the answer. */
  accepted(operation: Operation): void;
}

/** Closes what came with a command that has ended. */
export function closeDescriptors({ descriptors = [] }: Pick<CommandRequest, 'descriptors'>): void {
  for (const descriptor of descriptors) descriptor.close();
}

/** `json` is the bare return value (or the dry-run report), bytes as QEMU wrote them unless `int64` asked otherwise. */
export type CommandAnswer =
  | { readonly ok: true; readonly json: Buffer | string; readonly trace: CommandTrace }
  | { readonly ok: false; readonly problem: Problem; readonly trace: CommandTrace };

/** The caller of a command. */
export interface CommandAsker {
  /** Called exactly once, possibly at once. */
  answered(answer: CommandAnswer): void;
}

/** The path of a command: route, authorize, validate, execute, answer. Called once per request. */
export interface CommandPath {
  execute(request: CommandRequest, asker: CommandAsker): void;
}
