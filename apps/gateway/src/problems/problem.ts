import { randomUUID } from 'node:crypto';
import { problemCatalogue, type Outcome, type ProblemCode } from './catalogue.js';

/** One fault of a request: where it is and what is wrong. */
export interface Fault {
  readonly pointer: string;
  readonly message: string;
  readonly suggestions?: readonly string[];
}

export interface ProblemFields {
  readonly vm?: string;
  readonly command?: string;
  readonly outcome?: Outcome;
  readonly retryable?: boolean;
  /** Path of the operation that goes on or ended without the caller. */
  readonly operation?: string;
  /** What QEMU said, unchanged. */
  readonly qmp?: { readonly class: string; readonly desc: string };
  readonly errors?: readonly Fault[];
  /** For `vm-unavailable`: why there is no session with the VM; its detail may show host paths. */
  readonly lastError?: { readonly code: string; readonly detail?: string; readonly time: string };
  /** For `vm-unavailable`: when it is tried again. */
  readonly retryAt?: string;
  /** What was perhaps meant, the most likely first: names, ids, or a method and path. */
  readonly suggestions?: readonly string[];
  /** For `cursor-expired`: the oldest cursor that still works. */
  readonly oldest?: string;
  /** Answer headers that belong to this problem (`Allow`, `Retry-After`, `WWW-Authenticate`). */
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer that is not a success. Thrown or passed as a value; turned into bytes only by {@link problemBody}. */
export class Problem extends Error {
  override readonly name = 'Problem';

  constructor(
    readonly code: ProblemCode,
    readonly detail: string,
    readonly fields: ProblemFields = {},
  ) {
    super(`${code}: ${detail}`);
  }

  get status(): number {
    return problemCatalogue[this.code].status;
  }

  get outcome(): Outcome {
    return this.fields.outcome ?? problemCatalogue[this.code].outcome;
  }

  get retryable(): boolean {
    return this.fields.retryable ?? problemCatalogue[this.code].retryable;
  }

  get headers(): Readonly<Record<string, string>> {
    return { ...defaultHeaders[this.code], ...this.fields.headers };
  }

  /** The same problem, told about this VM and command. */
  about(fields: Pick<ProblemFields, 'vm' | 'command'>): Problem {
    return new Problem(this.code, this.detail, { ...fields, ...this.fields });
  }
}

const defaultHeaders: Partial<Record<ProblemCode, Record<string, string>>> = {
  unauthenticated: { 'WWW-Authenticate': 'Bearer' },
  'queue-full': { 'Retry-After': '1' },
  'too-many-requests': { 'Retry-After': '1' },
  'vm-unavailable': { 'Retry-After': '1' },
  'shutting-down': { 'Retry-After': '2' },
  'audit-unavailable': { 'Retry-After': '5' },
  'idempotency-unavailable': { 'Retry-After': '5' },
  'upgrade-required': { Upgrade: 'websocket' },
};

/** The problem object of RFC 9457 as clients get it, over HTTP, inside JSON-RPC errors and in fan-out lines. */
export function problemBody(problem: Problem): Record<string, unknown> {
  const kind = problemCatalogue[problem.code];
  const { vm, command, operation, qmp, errors, suggestions = [], oldest, lastError, retryAt } = problem.fields;
  return {
    type: `/problems/${problem.code}`,
    title: kind.title,
    status: kind.status,
    detail: problem.detail,
    instance: `urn:uuid:${randomUUID()}`,
    code: problem.code,
    ...(vm === undefined ? {} : { vm }),
    ...(command === undefined ? {} : { command }),
    outcome: problem.outcome,
    retryable: problem.retryable,
    ...(operation === undefined ? {} : { operation }),
    ...(qmp === undefined ? {} : { qmp }),
    ...(errors === undefined ? {} : { errors }),
    ...(lastError === undefined ? {} : { lastError }),
    ...(retryAt === undefined ? {} : { retryAt }),
    ...(suggestions.length === 0 ? {} : { suggestions }),
    ...(oldest === undefined ? {} : { oldest }),
  };
}

/** The suggestions as the end of a `detail`; empty when there are none. */
export function didYouMean(suggestions: readonly string[]): string {
  return suggestions.length > 0 ? ` Did you mean ${suggestions.join(' or ')}?` : '';
}

/** Anything thrown, as the problem to answer; whatever is not a {@link Problem} is a fault of ours and tells nothing. */
export function asProblem(thrown: unknown): Problem {
  return thrown instanceof Problem
    ? thrown
    : new Problem('internal-error', 'The gateway failed on this request; its log has the details.');
}
