/**
 * Arguments as query parameters of GET, and the controls of a command.
 *
 * OpenAPI's `deepObject` style writes `a[b]=` and cannot nest, so each member of an object argument is a parameter of
 * its own, `a.b`, down to single values and lists of them. What has no end or no names of its own (a type that contains
 * itself, each element of a list of objects) is a string with JSON.
 */
import type { Member, ObjectType, QapiType } from '@qmp-gateway/qapi';
import { annotations, type SchemaComponents } from './json-schema.js';
import type { Parameter, Reference } from './openapi.js';
import type { JsonSchema } from './schema-keywords.js';

/** `example` is an arguments object; its members become the examples of the parameters. */
export function queryArguments(type: ObjectType, components: SchemaComponents, example?: unknown): Parameter[] {
  const parameters = new Map<string, Parameter>();
  const visit = (object: ObjectType, prefix: string, required: boolean, around: readonly ObjectType[]): void => {
    for (const [member, always] of allMembers(object)) {
      const name = prefix + member.name;
      const needed = required && always && !member.optional;
      if (member.type.kind === 'object' && !around.includes(member.type)) {
        visit(member.type, `${name}.`, needed, [...around, member.type]);
        continue;
      }
      const schema = querySchema(member.type, components);
      const same = parameters.get(name);
      if (same) same.schema = eitherOf(same.schema, schema);
      else
        parameters.set(name, parameter(member, { name, required: needed, schema, example: exampleAt(example, name) }));
    }
  };
  visit(type, '', true, [type]);
  return [...parameters.values()];
}

function querySchema(type: QapiType, components: SchemaComponents): JsonSchema {
  if (type.kind === 'object') return jsonText(components.argumentValue(type));
  if (type.kind !== 'array') return components.argumentValue(type);
  const items = components.argumentValue(type.element);
  const isStructure = type.element.kind === 'object' || type.element.kind === 'array';
  return { type: 'array', items: isStructure ? jsonText(items) : items };
}

function jsonText(contentSchema: JsonSchema): JsonSchema {
  return { type: 'string', contentMediaType: 'application/json', contentSchema };
}

/** Members of all branches of a union are allowed, and none is required. */
function* allMembers(type: ObjectType): Generator<[Member, boolean]> {
  for (const member of type.members) yield [member, true];
  for (const variant of type.variants?.cases ?? []) {
    for (const [member] of allMembers(variant.type)) yield [member, false];
  }
}

function eitherOf(first: JsonSchema, second: JsonSchema): JsonSchema {
  if (JSON.stringify(first) === JSON.stringify(second)) return first;
  return { anyOf: [...(first.anyOf ?? [first]), second] };
}

interface ParameterParts {
  readonly name: string;
  readonly required: boolean;
  readonly schema: JsonSchema;
  readonly example: unknown;
}

function parameter(member: Member, { name, required, schema, example }: ParameterParts): Parameter {
  return {
    name,
    in: 'query',
    ...(required && { required }),
    ...annotations(member.features),
    ...(member.type.kind === 'array' && { style: 'form', explode: true }),
    schema,
    ...(example !== undefined && { example }),
  };
}

function exampleAt(example: unknown, name: string): unknown {
  return name.split('.').reduce<unknown>((value, part) => {
    if (typeof value !== 'object' || value === null) return undefined;
    return Object.entries(value).find(([key]) => key === part)?.[1];
  }, example);
}

/** Nobody waits for nothing: there is none of 0. */
const duration: JsonSchema = {
  type: 'string',
  pattern: '^0*[1-9][0-9]*(ms|s|m|h|d)?$',
  examples: ['5s', '500ms', '10m'],
};
const requestId: JsonSchema = { type: 'string', pattern: '^[A-Za-z0-9._-]{1,128}$' };

/** Component parameters by the name they are kept under. */
export const controls = {
  TimeoutQuery: { name: 'timeout', in: 'query', description: 'How long to wait for the answer', schema: duration },
  DryRunQuery: {
    name: 'dryRun',
    in: 'query',
    description: 'Check and authorize only; answers `{"wouldSend": …, "class": …}` and sends nothing to the VM',
    schema: { type: 'boolean' },
  },
  Int64Query: {
    name: 'int64',
    in: 'query',
    description:
      '`string`: integers beyond ±(2^53-1) in the answer become strings, for readers that would round them; all others stay numbers',
    schema: { type: 'string', enum: ['string'] },
  },
  RequestTimeoutHeader: {
    name: 'Request-Timeout',
    in: 'header',
    description: 'As `timeout`',
    schema: duration,
  },
  DryRunHeader: { name: 'Dry-Run', in: 'header', description: 'As `dryRun`', schema: { type: 'boolean' } },
  VmEpochHeader: {
    name: 'QMP-VM-Epoch',
    in: 'header',
    description: 'Send the command only in this session with the VM, else 412',
    schema: { type: 'string' },
  },
  IdempotencyKeyHeader: {
    name: 'Idempotency-Key',
    in: 'header',
    description:
      'The same key and body within 10 minutes get the stored answer instead of a second run, over a crash of the gateway too (502 `outcome-unknown` when it died before the reply)',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
  },
  PreferHeader: {
    name: 'Prefer',
    in: 'header',
    description:
      '`wait=30`: answers when the work of the command has ended (at most 10 min), else 202 and the operation; `respond-async`: 202 at once',
    schema: { type: 'string', examples: ['wait=30', 'respond-async'] },
  },
  RequestIdHeader: { name: 'X-Request-Id', in: 'header', description: 'For logs; made when absent', schema: requestId },
} satisfies Record<string, Parameter>;

export type ControlName = keyof typeof controls;

/** GET takes its controls as headers only: its query holds arguments. */
export const getControls: readonly ControlName[] = [
  'RequestTimeoutHeader',
  'DryRunHeader',
  'VmEpochHeader',
  'RequestIdHeader',
];
/** For resources that run several commands. */
export const resourceControls: readonly ControlName[] = ['RequestTimeoutHeader', 'VmEpochHeader', 'RequestIdHeader'];
export const postControls: readonly ControlName[] = [
  'TimeoutQuery',
  'DryRunQuery',
  'Int64Query',
  'RequestTimeoutHeader',
  'DryRunHeader',
  'VmEpochHeader',
  'IdempotencyKeyHeader',
  'PreferHeader',
  'RequestIdHeader',
];

export function controlReferences(names: readonly ControlName[]): Reference[] {
  return names.map((name) => ({ $ref: `#/components/parameters/${name}` }));
}
