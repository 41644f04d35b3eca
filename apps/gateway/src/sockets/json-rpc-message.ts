import { readJson, JsonSyntaxError, type JsonDocument, type JsonNode } from '@qmp-gateway/qapi';

/** A JSON-RPC 2.0 request, its parts still the text of the client. */
export interface JsonRpcRequest {
  /** Unparsed; undefined for a notification, which gets no answer. */
  readonly id: string | undefined;
  readonly method: string;
  readonly document: JsonDocument;
  readonly params: JsonNode | undefined;
}

/** Codes of the specification; -32000 stands for every problem of the gateway's, which is in `data`. */
export const errorCodes = {
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  problem: -32000,
} as const;

/** An error answer; thrown while a request is read or its params are. */
export class JsonRpcError extends Error {
  constructor(
    readonly code: number,
    message: string,
    /** JSON text of the `id` member to answer with. */
    readonly id?: string,
    readonly data?: unknown,
  ) {
    super(message);
  }
}

/** @throws {JsonRpcError} for a message that is not a request */
export function readRequest(message: Buffer): JsonRpcRequest {
  const document = readStrictJson(message);
  const { root, text } = document;
  if (root.kind === 'array')
    throw new JsonRpcError(
      errorCodes.invalidRequest,
      'batches are not taken: send the requests one after the other',
      'null',
    );
  if (root.kind !== 'object') throw new JsonRpcError(errorCodes.invalidRequest, 'a request is an object', 'null');
  let idNode: JsonNode | undefined;
  let version: JsonNode | undefined;
  let method: JsonNode | undefined;
  let params: JsonNode | undefined;
  for (const { name, value } of root.members) {
    if (name === 'id') idNode = value;
    else if (name === 'jsonrpc') version = value;
    else if (name === 'method') method = value;
    else if (name === 'params') params = value;
  }
  const validId =
    idNode === undefined || idNode.kind === 'string' || idNode.kind === 'number' || idNode.kind === 'null';
  const id = idNode === undefined ? undefined : text.slice(idNode.start, idNode.end);
  const answerId = validId ? (id ?? 'null') : 'null';
  if (!validId) throw new JsonRpcError(errorCodes.invalidRequest, '`id` is a string, a number or null', answerId);
  if (version?.kind !== 'string' || version.value !== '2.0')
    throw new JsonRpcError(errorCodes.invalidRequest, '`jsonrpc` must be "2.0"', answerId);
  if (method?.kind !== 'string')
    throw new JsonRpcError(errorCodes.invalidRequest, '`method` has to be a string', answerId);
  return { id, method: method.value, document, params };
}

function readStrictJson(message: Buffer): JsonDocument {
  try {
    return readJson(message);
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw new JsonRpcError(errorCodes.parse, error.message, 'null');
    throw error;
  }
}
