import type { Header, Reference, Response } from './openapi.js';
import type { JsonSchema } from './schema-keywords.js';

/** One row of the gateway's catalogue of problems. */
export interface ProblemRow {
  readonly code: string;
  readonly status: number;
  readonly title: string;
}

/** Codes that a command can't end in: they are about other resources. */
const notOfCommands = new Set([
  'vm-exists',
  'vm-not-running',
  'no-display',
  'vm-managed',
  'cursor-expired',
  'upgrade-required',
  'route-not-found',
  'operation-not-found',
]);

/** Rows that running a command can end in. A new row counts as one until it is known better. */
export function commandProblems(rows: readonly ProblemRow[]): ProblemRow[] {
  return rows.filter((row) => !notOfCommands.has(row.code));
}

/** RFC 9457 with the gateway's members (DESIGN.md section 6). */
export const problemSchema: JsonSchema = {
  type: 'object',
  description: 'What went wrong (RFC 9457). Match on `code`.',
  properties: {
    type: { type: 'string', format: 'uri-reference', description: '`/problems/` and the code' },
    title: { type: 'string' },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    detail: { type: 'string' },
    instance: { type: 'string', format: 'uri' },
    code: { type: 'string' },
    vm: { type: 'string' },
    command: { type: 'string' },
    outcome: {
      type: 'string',
      enum: ['not-sent', 'refused', 'unknown'],
      description:
        '`not-sent`: the VM never saw the command. `refused`: the VM answered with an error, or with what these credentials may not read. `unknown`: sent, and no answer came.',
    },
    retryable: { type: 'boolean', description: 'Sending the same again may help and cannot do it twice' },
    operation: { type: 'string', description: 'Where to ask what became of the command' },
    qmp: {
      type: 'object',
      description: "The VM's own error",
      properties: { class: { type: 'string' }, desc: { type: 'string' } },
      required: ['class', 'desc'],
    },
    lastError: {
      type: 'object',
      description: 'Of `vm-unavailable`: why there is no session with the VM',
      properties: {
        code: { type: 'string', examples: ['no-such-file', 'no-permission', 'no-greeting', 'wrong-protocol'] },
        detail: { type: 'string', description: 'May show host paths: from level `configure` up' },
        time: { type: 'string', format: 'date-time' },
      },
      required: ['code', 'time'],
    },
    retryAt: {
      type: 'string',
      format: 'date-time',
      description: 'Of `vm-unavailable`: when it is tried again; absent while it is being tried',
    },
    errors: {
      type: 'array',
      description: 'Everything wrong with the arguments',
      items: {
        type: 'object',
        properties: {
          pointer: { type: 'string', description: 'RFC 6901, from the arguments object' },
          message: { type: 'string' },
          suggestions: { type: 'array', items: { type: 'string' }, description: 'Nearest names or values' },
        },
        required: ['pointer', 'message'],
      },
    },
    suggestions: {
      type: 'array',
      items: { type: 'string' },
      description: 'What was perhaps meant, the most likely first: names, ids, or a method and path',
    },
  },
  required: ['type', 'title', 'status', 'code'],
};

/** Headers that an answer of one status carries beside the usual ones. */
const statusHeaders: Record<number, Record<string, Header>> = {
  401: {
    'WWW-Authenticate': { description: '`Bearer`', schema: { type: 'string' } },
  },
  405: {
    Allow: { description: 'Methods that this path takes', schema: { type: 'string' } },
  },
  429: {
    'Retry-After': { description: 'Seconds to wait', schema: { type: 'integer', minimum: 0 } },
  },
  503: {
    'Retry-After': { description: 'Seconds to wait', schema: { type: 'integer', minimum: 0 } },
  },
};

function statusesOf(rows: readonly ProblemRow[]): number[] {
  return [...new Set(rows.map((row) => row.status))].sort((a, b) => a - b);
}

function componentName(status: number): string {
  return `Problem${status}`;
}

/** One response component for each status in the catalogue, naming the codes it can carry. */
export function problemResponses(rows: readonly ProblemRow[], problem: JsonSchema): [string, Response][] {
  return statusesOf(rows).map((status) => [
    componentName(status),
    problemResponse(
      status,
      rows.filter((row) => row.status === status),
      problem,
    ),
  ]);
}

function problemResponse(status: number, rows: readonly ProblemRow[], problem: JsonSchema): Response {
  const codes: JsonSchema = { type: 'object', properties: { code: { enum: rows.map((row) => row.code) } } };
  return {
    description: rows.map((row) => `\`${row.code}\`: ${row.title}`).join('\n\n'),
    ...(statusHeaders[status] && { headers: statusHeaders[status] }),
    content: { 'application/problem+json': { schema: { allOf: [problem, codes] } } },
  };
}

/** References to the problem responses of `rows`, by status. */
export function problemReferences(rows: readonly ProblemRow[]): Record<string, Reference> {
  return Object.fromEntries(
    statusesOf(rows).map((status) => [status, { $ref: `#/components/responses/${componentName(status)}` }]),
  );
}
