/** One QAPI command as the operations of one path: POST, and GET where it only reads. */
import { hasFeature, type Command } from '@qmp-gateway/qapi';
import { accepted, answerHeaders, headerReferences, postAnswerHeaders } from './answer-headers.js';
import type { CommandDescription } from './describe.js';
import { annotations, type SchemaComponents } from './json-schema.js';
import type { MediaType, Operation, PathItem, RequestBody, Response } from './openapi.js';
import { controlReferences, getControls, postControls, queryArguments } from './parameters.js';
import { problemReferences, type ProblemRow } from './problems.js';
import type { JsonSchema } from './schema-keywords.js';

/** GET has no body and no idempotency key. */
const notOfGet = new Set([
  'body-too-large',
  'unsupported-media-type',
  'idempotency-in-progress',
  'idempotency-mismatch',
  'idempotency-unavailable',
]);

/** Tag of commands whose QAPI module is not known. */
export const unknownModule = 'qmp';

export function moduleOf(command: Command): string {
  return command.module ?? unknownModule;
}

/** `problems` are the rows that commands can end in. */
export function commandPathItem(
  command: Command,
  description: CommandDescription,
  components: SchemaComponents,
  problems: readonly ProblemRow[],
): PathItem {
  const post = postOperation(command, description, components, problems);
  if (description.class !== 'read') return { post };
  return {
    get: getOperation(command, description, components, problems),
    post: { ...post, operationId: `${command.name}.post` },
  };
}

function postOperation(
  command: Command,
  description: CommandDescription,
  components: SchemaComponents,
  problems: readonly ProblemRow[],
): Operation {
  const requestBody = argumentsBody(command, description, components);
  return {
    ...commonParts(command, description),
    parameters: controlReferences(postControls),
    ...(requestBody && { requestBody }),
    responses: {
      200: answer(command, description, components, Object.keys(postAnswerHeaders)),
      202: accepted,
      ...problemReferences(problems),
    },
    ...extensions(command, description),
  };
}

function getOperation(
  command: Command,
  description: CommandDescription,
  components: SchemaComponents,
  problems: readonly ProblemRow[],
): Operation {
  const query = queryArguments(command.arguments, components, description.example?.arguments);
  return {
    ...commonParts(command, description),
    parameters: [...query, ...controlReferences(getControls)],
    responses: {
      200: answer(command, description, components, []),
      ...problemReferences(problems.filter((row) => !notOfGet.has(row.code))),
    },
    ...extensions(command, description),
  };
}

function commonParts(
  command: Command,
  description: CommandDescription,
): Pick<Operation, 'operationId' | 'tags' | 'summary' | 'deprecated'> {
  const deprecated = annotations(command.features).deprecated;
  return {
    operationId: command.name,
    tags: [moduleOf(command)],
    summary: description.summary ?? command.summary ?? `The QMP command \`${command.name}\``,
    ...(deprecated && { deprecated }),
  };
}

function extensions(command: Command, description: CommandDescription): Record<`x-qapi-${string}`, unknown> {
  const features = command.features.map((feature) => feature.name);
  const { class: byName, lowestClass = byName, highestClass = byName } = description;
  return {
    'x-qapi-class': byName,
    ...(lowestClass !== byName && { 'x-qapi-class-min': lowestClass }),
    ...(highestClass !== byName && { 'x-qapi-class-max': highestClass }),
    ...(features.length > 0 && { 'x-qapi-features': features }),
    ...(command.since !== undefined && { 'x-qapi-since': command.since }),
    ...(command.allowOob && { 'x-qapi-oob': true }),
    ...(description.offered !== true && {
      'x-qapi-offered': false,
      'x-qapi-offered-reason': description.offered.reason,
    }),
  };
}

/** Undefined for a command that takes nothing. */
function argumentsBody(
  command: Command,
  description: CommandDescription,
  components: SchemaComponents,
): RequestBody | undefined {
  const { members, variants } = command.arguments;
  if (members.length === 0 && variants === undefined && !description.openArguments) return undefined;
  const schema = components.arguments(command.arguments, description.openArguments);
  return {
    required: members.some((member) => !member.optional),
    content: { 'application/json': mediaType(schema, description.example?.arguments) },
  };
}

function answer(
  command: Command,
  description: CommandDescription,
  components: SchemaComponents,
  furtherHeaders: readonly string[],
): Response {
  const deprecated = hasFeature(command, 'deprecated') ? ['Deprecation'] : [];
  return {
    description: 'What the command returns, byte for byte as the VM wrote it',
    headers: headerReferences([...Object.keys(answerHeaders), ...furtherHeaders, ...deprecated]),
    content: {
      'application/json': mediaType(components.reply(command.returns), description.example?.returns),
    },
  };
}

function mediaType(schema: JsonSchema, example: unknown): MediaType {
  return { schema, ...(example !== undefined && { example }) };
}
