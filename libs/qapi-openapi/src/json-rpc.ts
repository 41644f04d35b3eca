/** Envelopes of JSON-RPC 2.0 as a gateway's WebSocket has them. */
import type { JsonSchema } from './schema-keywords.js';
import { record, textSchema } from './records.js';

/** A method of `/v1/ws`. */
export interface RpcMethod {
  readonly name: string;
  readonly summary: string;
  readonly params: JsonSchema;
  readonly result: JsonSchema;
}

const id: JsonSchema = { type: ['string', 'number', 'null'] };

export function rpcErrorSchema(problem: JsonSchema): JsonSchema {
  const error = record({ code: { type: 'integer' }, message: textSchema, data: problem }, ['data']);
  return record({ jsonrpc: { const: '2.0' }, id, error });
}

export function rpcEventSchema(event: JsonSchema): JsonSchema {
  const subscription: JsonSchema = { type: 'integer', minimum: 1 };
  const params: JsonSchema = { allOf: [event, record({ subscription })] };
  return record({ jsonrpc: { const: '2.0' }, method: { const: 'event' }, params });
}
