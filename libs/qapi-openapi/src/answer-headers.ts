import type { Header, Reference, Response } from './openapi.js';
import type { JsonSchema } from './schema-keywords.js';

/** Headers of an answer from a VM, by the component name they are kept under. */
export const answerHeaders: Record<string, Header> = {
  'Server-Timing': {
    description: 'Milliseconds spent waiting in the queue and in the VM: `queue;dur=…, qmp;dur=…`',
    schema: { type: 'string' },
  },
  'QMP-VM-Epoch': {
    description: 'The session with the VM in which this was answered; new after every reconnect',
    schema: { type: 'string' },
  },
  'QMP-Event-Cursor': {
    description: 'Position just before the command was written; the events it caused come after it',
    schema: { type: 'string' },
  },
  'QMP-Operation': { description: "The gateway's id for this command", schema: { type: 'string' } },
  'QMP-Node': {
    description: 'From an entry of a fleet: the other node, which has the VM and answered',
    schema: { type: 'string' },
  },
  'X-Request-Id': {
    description: "The caller's id of this request, or the one made for it",
    schema: { type: 'string' },
  },
};

/** Names of the headers of an answer that took several commands, of which none is kept as an operation. */
export const severalCommandsHeaders: readonly string[] = Object.keys(answerHeaders).filter(
  (name) => name !== 'QMP-Operation',
);

/** Only on answers to POST. */
export const replayedHeader: Header = {
  description: '`true` when this is the stored answer to an earlier request with the same `Idempotency-Key`',
  schema: { type: 'string', enum: ['true'] },
};

/** Only on answers to POST with `Prefer`. */
export const preferenceHeader: Header = {
  description: 'What of `Prefer` was honoured',
  schema: { type: 'string', examples: ['wait=30', 'respond-async'] },
};

export const locationHeader: Header = {
  description: 'Path of the operation that tells what becomes of it',
  schema: { type: 'string' },
};

/** Headers of answers to POST, by name. */
export const postAnswerHeaders: Record<string, Header> = {
  'Idempotency-Replayed': replayedHeader,
  'Preference-Applied': preferenceHeader,
};

/** On every answer to a principal whose requests are limited (`limits.requestsPerSecond`). */
export const rateLimitHeaders: Record<string, Header> = {
  'RateLimit-Limit': {
    description: 'Requests per second of these credentials; absent without a limit',
    schema: { type: 'integer', minimum: 1 },
  },
  'RateLimit-Remaining': { description: 'Requests that may follow at once', schema: { type: 'integer', minimum: 0 } },
  'RateLimit-Reset': {
    description: 'Seconds until as many as the limit may follow at once',
    schema: { type: 'integer', minimum: 0 },
  },
};

/** Only on answers to commands that QAPI marks as deprecated (RFC 9745). */
export const deprecationHeader: Header = {
  description: 'QAPI marks this command deprecated',
  schema: { type: 'string' },
};

export function headerReferences(names: readonly string[]): Record<string, Reference> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

/** Component name of {@link acceptedResponse}. */
export const accepted: Reference = { $ref: '#/components/responses/Accepted' };

/** The answer to a POST with `Prefer` while the command or its work goes on. */
export const acceptedResponse: Response = {
  description: 'With `Prefer`: it goes on; the operation tells what becomes of it',
  headers: headerReferences([
    ...Object.keys(answerHeaders),
    ...Object.keys(postAnswerHeaders),
    ...Object.keys(rateLimitHeaders),
    'Location',
  ]),
  content: {
    'application/json': {
      schema: {
        type: 'object',
        properties: { id: { type: 'string' }, command: { type: 'string' }, state: { type: 'string' } },
        required: ['id', 'command', 'state'],
      },
    },
  },
};

/** The same where the document has a schema of operations. */
export function acceptedWith(operation: JsonSchema): Response {
  return { ...acceptedResponse, content: { 'application/json': { schema: operation } } };
}
