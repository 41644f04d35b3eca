import { randomUUID } from 'node:crypto';
import { linkTo } from '../settings/links.js';
import { problemCatalogue, type Outcome, type ProblemCode } from './catalogue.js';

/** One fault of an input: where it is and what is wrong. */
export interface Fault {
  /** The part of the request; absent for the arguments of a command. */
  readonly in?: 'query' | 'body' | 'header' | 'path';
  /** RFC 6901: into the part, of a query or header its name. */
  readonly pointer: string;
  readonly message: string;
  readonly suggestions?: readonly string[];
}

export interface ProblemFields {
  readonly vm?: string;
  readonly command?: string;
  readonly outcome?: Outcome;
  readonly retryable?: boolean;
  /** Path of the operation that goes on, or ended, without the caller. */
  readonly operation?: string;
  /** The VM's error, unchanged. */
  readonly qmp?: { readonly class: string; readonly desc: string };
  readonly errors?: readonly Fault[];
  /** For `vm-unavailable`: why there is no session with the VM. Its detail may contain host paths. */
  readonly lastError?: { readonly code: string; readonly detail?: string; readonly time: string };
  /** For `vm-unavailable`: when the gateway dials again. */
  readonly retryAt?: string;
  /** Names, ids, or a method and path that the caller may have meant, the most likely first. */
  readonly suggestions?: readonly string[];
  /** For `cursor-expired`: the oldest cursor that still works. */
  readonly oldest?: string;
  /** Answer headers that belong to this problem (`Allow`, `Retry-After`, `WWW-Authenticate`). */
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a client gets in place of success. Thrown or passed as a value; only {@link problemBody} turns it into bytes. */
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

  /** The same problem, with this VM and command where it has none. */
  about(fields: Pick<ProblemFields, 'vm' | 'command'>): Problem {
    return new Problem(this.code, this.detail, { ...fields, ...this.fields });
  }
}

const defaultHeaders: Partial<Record<ProblemCode, Record<string, string>>> = {
  unauthenticated: { 'WWW-Authenticate': 'Bearer' },
  'queue-full': { 'Retry-After': '1' },
  'too-many-requests': { 'Retry-After': '1' },
  'vm-unavailable': { 'Retry-After': '1' },
  'fleet-unavailable': { 'Retry-After': '1' },
  'fleet-misconfigured': { 'Retry-After': '5' },
  'shutting-down': { 'Retry-After': '2' },
  'audit-unavailable': { 'Retry-After': '5' },
  'idempotency-unavailable': { 'Retry-After': '5' },
  'upgrade-required': { Upgrade: 'websocket' },
};

/** The problem object of RFC 9457, as clients get it over HTTP, in JSON-RPC errors and in fan-out lines. */
export function problemBody(problem: Problem): Record<string, unknown> {
  const kind = problemCatalogue[problem.code];
  const { vm, command, operation, qmp, errors, suggestions = [], oldest, lastError, retryAt } = problem.fields;
  return {
    type: linkTo(`/problems/${problem.code}`),
    title: kind.title,
    status: kind.status,
    detail: problem.detail,
    instance: `urn:uuid:${randomUUID()}`,
    code: problem.code,
    ...(vm === undefined ? {} : { vm }),
    ...(command === undefined ? {} : { command }),
    outcome: problem.outcome,
    retryable: problem.retryable,
    ...(operation === undefined ? {} : { operation: linkTo(operation) }),
    ...(qmp === undefined ? {} : { qmp }),
    ...(errors === undefined ? {} : { errors }),
    ...(lastError === undefined ? {} : { lastError }),
    ...(retryAt === undefined ? {} : { retryAt }),
    ...(suggestions.length === 0 ? {} : { suggestions }),
    ...(oldest === undefined ? {} : { oldest }),
  };
}

/** The suggestions as the end of a `detail`; empty if there are none. */
export function didYouMean(suggestions: readonly string[]): string {
  return suggestions.length > 0 ? ` Did you mean ${suggestions.join(' or ')}?` : '';
}

/** Converts anything thrown to a problem. An error other than a {@link Problem} is a bug: the client gets no detail of it. */
export function asProblem(thrown: unknown): Problem {
  return thrown instanceof Problem
    ? thrown
    : new Problem('internal-error', 'The gateway failed on this request; its log has the details.');
}
