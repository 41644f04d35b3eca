/** One QAPI command as the operations of one path: POST, and GET if it only reads. */
import { hasFeature, type Command } from '@qmp-gateway/qapi';
import { accepted, answerHeaders, headerReferences, postAnswerHeaders, rateLimitHeaders } from './answer-headers.js';
import type { CommandDescription } from './describe.js';
import { orDryRun } from './dry-run.js';
import { fittingExample } from './fitting-example.js';
import { annotations, type SchemaComponents } from './json-schema.js';
import type { MediaType, Operation, PathItem, RequestBody, Response } from './openapi.js';
import { controlReferences, getControls, postControls, queryArguments } from './parameters.js';
import { bodilessProblems, problemReferences, type ProblemRow } from './problems.js';
import type { JsonSchema } from './schema-keywords.js';

/** Tag of commands whose QAPI module is unknown. */
export const unknownModule = 'qmp';

export function moduleOf(command: Command): string {
  return command.module ?? unknownModule;
}

/** `problems` are the rows that apply to commands. */
export function commandPathItem(
  command: Command,
  description: CommandDescription,
  components: SchemaComponents,
  problems: readonly ProblemRow[],
): PathItem {
  const fitting = withFittingExample(command, description);
  const post = postOperation(command, fitting, components, problems);
  if (description.class !== 'read') return { post };
  return {
    get: getOperation(command, fitting, components, problems),
    post: { ...post, operationId: `${command.name}.post` },
  };
}

/** Examples are of one release, and models of many. */
function withFittingExample(command: Command, description: CommandDescription): CommandDescription {
  const { example, openArguments } = description;
  if (example === undefined) return description;
  const given = example.arguments;
  return {
    ...description,
    example: {
      arguments: openArguments || given === undefined ? given : fittingExample(command.arguments, given),
      returns: example.returns === undefined ? undefined : fittingExample(command.returns, example.returns),
    },
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
      // A command takes POST whatever its class is.
      ...problemReferences(problems.filter((row) => row.code !== 'method-not-allowed')),
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
      ...problemReferences(bodilessProblems(problems)),
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

/** Undefined for a command without arguments. */
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
    description: 'What the command returns, byte for byte as the VM wrote it; of a dry run, what would be sent',
    headers: headerReferences([
      ...Object.keys(answerHeaders),
      ...furtherHeaders,
      ...deprecated,
      ...Object.keys(rateLimitHeaders),
    ]),
    content: {
      'application/json': mediaType(orDryRun(components.reply(command.returns)), description.example?.returns),
    },
  };
}

function mediaType(schema: JsonSchema, example: unknown): MediaType {
  return { schema, ...(example !== undefined && { example }) };
}
