import { answerHeaders, headerReferences, postAnswerHeaders, rateLimitHeaders } from './answer-headers.js';
import type { Header, Reference, Response } from './openapi.js';
import type { JsonSchema } from './schema-keywords.js';

/** One row of the gateway's catalogue of problems. */
export interface ProblemRow {
  readonly code: string;
  readonly status: number;
  readonly title: string;
}

/** Codes that commands cannot end in: they belong to other resources. */
const notOfCommands = new Set([
  'vm-exists',
  'vm-not-running',
  'no-display',
  'host-path-unusable',
  'vm-managed',
  'last-credentials',
  'cursor-expired',
  'upgrade-required',
  'route-not-found',
  'operation-not-found',
]);

/** Rows that a command can end in. A new row counts as one until it is listed above. */
export function commandProblems(rows: readonly ProblemRow[]): ProblemRow[] {
  return rows.filter((row) => !notOfCommands.has(row.code));
}

/** A request that has no body is never refused for it, and keeps no idempotency key. */
const ofBodies = new Set([
  'unsupported-media-type',
  'idempotency-in-progress',
  'idempotency-mismatch',
  'idempotency-unavailable',
]);

/** The rows that a request without a body, a GET, can end in. Its command may still be too large. */
export function bodilessProblems(rows: readonly ProblemRow[]): ProblemRow[] {
  return rows.filter((row) => !ofBodies.has(row.code));
}

/** RFC 9457 with the gateway's members: what is known of the command (`outcome`), and whether sending it again may help. */
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
      description: 'Everything wrong with the request',
      items: {
        type: 'object',
        properties: {
          in: {
            type: 'string',
            enum: ['query', 'body', 'header', 'path'],
            description: 'The part of the request; absent for the arguments of a command',
          },
          pointer: {
            type: 'string',
            description: 'RFC 6901, into that part; of a query or a header `/` and its name',
          },
          message: { type: 'string' },
          suggestions: { type: 'array', items: { type: 'string' }, description: 'Nearest names or values' },
        },
        required: ['pointer', 'message'],
      },
    },
    oldest: { type: 'string', description: 'Of `cursor-expired`: the oldest cursor that still works' },
    suggestions: {
      type: 'array',
      items: { type: 'string' },
      description: 'What was perhaps meant, the most likely first: names, ids, or a method and path',
    },
  },
  required: ['type', 'title', 'status', 'detail', 'code', 'outcome', 'retryable'],
};

/** Headers that an answer of one status has beside the usual ones. */
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

/** A problem has those of its command as far as it came. */
const everyHeader = headerReferences([
  ...Object.keys(answerHeaders),
  ...Object.keys(postAnswerHeaders),
  ...Object.keys(rateLimitHeaders),
]);
/** Statuses that the HTTP parser answers with: it does not read the request. */
const ofParser = new Set([431]);

function statusesOf(rows: readonly ProblemRow[]): number[] {
  return [...new Set(rows.map((row) => row.status))].sort((a, b) => a - b);
}

function componentName(status: number): string {
  return `Problem${status}`;
}

/** One response component for each status in the catalogue, with the codes it can have. */
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
    ...(ofParser.has(status) ? {} : { headers: { ...statusHeaders[status], ...everyHeader } }),
    content: { 'application/problem+json': { schema: { allOf: [problem, codes] } } },
  };
}

const classNames = { '4XX': 'Problem4XX', '5XX': 'Problem5XX' };

/** Of response components for single statuses, those of problems as one for each class of statuses. */
export function problemClasses(
  responses: Readonly<Record<string, Response>>,
  problem: JsonSchema,
): [string, Response][] {
  return Object.entries(classNames).map(([range, name]) => {
    const members = Object.entries(responses).filter(([single]) => single.startsWith(`Problem${range.charAt(0)}`));
    const headers = Object.assign({}, ...members.map(([, each]) => each.headers ?? {})) as Response['headers'];
    return [
      name,
      {
        description: members.map(([, { description }]) => description).join('\n\n'),
        ...(headers && Object.keys(headers).length > 0 && { headers }),
        content: { 'application/problem+json': { schema: problem } },
      },
    ];
  });
}

/** References to the classes that `statuses` are of. */
export function problemClassReferences(statuses: readonly string[]): Record<string, Reference> {
  return Object.fromEntries(
    Object.entries(classNames)
      .filter(([range]) => statuses.some((status) => status.startsWith(range.charAt(0))))
      .map(([range, name]) => [range, { $ref: `#/components/responses/${name}` }]),
  );
}

/** References to the problem responses of `rows`, by status. */
export function problemReferences(rows: readonly ProblemRow[]): Record<string, Reference> {
  return Object.fromEntries(
    statusesOf(rows).map((status) => [status, { $ref: `#/components/responses/${componentName(status)}` }]),
  );
}
