import type { ProblemCode } from './generated/problem-codes.js';

/** What became of the command: the VM never saw it, answered with an error or a secret, or nobody can know. */
export type Outcome = 'not-sent' | 'refused' | 'unknown';

/** The problem object of RFC 9457 with the gateway's members. */
export interface ProblemDocument {
  readonly type?: string;
  readonly title?: string;
  readonly status: number;
  readonly detail?: string;
  readonly instance?: string;
  /** To match on. A newer gateway may have codes that are not in the types. */
  readonly code: ProblemCode | (string & Record<never, never>);
  readonly vm?: string;
  readonly command?: string;
  readonly outcome: Outcome;
  /** Sending the same again may help and cannot do it twice. */
  readonly retryable: boolean;
  /** Path of the operation that tells later what became of the command. */
  readonly operation?: string;
  /** What the VM said, unchanged. */
  readonly qmp?: { readonly class: string; readonly desc: string };
  /** Everything wrong with the request. */
  readonly errors?: readonly { readonly pointer: string; readonly message: string; readonly suggestions?: string[] }[];
  /** For `vm-unavailable`: why there is no session with the VM; `detail` from level `configure` up. */
  readonly lastError?: { readonly code: string; readonly detail?: string; readonly time: string };
  /** For `vm-unavailable`: when the gateway tries it again. */
  readonly retryAt?: string;
  /** What was perhaps meant, the most likely first: names, ids, or a method and path. */
  readonly suggestions?: readonly string[];
  /** For `cursor-expired`: the oldest cursor that still works. */
  readonly oldest?: string;
}

/** The gateway answered that it was not done, or that nobody knows. Match on `code`. */
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
 * There was no answer of the gateway: it can't be reached, the connection broke, it was silent too long, or what
 * answered is something else (`status` then). A command may have been done all the same.
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

/** A problem object out of an answer; undefined when it is something else. */
export function asProblemDocument(value: unknown): ProblemDocument | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const document = value as Partial<ProblemDocument>;
  if (typeof document.code !== 'string' || typeof document.status !== 'number') return undefined;
  return { outcome: 'unknown', retryable: false, ...document } as ProblemDocument;
}
