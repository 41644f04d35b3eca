/**
 * @qmp-gateway/qapi-openapi: documents of a QAPI model, from which anybody can generate a client.
 *
 * Pure functions: from a model, and the caller's knowledge about commands and problems, they make JSON Schema 2020-12,
 * OpenAPI 3.1, AsyncAPI 3 and TypeScript types, the same bytes for the same input. The caller knows which class a
 * command has, whether it is offered and which problems exist; it also stores and serves the documents.
 */
export { jsonSchemaOf, type JsonSchemaOptions } from './json-schema.js';
export { anyAnswer, dryRun, dryRunSchema } from './dry-run.js';
export type { CommandDescription, Describe, DocumentOptions } from './describe.js';
export { bodilessProblems, commandProblems, problemReferences, problemSchema, type ProblemRow } from './problems.js';
export {
  accepted,
  answerHeaders,
  headerReferences,
  postAnswerHeaders,
  rateLimitHeaders,
  severalCommandsHeaders,
} from './answer-headers.js';
export { controlReferences, getControls, postControls, resourceControls, type ControlName } from './parameters.js';
export { catalogDocument, renderVmDocument, vmDocument, vmDocumentParts, type VmDocument } from './vm-document.js';
export { gatewayDocument, type GatewayDocumentOptions, type ResourceDocuments } from './gateway-document.js';
export { generatorDocument } from './generators/generator-document.js';
export type { RpcMethod } from './json-rpc.js';
export {
  asyncApiDocument,
  type AsyncApiDocument,
  type AsyncApiOptions,
  type GatewayChannels,
  type ResourceChannel,
} from './asyncapi.js';
export { typeScriptTypes, type TypeScriptOptions } from './typescript.js';
export type { JsonSchema } from './schema-keywords.js';
export type {
  Header,
  OpenApiDocument,
  Operation as OpenApiOperation,
  Parameter,
  PathItem,
  Reference,
  RequestBody,
  Response,
  Tag,
} from './openapi.js';
