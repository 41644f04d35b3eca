/**
 * The catalogue of problems (RFC 9457). Clients match on the code; a code is never reused for something else.
 * `docs/errors.md`, the OpenAPI documents and the `/problems/<code>` pages are generated from it.
 */

/**
 * What became of the command: the VM never saw it; the VM answered with an error, or with a secret that the caller may
 * not read; or nobody can know.
 */
export type Outcome = 'not-sent' | 'refused' | 'unknown';

export interface ProblemKind {
  readonly status: number;
  readonly title: string;
  /** When a client gets it, for the documentation. */
  readonly when: string;
  /** The usual outcome; a single problem may override it. */
  readonly outcome: Outcome;
  /** Sending the same request again may succeed and cannot run the command twice. A single problem may override it. */
  readonly retryable: boolean;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
}

const notSent = { outcome: 'not-sent', retryable: false, logLevel: 'info' } as const;
const refused = { outcome: 'refused', retryable: false, logLevel: 'info' } as const;

export const problemCatalogue = {
  'malformed-json': {
    ...notSent,
    status: 400,
    title: 'Malformed JSON',
    when: 'The body is not one strict JSON value: it has a syntax error, a duplicate key, a lone surrogate, a noncharacter (U+FDD0 to U+FDEF, and the last two code points of each plane), a control character, a zero with an exponent, more than 64 levels of nesting, or bytes that are not UTF-8. Also when the query or a decoded path contains such a character; a path that cannot be decoded is `route-not-found`. The detail says where.',
  },
  'invalid-arguments': {
    ...notSent,
    status: 400,
    title: 'Invalid arguments',
    when: "The arguments do not match the command's schema on this VM. `errors` lists all faults, each with a JSON Pointer.",
  },
  'invalid-request': {
    ...notSent,
    status: 400,
    title: 'Invalid request',
    when: 'A control, selector, header or body of a gateway resource is unknown or invalid.',
  },
  unauthenticated: {
    ...notSent,
    status: 401,
    title: 'Credentials required',
    when: 'The request has no credentials, or they are invalid, expired or revoked.',
  },
  forbidden: {
    ...notSent,
    status: 403,
    title: 'Forbidden',
    when: 'The credentials do not allow this. The detail names the rule and the required level. For a query whose reply contains a secret the outcome is `refused`: the VM answered it, nothing changed, and the gateway withholds the reply.',
  },
  'origin-refused': {
    ...notSent,
    status: 403,
    title: 'Origin refused',
    when: 'A browser sent the request from a page whose origin is not allowed.',
  },
  'host-refused': {
    ...notSent,
    status: 403,
    title: 'Host refused',
    when: 'The Host header is not one of the names of this gateway.',
  },
  'vm-not-found': {
    ...notSent,
    status: 404,
    title: 'VM not found',
    when: 'No VM has this id, or the credentials do not cover it.',
  },
  'command-not-found': {
    ...notSent,
    status: 404,
    title: 'Command not found',
    when: 'The VM has no such command (`suggestions` has the nearest names), or the VM itself answered with class `CommandNotFound` (outcome `refused`).',
  },
  'device-not-found': {
    ...refused,
    status: 404,
    title: 'Device not found',
    when: 'The VM answered with class `DeviceNotFound`.',
  },
  'route-not-found': { ...notSent, status: 404, title: 'Route not found', when: 'No resource has this path.' },
  'operation-not-found': {
    ...notSent,
    status: 404,
    title: 'Operation not found',
    when: 'No operation of this VM has this id, the operation is no longer kept, or it belongs to another principal.',
  },
  'method-not-allowed': {
    ...notSent,
    status: 405,
    title: 'Method not allowed',
    when: 'The resource does not support this method; `Allow` lists those that it supports. Only commands of class `read` support GET.',
  },
  'device-not-active': {
    ...refused,
    status: 409,
    title: 'Device not active',
    when: 'The VM answered with class `DeviceNotActive`.',
  },
  'vm-not-running': {
    ...notSent,
    retryable: true,
    status: 409,
    title: 'VM is not running',
    when: 'The request needs a running guest, and the VM is paused or has ended: it would accept the command and do nothing.',
  },
  'no-display': {
    ...refused,
    status: 409,
    title: 'VM has no display',
    when: 'For a picture: the VM has no display device, or its server has no screen at all. For `displays`: the VM has no VNC display, or none that can be opened. The detail says which, and how to start a VM with a display.',
  },
  'vm-ambiguous': {
    ...notSent,
    status: 409,
    title: 'VM ambiguous',
    when: 'Several nodes of the fleet each serve a VM of this id. `suggestions` names the nodes; `?node=` chooses one.',
  },
  'node-reachable': {
    ...notSent,
    status: 409,
    title: 'Node is there',
    when: 'A node of the fleet is to be removed that is heard: it would be back at once. Stop it instead.',
  },
  'descriptor-lost': {
    ...notSent,
    status: 409,
    title: 'File descriptor lost',
    when: 'The command uses a file descriptor that was passed in a session with the VM that is over. Pass it again, then send the command.',
  },
  'host-path-unusable': {
    ...notSent,
    status: 409,
    title: 'Host path unusable',
    when: 'A file of the host that is to be passed to a VM does not exist, is a directory or anything else but a file or a character device, or the gateway may not open it. The detail says which.',
  },
  'vm-exists': {
    ...notSent,
    status: 409,
    title: 'VM exists',
    when: 'The request has `If-None-Match: *`, and a VM with this id exists.',
  },
  'vm-managed': {
    ...notSent,
    status: 409,
    title: 'VM is managed elsewhere',
    when: 'The VM comes from the settings or from discovery, and can only be changed there.',
  },
  'last-credentials': {
    ...notSent,
    status: 409,
    title: 'Last credentials',
    when: 'The token is the last credential of level `host`: without it, nobody could manage the gateway.',
  },
  'idempotency-in-progress': {
    ...notSent,
    retryable: true,
    status: 409,
    title: 'Still in progress',
    when: 'The first request with this `Idempotency-Key` is still in progress.',
  },
  'cursor-expired': {
    ...notSent,
    status: 410,
    title: 'Cursor expired',
    when: 'The history no longer has all events after this cursor; `oldest` is the oldest cursor that works.',
  },
  'epoch-changed': {
    ...notSent,
    status: 412,
    title: 'Session changed',
    when: '`QMP-VM-Epoch` names a session other than the current one.',
  },
  'body-too-large': {
    ...notSent,
    status: 413,
    title: 'Body too large',
    when: 'The request body or the encoded command is larger than its limit.',
  },
  'unsupported-media-type': {
    ...notSent,
    status: 415,
    title: 'Unsupported media type',
    when: 'The body does not have `Content-Type: application/json` or, for a file of the guest, `application/octet-stream`.',
  },
  'expectation-failed': {
    ...notSent,
    status: 417,
    title: 'Expectation failed',
    when: 'The `Expect` header asks for something other than `100-continue`.',
  },
  'command-failed': {
    ...refused,
    status: 422,
    title: 'Command failed',
    when: 'The VM answered with class `GenericError`, or with one that this page does not list.',
  },
  'idempotency-mismatch': {
    ...notSent,
    status: 422,
    title: 'Idempotency key used before',
    when: 'An earlier request had the same `Idempotency-Key` and another body.',
  },
  'upgrade-required': {
    ...notSent,
    status: 426,
    title: 'Upgrade required',
    when: 'The path supports only WebSocket, and the request is a plain GET.',
  },
  'too-many-requests': {
    ...notSent,
    retryable: true,
    status: 429,
    title: 'Too many requests',
    when: 'The request exceeds a limit of the gateway or of the principal.',
  },
  'queue-full': {
    ...notSent,
    retryable: true,
    status: 429,
    title: 'Queue full',
    when: 'Too many commands already wait for this VM.',
  },
  'headers-too-large': {
    ...notSent,
    status: 431,
    title: 'Headers too large',
    when: 'The request head is larger than the limit of the HTTP parser.',
  },
  'internal-error': {
    outcome: 'unknown',
    retryable: false,
    logLevel: 'error',
    status: 500,
    title: 'Internal error',
    when: 'The gateway itself failed; its log has the details, under the request id.',
  },
  'not-offered': {
    ...notSent,
    status: 501,
    title: 'Not offered',
    when: 'The command exists but cannot work through the gateway: it needs a file descriptor that did not come with it, or applies to the connection itself. For `fds`: the gateway cannot pass descriptors to this VM, and the detail says why.',
  },
  'kvm-missing-cap': {
    ...refused,
    status: 501,
    title: 'KVM capability missing',
    when: 'The VM answered with class `KVMMissingCap`.',
  },
  'outcome-unknown': {
    outcome: 'unknown',
    retryable: false,
    logLevel: 'warn',
    status: 502,
    title: 'Outcome unknown',
    when: 'The command was sent, but the connection broke or the reply was unusable: it may or may not have been executed.',
  },
  'vm-unavailable': {
    ...notSent,
    retryable: true,
    status: 503,
    title: 'VM unavailable',
    when: 'The VM is not connected, or its connection was lost before anything was sent. `lastError` says why, `retryAt` and `Retry-After` say when the gateway connects again.',
  },
  'fleet-unavailable': {
    ...notSent,
    retryable: true,
    status: 503,
    title: 'Fleet unavailable',
    when: 'This node has lost its connection with NATS, so that it reaches no other node. VMs of its own can be used.',
  },
  'fleet-misconfigured': {
    ...notSent,
    logLevel: 'error',
    status: 503,
    title: 'Fleet misconfigured',
    when: "NATS, or its stream, is not set up as the fleet needs it: a permission is missing, a stream has other settings, or another node has this one's name.",
  },
  'shutting-down': {
    ...notSent,
    retryable: true,
    status: 503,
    title: 'Shutting down',
    when: 'The gateway is stopping and accepts no new requests.',
  },
  'audit-unavailable': {
    ...notSent,
    retryable: true,
    logLevel: 'error',
    status: 503,
    title: 'Audit log unavailable',
    when: 'The settings require an audit log, and the gateway cannot write it.',
  },
  'idempotency-unavailable': {
    ...notSent,
    retryable: true,
    logLevel: 'error',
    status: 503,
    title: 'Idempotency key cannot be stored',
    when: 'The gateway cannot store the `Idempotency-Key`, so a repetition after a crash would run the command again.',
  },
  'deadline-exceeded': {
    outcome: 'unknown',
    retryable: false,
    logLevel: 'warn',
    status: 504,
    title: 'Deadline exceeded',
    when: 'No reply came in time. The outcome is `unknown`, with the path of the operation to ask later, or `not-sent` if the command was still in the queue.',
  },
} as const satisfies Record<string, ProblemKind>;

export type ProblemCode = keyof typeof problemCatalogue;

export const problemCodes = Object.keys(problemCatalogue) as ProblemCode[];
