/** The methods of `/v1/ws` (DESIGN.md section 8). */
import { closedRecord, count, cursor, flag, record, text, textList, vmId } from './gateway/schemas.js';
import type { JsonSchema } from './schema-keywords.js';

export interface RpcMethod {
  readonly name: string;
  readonly summary: string;
  readonly params: JsonSchema;
  /** A schema, or the name of a component. */
  readonly result: JsonSchema | 'VmList';
}

const timeout: JsonSchema = { type: ['number', 'string'], description: 'Seconds, or a duration: `5`, `"500ms"`' };
const int64: JsonSchema = { const: 'string', description: 'Integers beyond ±(2^53-1) become strings' };
const oneOrMore: JsonSchema = { anyOf: [text, textList] };
const subscription: JsonSchema = { ...count, minimum: 1, description: 'Numbered from 1 per connection' };

export const rpcMethods: readonly RpcMethod[] = [
  {
    name: 'execute',
    summary: 'Run a command',
    params: closedRecord(
      {
        vm: vmId,
        command: text,
        arguments: { type: 'object' },
        oob: { ...flag, description: 'Out of band' },
        timeout,
        dryRun: flag,
        int64,
        idempotencyKey: { ...text, minLength: 1, maxLength: 255 },
        epoch: text,
      },
      ['arguments', 'oob', 'timeout', 'dryRun', 'int64', 'idempotencyKey', 'epoch'],
    ),
    result: { description: 'What the command returns, as the VM wrote it' },
  },
  {
    name: 'subscribe',
    summary: 'Be told of events',
    params: closedRecord(
      { vm: oneOrMore, event: oneOrMore, label: oneOrMore, after: cursor, coalesce: timeout, int64 },
      ['vm', 'event', 'label', 'after', 'coalesce', 'int64'],
    ),
    result: record({ subscription, cursor }),
  },
  {
    name: 'unsubscribe',
    summary: 'End a subscription',
    params: closedRecord({ subscription }),
    result: {},
  },
  {
    name: 'vms',
    summary: 'The selected VMs, as `GET /v1/vms`',
    params: closedRecord({ vm: oneOrMore, label: oneOrMore }, ['vm', 'label']),
    result: 'VmList',
  },
  { name: 'ping', summary: 'Is anybody there', params: { type: 'object' }, result: {} },
];

const id: JsonSchema = { type: ['string', 'number', 'null'] };

export function rpcErrorSchema(problem: JsonSchema): JsonSchema {
  const error = record({ code: { type: 'integer' }, message: text, data: problem }, ['data']);
  return record({ jsonrpc: { const: '2.0' }, id, error });
}

export function rpcEventSchema(event: JsonSchema): JsonSchema {
  const params: JsonSchema = { allOf: [event, record({ subscription })] };
  return record({ jsonrpc: { const: '2.0' }, method: { const: 'event' }, params });
}
