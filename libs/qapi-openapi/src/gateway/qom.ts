import { answerHeaders, headerReferences, severalCommandsHeaders } from '../answer-headers.js';
import type { Parameter, PathItem } from '../openapi.js';
import { controlReferences, postControls, resourceControls } from '../parameters.js';
import { commandProblems, type ProblemRow } from '../problems.js';
import type { JsonSchema } from '../schema-keywords.js';
import { inPath, query, vmParameter, type ResourceWriter } from './resource.js';
import { count, flag, record, text, textList, textOrNull } from './schemas.js';

const tag = 'qom';

/** Objects of the tree and their properties. */
export function qomPaths(writer: ResourceWriter, rows: readonly ProblemRow[]): Record<string, PathItem> {
  const problems = commandProblems(rows).map(({ code }) => code);
  const headers = headerReferences(severalCommandsHeaders);
  const object = { description: 'The object', headers, content: writer.json('QomTree') };
  const path = inPath('path', text, 'Path in the object tree, its slashes as they are: `machine/peripheral/net0`');
  return {
    '/v1/vms/{vm}/qom': {
      parameters: [vmParameter],
      get: writer.operation({
        id: 'getQomRoot',
        tag,
        summary: 'The root of the object tree',
        needs: 'level `read`',
        parameters: [...views, ...controlReferences(resourceControls)],
        answers: { 200: object },
        problems,
      }),
    },
    '/v1/vms/{vm}/qom/{path}': {
      parameters: [vmParameter, path],
      get: writer.operation({
        id: 'getQom',
        tag,
        summary: 'An object with its properties, parts and links; or the value of a property',
        description: 'What leads to no object is the property of this name of the object before it.',
        needs: 'level `read`',
        parameters: [...views, ...controlReferences(resourceControls)],
        answers: {
          200: {
            description: 'The object; of a property its value, byte for byte as the VM wrote it',
            headers,
            content: { 'application/json': { schema: { anyOf: [writer.schema('QomTree'), {}] } } },
          },
        },
        problems,
      }),
      put: writer.operation({
        id: 'putQomProperty',
        tag,
        summary: 'Set a property (`qom-set`)',
        needs: 'the level of `qom-set`: `host`',
        parameters: controlReferences(postControls),
        body: { required: true, content: { 'application/json': { schema: { description: 'The value' } } } },
        answers: {
          200: { description: 'Of a dry run: what would be sent' },
          204: { description: 'Set', headers: headerReferences(Object.keys(answerHeaders)) },
        },
        problems,
      }),
    },
  };
}

const views: readonly Parameter[] = [
  query('depth', { ...count, maximum: 32 }, 'Levels below that are looked into; default 0, with a filter all'),
  query('type', text, 'Glob: only objects of such types, and what leads to them'),
  query('search', text, 'Only objects with this text in their name or in that of a property; case does not matter'),
  query('values', { type: 'string', enum: ['none', 'self', 'all'] }, 'Whose values are read; default `self`'),
  query('budget', { type: 'integer', minimum: 1, maximum: 10_000 }, 'Most commands sent to the VM; default 1000'),
];

/** Component schemas of the object tree. */
export function qomSchemas(reference: (name: string) => JsonSchema): Record<string, JsonSchema> {
  const valued = (member: string): JsonSchema => ({
    type: 'object',
    additionalProperties: record(
      {
        type: text,
        [member]: { description: 'As the VM wrote it' },
        error: { ...text, description: 'Why it has none' },
        withheld: { ...text, description: 'Why it is not shown: a secret, and it needs level `host`' },
      },
      [member, 'error', 'withheld'],
    ),
  });
  const members: Record<string, JsonSchema> = {
    type: { ...textOrNull, description: 'Null where the VM does not say' },
    properties: valued('value'),
    links: valued('target'),
    children: { type: 'object', additionalProperties: reference('QomObject') },
    error: { ...text, description: 'Why it could not be looked into' },
  };
  const optional = ['properties', 'links', 'children', 'error'];
  return {
    QomObject: { ...record(members, optional), description: 'Without `children` it was named, and not looked into' },
    QomTree: record(
      {
        path: text,
        ...members,
        matches: { ...textList, description: 'With a filter: paths of the objects and properties that fit' },
        commands: { ...count, description: 'What it cost' },
        complete: flag,
        cut: { type: 'string', enum: ['commands', 'bytes', 'deadline'], description: 'Why it is not complete' },
      },
      [...optional, 'matches', 'cut'],
    ),
  };
}
