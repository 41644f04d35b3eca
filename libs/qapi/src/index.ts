/**
 * @qmp-gateway/qapi: the QAPI language.
 *
 * Takes schema source, or what a VM says of itself with `query-qmp-schema`, to one model; reads strict JSON and checks
 * command arguments against the model. Knows nothing of sockets, HTTP or of any particular QEMU release.
 */
export * from './model.js';
export {
  readJson,
  JsonSyntaxError,
  type JsonDocument,
  type JsonNode,
  type JsonObject,
  type JsonArray,
  type JsonString,
  type JsonNumber,
  type JsonBoolean,
  type JsonNull,
  type JsonMember,
  type ReadJsonOptions,
} from './strict-json.js';
export { findUnreadable, type UnreadableCharacter } from './unreadable-character.js';
export { transformBigIntegers } from './big-integers.js';
export { modelFromIntrospection } from './introspection.js';
export { IntrospectionError, IntrospectionSizeError, type IntrospectionBounds } from './schema-info.js';
export { unmask } from './unmask.js';
export { validateArguments, type ArgumentFault, type CheckedArguments, type ValidationOptions } from './validate.js';
export { argumentsFromQuery } from './query.js';
export { nearestNames } from './nearest.js';
export * from './source/index.js';
