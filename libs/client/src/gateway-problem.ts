import type { ProblemCode } from './generated/problem-codes.js';

/** What became of the command: the VM never saw it, the VM answered with an error or a secret, or nobody can know. */
export type Outcome = 'not-sent' | 'refused' | 'unknown';

/** The problem object of RFC 9457 with the gateway's members. */
export interface ProblemDocument {
  readonly type?: string;
  readonly title?: string;
  readonly status: number;
  readonly detail?: string;
  readonly instance?: string;
  /** For programs to match. A newer gateway may have codes that are not in the types. */
  readonly code: ProblemCode | (string & Record<never, never>);
  readonly vm?: string;
  readonly command?: string;
  readonly outcome: Outcome;
  /** Sending the same request again may succeed and cannot run the command twice. */
  readonly retryable: boolean;
  /** Path of the operation, which later says what became of the command. */
  readonly operation?: string;
  /** The VM's error, unchanged. */
  readonly qmp?: { readonly class: string; readonly desc: string };
  /** All faults of the request. */
  readonly errors?: readonly { readonly pointer: string; readonly message: string; readonly suggestions?: string[] }[];
  /** For `vm-unavailable`: why there is no session with the VM; `detail` for level `configure` or higher. */
  readonly lastError?: { readonly code: string; readonly detail?: string; readonly time: string };
  /** For `vm-unavailable`: when the gateway dials again. */
  readonly retryAt?: string;
  /** Names, ids, or a method and path that the caller may have meant, the most likely first. */
  readonly suggestions?: readonly string[];
  /** For `cursor-expired`: the oldest cursor that still works. */
  readonly oldest?: string;
}

/** The gateway answered that the command failed, or that its outcome is unknown. Match on `code`. */
export class GatewayProblem extends Error implements ProblemDocument {
  override readonly name = 'GatewayProblem';
  readonly code: ProblemDocument['code'];
  readonly status: number;
  readonly outcome: Outcome;
  readonly retryable: boolean;
  readonly title?: string;
  readonly detail?: string;
  readonly instance?: string;
  readonly type?: string;
  readonly vm?: string;
  readonly command?: string;
  readonly operation?: string;
  readonly qmp?: { readonly class: string; readonly desc: string };
  readonly errors?: NonNullable<ProblemDocument['errors']>;
  readonly lastError?: NonNullable<ProblemDocument['lastError']>;
  readonly retryAt?: string;
  readonly suggestions?: readonly string[];
  readonly oldest?: string;

  constructor(document: ProblemDocument) {
    super(`${document.code}: ${document.detail ?? document.title ?? document.status}`);
    const { code, status, outcome, retryable, ...optional } = document;
    this.code = code;
    this.status = status;
    this.outcome = outcome;
    this.retryable = retryable;
    Object.assign(this, optional);
  }
}

/**
 * The gateway did not answer: it is unreachable, the connection broke, it was silent for too long, or something else
 * answered (then with `status`). The command may have been executed all the same.
 */
export class GatewayUnreachable extends Error {
  override readonly name = 'GatewayUnreachable';
  readonly outcome: Outcome = 'unknown';
  readonly retryable = false;
  readonly status: number | undefined;

  constructor(message: string, options: { readonly cause?: unknown; readonly status?: number } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.status = options.status;
  }
}

/** The problem object in an answer; undefined if it is something else. */
export function asProblemDocument(value: unknown): ProblemDocument | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const document = value as Partial<ProblemDocument>;
  if (typeof document.code !== 'string' || typeof document.status !== 'number') return undefined;
  const fitting = Object.entries(document).filter(([name, member]) => memberRules[name]?.(member) !== false);
  return { outcome: 'unknown', retryable: false, ...Object.fromEntries(fitting) } as ProblemDocument;
}

type MemberRule = (member: unknown) => boolean;

const isText: MemberRule = (member) => typeof member === 'string';
const isTextIfThere: MemberRule = (member) => member === undefined || isText(member);
const isList = (member: unknown, rule: MemberRule): boolean => Array.isArray(member) && member.every(rule);
const isTexts: MemberRule = (member) => isList(member, isText);
const never: MemberRule = () => false;

const hasMembers =
  (rules: Readonly<Record<string, MemberRule>>): MemberRule =>
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    Object.entries(rules).every(([name, rule]) => rule((value as Record<string, unknown>)[name]));

/** What does not fit is left out: whoever shows a problem relies on its types, and something else may have answered. */
const memberRules: Readonly<Record<string, MemberRule>> = Object.assign(Object.create(null) as object, {
  ...{ type: isText, title: isText, detail: isText, instance: isText, vm: isText, command: isText, operation: isText },
  ...{ retryAt: isText, oldest: isText, suggestions: isTexts },
  outcome: (member: unknown) => member === 'not-sent' || member === 'refused' || member === 'unknown',
  retryable: (member: unknown) => typeof member === 'boolean',
  qmp: hasMembers({ class: isText, desc: isText }),
  errors: (member: unknown) =>
    isList(
      member,
      hasMembers({ pointer: isText, message: isText, suggestions: (texts) => texts === undefined || isTexts(texts) }),
    ),
  lastError: hasMembers({ code: isText, detail: isTextIfThere, time: isTextIfThere }),
  // Of the error that it becomes.
  ...{ name: never, message: never, stack: never, cause: never },
});

/** The gateway ended a stream. The codes are in the documents of each stream. */
export class GatewayClosed extends Error {
  override readonly name = 'GatewayClosed';

  constructor(
    /** Of the WebSocket close; 1006 when the connection broke. */
    readonly code: number,
    readonly reason: string,
  ) {
    super(reason === '' ? `closed with code ${code}` : `${reason} (close code ${code})`);
  }
}
