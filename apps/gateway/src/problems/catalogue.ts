/**
 * The one catalogue of problems (RFC 9457). Clients match on the code; a code is never reused for something else.
 * `docs/errors.md`, the OpenAPI documents and the `/problems/<code>` pages are made from it.
 */

/**
 * What became of the command: the VM never saw it; QEMU answered with an error, or with what the caller may not read;
 * or nobody can know.
 */
export type Outcome = 'not-sent' | 'refused' | 'unknown';

export interface ProblemKind {
  readonly status: number;
  readonly title: string;
  /** When it is answered, for the documentation. */
  readonly when: string;
  /** The usual outcome; a single problem may say otherwise. */
  readonly outcome: Outcome;
  /** Sending the same again may help and cannot do it twice. A single problem may say otherwise. */
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
    when: 'The body is not one strict JSON value: a syntax error, a duplicate key, a lone surrogate, a noncharacter (U+FDD0 to U+FDEF, and the last two code points of each plane), a control character, a zero with an exponent, nesting over 64 levels or bytes that are not UTF-8; or a path or query holds such a character. The detail says where.',
  },
  'invalid-arguments': {
    ...notSent,
    status: 400,
    title: 'Invalid arguments',
    when: "The arguments do not fit the command's schema on this VM. All faults are listed in `errors`, each with a JSON Pointer.",
  },
  'invalid-request': {
    ...notSent,
    status: 400,
    title: 'Invalid request',
    when: 'A control, selector, header or body of a gateway resource is unknown or wrong.',
  },
  unauthenticated: {
    ...notSent,
    status: 401,
    title: 'Credentials needed',
    when: 'No credentials, or ones that are not valid (any more).',
  },
  forbidden: {
    ...notSent,
    status: 403,
    title: 'Forbidden',
    when: 'The credentials do not allow this. The detail names the rule and the level needed. Of a query whose answer holds a secret the outcome is `refused`: it was sent, changed nothing, and its answer is given to nobody.',
  },
  'origin-refused': {
    ...notSent,
    status: 403,
    title: 'Origin refused',
    when: 'A browser sent the request from a page of an origin that is not allowed.',
  },
  'host-refused': {
    ...notSent,
    status: 403,
    title: 'Host refused',
    when: 'The Host header names none of the names of this gateway.',
  },
  'vm-not-found': {
    ...notSent,
    status: 404,
    title: 'VM not found',
    when: 'No VM has this id, or the credentials do not reach it.',
  },
  'command-not-found': {
    ...notSent,
    status: 404,
    title: 'Command not found',
    when: 'The VM has no such command (the nearest names are in `suggestions`), or it answered `CommandNotFound` itself (outcome `refused` then).',
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
    when: 'No operation of this VM has this id, it is kept no longer, or it belongs to someone else.',
  },
  'method-not-allowed': {
    ...notSent,
    status: 405,
    title: 'Method not allowed',
    when: 'The path does not take this method (`Allow` lists those it takes); commands take GET only when they are of class `read`.',
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
    title: 'VM does not run',
    when: 'What was asked needs a guest that runs, and the VM is paused or has ended: it would take the command and do nothing.',
  },
  'no-display': {
    ...refused,
    status: 409,
    title: 'VM has no display',
    when: 'A picture was asked of a VM without a display device: nothing is there to look at. The detail says what to start it with.',
  },
  'vm-exists': { ...notSent, status: 409, title: 'VM exists', when: '`If-None-Match: *` for an id that is taken.' },
  'vm-managed': {
    ...notSent,
    status: 409,
    title: 'VM is managed elsewhere',
    when: 'The VM comes from the settings or from discovery and is changed there.',
  },
  'idempotency-in-progress': {
    ...notSent,
    retryable: true,
    status: 409,
    title: 'Still in progress',
    when: 'The first request with this `Idempotency-Key` has no answer yet.',
  },
  'cursor-expired': {
    ...notSent,
    status: 410,
    title: 'Cursor expired',
    when: 'The events after this cursor are no longer kept; `oldest` is the first that can be had.',
  },
  'epoch-changed': {
    ...notSent,
    status: 412,
    title: 'Session changed',
    when: '`QMP-VM-Epoch` names another session than the present one.',
  },
  'body-too-large': {
    ...notSent,
    status: 413,
    title: 'Body too large',
    when: 'The request body or the encoded command is over its limit.',
  },
  'unsupported-media-type': {
    ...notSent,
    status: 415,
    title: 'Unsupported media type',
    when: 'A body without `Content-Type: application/json`, or, for a file of the guest, without `application/octet-stream`.',
  },
  'command-failed': {
    ...refused,
    status: 422,
    title: 'Command failed',
    when: 'The VM answered with class `GenericError` or one this page does not list.',
  },
  'idempotency-mismatch': {
    ...notSent,
    status: 422,
    title: 'Idempotency key used before',
    when: 'The same `Idempotency-Key` came with another body.',
  },
  'upgrade-required': {
    ...notSent,
    status: 426,
    title: 'Upgrade required',
    when: 'A plain GET on a path that speaks WebSocket only.',
  },
  'too-many-requests': {
    ...notSent,
    retryable: true,
    status: 429,
    title: 'Too many requests',
    when: 'A limit of the gateway or of the principal is reached.',
  },
  'queue-full': {
    ...notSent,
    retryable: true,
    status: 429,
    title: 'Queue full',
    when: 'Too many commands wait for this VM.',
  },
  'headers-too-large': {
    ...notSent,
    status: 431,
    title: 'Headers too large',
    when: 'The request head is over the limit of the HTTP parser.',
  },
  'internal-error': {
    outcome: 'unknown',
    retryable: false,
    logLevel: 'error',
    status: 500,
    title: 'Internal error',
    when: 'A fault of the gateway itself; the details are in its log, under the request id.',
  },
  'not-offered': {
    ...notSent,
    status: 501,
    title: 'Not offered',
    when: 'The command exists but makes no sense over HTTP: it needs a file descriptor or belongs to the connection.',
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
    when: 'The command was sent, but the connection or the reply broke: it may or may not have been done.',
  },
  'vm-unavailable': {
    ...notSent,
    retryable: true,
    status: 503,
    title: 'VM unavailable',
    when: 'The VM is not connected, or was lost before anything was sent. `lastError` says why, `retryAt` and `Retry-After` when it is tried again.',
  },
  'shutting-down': {
    ...notSent,
    retryable: true,
    status: 503,
    title: 'Shutting down',
    when: 'The gateway is stopping and takes nothing new.',
  },
  'audit-unavailable': {
    ...notSent,
    retryable: true,
    logLevel: 'error',
    status: 503,
    title: 'Audit log unavailable',
    when: 'The settings demand an audit log and it cannot be written.',
  },
  'idempotency-unavailable': {
    ...notSent,
    retryable: true,
    logLevel: 'error',
    status: 503,
    title: 'Idempotency key cannot be kept',
    when: 'The `Idempotency-Key` cannot be written down, so that a repetition after a crash of the gateway would run again.',
  },
  'deadline-exceeded': {
    outcome: 'unknown',
    retryable: false,
    logLevel: 'warn',
    status: 504,
    title: 'Deadline exceeded',
    when: 'No reply came in time: outcome `unknown` with the path of the operation to ask later, or `not-sent` when the command still waited in the queue.',
  },
} as const satisfies Record<string, ProblemKind>;

export type ProblemCode = keyof typeof problemCatalogue;

export const problemCodes = Object.keys(problemCatalogue) as ProblemCode[];
