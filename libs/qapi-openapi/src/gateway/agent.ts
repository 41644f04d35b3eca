import { answerHeaders, headerReferences } from '../answer-headers.js';
import type { PathItem } from '../openapi.js';
import { controlReferences, postControls, resourceControls } from '../parameters.js';
import { commandProblems, type ProblemRow } from '../problems.js';
import type { JsonSchema } from '../schema-keywords.js';
import { query, vmParameter, type ResourceWriter } from './resource.js';
import {
  closedRecord,
  count,
  duration,
  flag,
  listOf,
  level,
  moment,
  record,
  text,
  textList,
  textOrNull,
} from './schemas.js';

const tag = 'agent';
const path = { ...query('path', text, 'Of the file, as the guest has it'), required: true };

/** The guest agent of a VM: what it offers, and what takes several of its commands. */
export function agentPaths(writer: ResourceWriter, rows: readonly ProblemRow[]): Record<string, PathItem> {
  const problems = commandProblems(rows).map((row) => row.code);
  const own = [...new Set([...problems, 'route-not-found', 'invalid-request'])];
  return {
    '/v1/vms/{vm}/agent': {
      parameters: [vmParameter],
      get: writer.operation({
        id: 'getAgent',
        tag,
        summary: 'The guest agent of a VM: its state, and the commands it has enabled',
        needs: 'level `read`',
        answers: { 200: { description: 'The agent; not asked anew', content: writer.json('GuestAgent') } },
        problems: ['vm-not-found', 'route-not-found'],
      }),
      post: writer.operation({
        id: 'runAgentMessage',
        tag,
        summary: 'Run a command of the guest agent given as a QMP message',
        needs: 'the level of the command',
        parameters: controlReferences(postControls),
        body: { required: true, content: writer.json('QmpMessage') },
        answers: {
          200: {
            description: 'What the command returns, byte for byte as the agent wrote it',
            headers: headerReferences([...Object.keys(answerHeaders), 'Idempotency-Replayed']),
            content: { 'application/json': { schema: {} } },
          },
        },
        problems: own,
      }),
    },
    '/v1/vms/{vm}/agent/openapi.json': {
      parameters: [vmParameter],
      get: writer.operation({
        id: 'getAgentOpenApi',
        tag,
        summary: 'OpenAPI 3.1 of exactly this guest agent',
        needs: 'level `read`',
        answers: {
          200: {
            description: 'The document',
            headers: { ETag: { description: 'Hash of the document', schema: text } },
            content: { 'application/json': { schema: { type: 'object' } } },
          },
          304: { description: 'Not changed' },
        },
        problems: ['vm-not-found', 'route-not-found', 'vm-unavailable'],
      }),
    },
    '/v1/vms/{vm}/agent/exec': {
      parameters: [vmParameter],
      post: writer.operation({
        id: 'execInGuest',
        tag,
        summary: 'Run a program in the guest and follow it to its end',
        description:
          'Lines: `started`, `running` every few seconds, `output`, and last `exited` or `problem`, without which the ' +
          'answer was cut. The agent keeps the output until the program has ended, 16 MiB of each stream at most, so ' +
          '`output` comes at the end.',
        needs: 'level `host`',
        parameters: controlReferences(resourceControls),
        body: { required: true, content: writer.json('ExecRequest') },
        answers: {
          200: {
            description: 'The program was started; how it ended stands in the last line',
            content: { 'application/x-ndjson': { schema: writer.schema('ExecLine') } },
          },
        },
        problems: own,
      }),
    },
    '/v1/vms/{vm}/agent/files': {
      parameters: [vmParameter],
      get: writer.operation({
        id: 'readGuestFile',
        tag,
        summary: 'Read a file of the guest',
        description: 'Streamed as the agent gives it. An answer that breaks off is not the whole file.',
        needs: 'level `host`',
        parameters: [path, ...controlReferences(resourceControls)],
        answers: {
          200: {
            description: 'The file; `Content-Digest` (RFC 9530) is a trailer',
            headers: { 'Content-Digest': { description: 'SHA-256 of what was sent', schema: text } },
            content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
          },
        },
        problems: own,
      }),
      put: writer.operation({
        id: 'writeGuestFile',
        tag,
        summary: 'Write a file of the guest, replacing what is in it',
        description: 'Written as it arrives. A request that fails half way leaves the part that was written.',
        needs: 'level `host`',
        parameters: [
          path,
          query('verify', flag, 'Read the file back and compare; default true. Switch it off for pipes and devices'),
          {
            name: 'Content-Digest',
            in: 'header',
            description: 'RFC 9530, `sha-256=:…:`: what must have arrived',
            schema: text,
          },
          ...controlReferences(resourceControls),
        ],
        body: {
          required: true,
          description: 'At most `limits.fileBytes`',
          content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
        },
        answers: { 200: { description: 'Written, and checked', content: writer.json('WrittenFile') } },
        problems: own,
      }),
    },
  };
}

/** What these resources are made of, by component name. */
export function agentSchemas(reference: (name: string) => JsonSchema): Record<string, JsonSchema> {
  const pid: JsonSchema = { type: 'integer', format: 'int64', description: 'As the guest agent numbers it' };
  const stream: JsonSchema = { type: 'string', enum: ['stdout', 'stderr'] };
  const integerOrNull: JsonSchema = { type: ['integer', 'null'] };
  return {
    GuestAgent: record({
      state: { type: 'string', enum: ['connecting', 'ready', 'silent', 'busy', 'waiting'] },
      since: { ...moment, description: 'When `state` became what it is' },
      epoch: { ...textOrNull, description: 'The session with the agent; opaque, never reused' },
      version: { ...textOrNull, description: 'Of the agent; null before the first session' },
      schema: { ...textOrNull, description: 'Hash of the commands it has enabled' },
      commands: listOf({
        type: 'object',
        properties: { name: text, class: level, summary: text },
        required: ['name', 'class'],
      }),
      types: { type: 'object' },
    }),
    ExecRequest: closedRecord(
      {
        path: { ...text, description: 'Of the program in the guest' },
        arg: { ...textList, description: 'Its arguments' },
        env: { ...textList, description: 'Its environment, as `NAME=value`' },
        input: { ...text, description: 'What it reads from its standard input' },
        inputBase64: { ...text, description: 'The same where it is not text', contentEncoding: 'base64' },
        timeout: {
          ...duration,
          description: 'How long it is followed; it goes on after that. Default `10m`, at most `24h`',
        },
      },
      ['arg', 'env', 'input', 'inputBase64', 'timeout'],
    ),
    ExecLine: {
      description: 'What is known of the program by now',
      oneOf: [
        record({ type: { const: 'started' }, pid, operation: text }),
        record({ type: { const: 'running' }, pid, seconds: { type: 'number' } }),
        record({
          type: { const: 'output' },
          stream,
          text: { ...text, description: 'When all of the stream is UTF-8' },
        }),
        record({ type: { const: 'output' }, stream, base64: { ...text, contentEncoding: 'base64' } }),
        record({
          type: { const: 'exited' },
          pid,
          exitCode: integerOrNull,
          signal: { ...integerOrNull, description: 'That ended it; on Windows the exception' },
          stdoutBytes: count,
          stderrBytes: count,
          stdoutTruncated: flag,
          stderrTruncated: flag,
        }),
        record({ type: { const: 'problem' }, pid, problem: reference('Problem') }),
      ],
    },
    WrittenFile: record({
      path: text,
      size: count,
      sha256: { ...text, description: 'Of what was written, in hexadecimal digits' },
      verified: { ...flag, description: 'It was read back and is the same' },
    }),
  };
}
