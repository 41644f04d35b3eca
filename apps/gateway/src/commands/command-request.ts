import type { Ruling } from '@qmp-gateway/catalog';
import type { Principal } from '../access/principal.js';
import type { Operation } from '../operations/operation-store.js';
import type { Problem } from '../problems/problem.js';

/** By which way a command came in; all ways are checked and answered alike. */
export type Entrance = 'rest' | 'message' | 'fan-out' | 'json-rpc' | 'monitor' | 'resource' | 'internal';

/** Arguments as they came, not yet read. */
export type CommandArguments =
  | { readonly kind: 'none' }
  /** The `arguments` object as JSON: bytes of a body, or the text of a part of a larger message that was already read. */
  | { readonly kind: 'json'; readonly json: Uint8Array | string }
  /** Query parameters of a GET, decoded. */
  | { readonly kind: 'query'; readonly pairs: readonly (readonly [string, string])[] };

/** One command of one principal for one VM, whatever way it came. */
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
  /**
   * In place of the class of command and arguments: for a resource of the gateway that makes the arguments itself, so
   * that what they could do at a caller's wish is no question. Never made from anything a caller sends.
   */
  readonly ruling?: Ruling;
  /** One of many commands behind one request, whose answer tells all: no operation is kept. */
  readonly part?: boolean;
  /** Told the end when it comes after the deadline was told. Never called before `answer`. */
  readonly late?: ((answer: CommandAnswer) => void) | undefined;
  /** By GET: only commands whose class by name is `read`. */
  readonly readOnly?: boolean | undefined;
  /** Asked for by the caller, in ms; checked against the command's ceiling. Runs from `arrivedAt`. */
  readonly timeoutMs?: number | undefined;
  readonly dryRun?: boolean | undefined;
  /** `string`: integers beyond ±(2^53-1) in the return value become strings. */
  readonly int64?: 'string' | 'number' | undefined;
  readonly idempotencyKey?: string | undefined;
  /** Written only in this session, else `epoch-changed`. */
  readonly epoch?: string | undefined;
  /** `performance.now()` when the whole request had arrived. */
  readonly arrivedAt: number;
  /** The caller leaves it to the gateway to follow the work beyond the reply. */
  readonly follow?: CommandFollowing;
}

/** What a caller who wants to know of the work, not only of the reply, asks of the command path. */
export interface CommandFollowing {
  /** The command passed all checks and will be sent in its turn. Called at most once, maybe after the answer. */
  accepted(operation: Operation): void;
}

/** What the headers of section 5 say about an answer. */
export interface CommandTrace {
  readonly operation?: string | undefined;
  readonly epoch?: string | undefined;
  /** Event position just before the command was written. */
  readonly cursor?: string | undefined;
  readonly queueMs?: number | undefined;
  readonly qmpMs?: number | undefined;
  readonly deprecated?: boolean | undefined;
  readonly replayed?: boolean | undefined;
  /** What of `Prefer` was honoured. */
  readonly preference?: string | undefined;
  /** The work goes on: where it can be asked for. Makes the answer a 202. */
  readonly location?: string | undefined;
}

/** `json` is the bare return value (or the dry-run report), bytes as QEMU wrote them unless `int64` asked otherwise. */
export type CommandAnswer =
  | { readonly ok: true; readonly json: Buffer | string; readonly trace: CommandTrace }
  | { readonly ok: false; readonly problem: Problem; readonly trace: CommandTrace };

/** The path of a command: route, authorize, validate, execute, answer. Called once per request; `answer` exactly once, maybe at once. */
export interface CommandPath {
  execute(request: CommandRequest, answer: (answer: CommandAnswer) => void): void;
}
