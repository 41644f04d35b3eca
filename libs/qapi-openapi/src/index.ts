/**
 * @qmp-gateway/qapi-openapi: a QAPI model as documents that strangers can generate a client from.
 *
 * Pure functions: a model, and what the caller knows of commands and problems, go in; JSON Schema 2020-12, OpenAPI 3.1,
 * AsyncAPI 3 and TypeScript types come out, the same bytes for the same input. What class a command has, whether it is
 * offered and which problems exist is the caller's knowledge; where documents are kept and served is too.
 */
export { jsonSchemaOf, type JsonSchemaOptions } from './json-schema.js';
export type { CommandDescription, Describe, DocumentOptions, GatewayDocumentOptions } from './describe.js';
export type { ProblemRow } from './problems.js';
export { catalogDocument, renderVmDocument, vmDocument, type VmDocument } from './vm-document.js';
export { gatewayDocument } from './gateway-document.js';
export { asyncApiDocument, type AsyncApiDocument, type AsyncApiOptions } from './asyncapi.js';
export { typeScriptTypes, type TypeScriptOptions } from './typescript.js';
export type { JsonSchema } from './schema-keywords.js';
export type { OpenApiDocument } from './openapi.js';
