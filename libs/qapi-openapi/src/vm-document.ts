import type { QapiModel } from '@qmp-gateway/qapi';
import {
  acceptedResponse,
  answerHeaders,
  deprecationHeader,
  locationHeader,
  postAnswerHeaders,
} from './answer-headers.js';
import type { DocumentOptions } from './describe.js';
import { argumentTypes, SchemaComponents } from './json-schema.js';
import type { Components, OpenApiDocument, PathItem, SecurityScheme, Tag } from './openapi.js';
import { commandPathItem, moduleOf, unknownModule } from './operations.js';
import { controls } from './parameters.js';
import { commandProblems, problemResponses, problemSchema, type ProblemRow } from './problems.js';
import { referencedComponents } from './referenced.js';
import type { JsonSchema } from './schema-keywords.js';
import { sortedRecord } from './sorted.js';

/** The document of every VM of one build: that of a VM but for `servers`. */
export type VmDocument = Omit<OpenApiDocument, 'servers'>;

export const componentPrefix = '#/components/schemas/';

export const bearerScheme: SecurityScheme = {
  type: 'http',
  scheme: 'bearer',
  description: 'A token of the gateway (`qmpgw_…`) or a JWT it trusts',
};

export const openapi = '3.1.0';
export const license = { name: 'Apache-2.0', identifier: 'Apache-2.0' };

/**
 * OpenAPI 3.1 of a model: its commands, as the gateway offers them below `/v1/vms/{vm}`.
 *
 * Paths, tags and components are sorted; members and enum values keep the model's order.
 */
export function vmDocument(model: QapiModel, options: DocumentOptions): VmDocument {
  const schemas = new SchemaComponents({ prefix: componentPrefix, argumentTypes: argumentTypes(model) });
  const problem = schemas.add('Problem', problemSchema);
  const { below = 'qmp' } = options;
  const offered = below === 'agent' ? asAgentModule(model) : model;
  const paths = commandPaths(offered, options, schemas, `/${below}/`);
  return {
    openapi,
    info: {
      title: options.title ?? 'QMP commands',
      version: options.version ?? '1',
      description:
        `Every command of ${below === 'agent' ? 'the guest agent of this VM' : 'this VM'}. ` +
        'The body of a POST is the QMP `arguments` object, an answer the bare return value. ' +
        'Where an argument is an integer, a string of its digits is taken too.',
      license,
    },
    security: [{ bearer: [] }],
    tags: moduleTags(offered),
    paths,
    components: referencedComponents(paths, {
      ...commandComponents(commandProblems(options.problems), problem),
      schemas: schemas.schemas(),
      securitySchemes: { bearer: bearerScheme },
    }),
  };
}

/** The document of a catalog: that of some VM, whose id is a variable. */
export function catalogDocument(model: QapiModel, options: DocumentOptions): OpenApiDocument {
  const { info, ...rest } = vmDocument(model, options);
  const vm = { default: 'vm', description: 'Id of a VM of this kind and version' };
  return { ...rest, openapi, info, servers: [{ url: '/v1/vms/{vm}', variables: { vm } }] };
}

const head = `{"openapi":"${openapi}",`;

/**
 * The document of one VM as JSON text: `shared` with the VM's `servers` put in. Pass the text of `JSON.stringify(shared)`
 * to share it between VMs; only the few bytes of the address are then new.
 *
 * @throws TypeError when the text is not that of a `vmDocument`
 */
export function renderVmDocument(shared: VmDocument | string, vmId: string): string {
  const text = typeof shared === 'string' ? shared : JSON.stringify(shared);
  if (!text.startsWith(head)) throw new TypeError(`not the text of a VM document: it does not start with ${head}`);
  const servers = JSON.stringify([{ url: `/v1/vms/${encodeURIComponent(vmId)}` }]);
  return `${head}"servers":${servers},${text.slice(head.length)}`;
}

/** The commands of a model as paths that start with `prefix`, sorted. */
export function commandPaths(
  model: QapiModel,
  options: DocumentOptions,
  components: SchemaComponents,
  prefix: string,
): Record<string, PathItem> {
  const rows = commandProblems(options.problems);
  return sortedRecord(
    [...model.commands.values()].map((command) => [
      prefix + command.name,
      commandPathItem(command, options.describe(command), components, rows),
    ]),
  );
}

/** Module of all commands of guest agents; their schema is one file, whose name says nothing. */
const agentModule = 'guest-agent';

export function asAgentModule(model: QapiModel): QapiModel {
  const commands = [...model.commands.values()].map((each) => [each.name, { ...each, module: agentModule }] as const);
  return { ...model, commands: new Map(commands) };
}

/** A tag for each QAPI module that has commands, sorted. */
export function moduleTags(model: QapiModel): Tag[] {
  const modules = new Set([...model.commands.values()].map(moduleOf));
  return [...modules].sort().map((name) => ({
    name,
    description: name === unknownModule ? 'Commands that no catalog knows' : `Commands of the QAPI module \`${name}\``,
  }));
}

/** What command paths refer to beside schemas. */
export function commandComponents(
  rows: readonly ProblemRow[],
  problem: JsonSchema,
): Pick<Components, 'responses' | 'parameters' | 'headers'> {
  return {
    responses: { Accepted: acceptedResponse, ...Object.fromEntries(problemResponses(rows, problem)) },
    parameters: controls,
    headers: { ...answerHeaders, ...postAnswerHeaders, Deprecation: deprecationHeader, Location: locationHeader },
  };
}
