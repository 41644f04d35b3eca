/**
 * @qmp-gateway/qapi: the QAPI language.
 *
 * Converts schema source, or the answer to `query-qmp-schema`, to one model; reads strict JSON and validates command
 * arguments against the model. It contains nothing about sockets, HTTP or any particular QEMU release.
 */
export * from './model.js';
export type {
  JsonDocument,
  JsonNode,
  JsonObject,
  JsonArray,
  JsonString,
  JsonNumber,
  JsonBoolean,
  JsonNull,
  JsonMember,
} from './json-node.js';
export { readJson, JsonSyntaxError, type ReadJsonOptions } from './strict-json.js';
export { findUnreadable, type UnreadableCharacter } from './unreadable-character.js';
export { isRecord } from './is-record.js';
export { jsonPointer, jsonPointerSteps } from './json-pointer.js';
export { transformBigIntegers } from './big-integers.js';
export { modelFromIntrospection } from './introspection.js';
export { IntrospectionError, IntrospectionSizeError, type IntrospectionBounds } from './schema-info.js';
export { unmask } from './unmask.js';
export { validateArguments, type ArgumentFault, type CheckedArguments, type ValidationOptions } from './validate.js';
export { argumentsFromQuery } from './query.js';
export { nearestNames } from './nearest.js';
export * from './source/index.js';
