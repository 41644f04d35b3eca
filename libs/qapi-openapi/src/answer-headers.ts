import type { Header, Reference, Response } from './openapi.js';

/** Headers of an answer from a VM (DESIGN.md section 5), by the component name they are kept under. */
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
  'X-Request-Id': {
    description: "The caller's id of this request, or the one made for it",
    schema: { type: 'string' },
  },
};

/** Names of the headers of an answer that took several commands: none of them is kept as an operation. */
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

/** Of answers to POST, by name. */
export const postAnswerHeaders: Record<string, Header> = {
  'Idempotency-Replayed': replayedHeader,
  'Preference-Applied': preferenceHeader,
};

/** Only on answers to commands that QAPI marks deprecated (RFC 9745). */
export const deprecationHeader: Header = {
  description: 'QAPI marks this command deprecated',
  schema: { type: 'string' },
};

export function headerReferences(names: readonly string[]): Record<string, Reference> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

/** Component name of {@link acceptedResponse}. */
export const accepted: Reference = { $ref: '#/components/responses/Accepted' };

/** To a POST with `Prefer`: the command or its work goes on. */
export const acceptedResponse: Response = {
  description: 'With `Prefer`: it goes on; the operation tells what becomes of it',
  headers: headerReferences(['Location', 'Preference-Applied', 'QMP-Operation', 'X-Request-Id']),
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
