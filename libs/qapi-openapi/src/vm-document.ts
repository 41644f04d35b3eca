import type { QapiModel } from '@qmp-gateway/qapi';
import {
  acceptedResponse,
  answerHeaders,
  deprecationHeader,
  locationHeader,
  postAnswerHeaders,
  rateLimitHeaders,
} from './answer-headers.js';
import type { DocumentOptions } from './describe.js';
import { dryRunName, dryRunSchema } from './dry-run.js';
import { argumentTypes, SchemaComponents } from './json-schema.js';
import type { Components, OpenApiDocument, PathItem, SecurityScheme, Tag } from './openapi.js';
import { commandPathItem, moduleOf, unknownModule } from './operations.js';
import { controls } from './parameters.js';
import { commandProblems, problemResponses, problemSchema, type ProblemRow } from './problems.js';
import { referencedComponents } from './referenced.js';
import type { JsonSchema } from './schema-keywords.js';
import { sortedRecord } from './sorted.js';

/** The document of every VM of one build: that of a VM without `servers`. */
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
 * OpenAPI 3.1 for a model: its commands, as the gateway offers them below `/v1/vms/{vm}`.
 *
 * Paths, tags and components are sorted; members and enum values keep the model's order.
 */
export function vmDocument(model: QapiModel, options: DocumentOptions): VmDocument {
  const schemas = new SchemaComponents({
    prefix: componentPrefix,
    argumentTypes: argumentTypes(model),
    reserved: otherComponents(options.problems),
  });
  const problem = schemas.add('Problem', problemSchema);
  schemas.add(dryRunName, dryRunSchema);
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

/** The document of a catalog: that of any VM, whose id is a variable. */
export function catalogDocument(model: QapiModel, options: DocumentOptions): OpenApiDocument {
  const { info, ...rest } = vmDocument(model, options);
  const vm = { default: 'vm', description: 'Id of a VM of this kind and version' };
  return { ...rest, openapi, info, servers: [{ url: '/v1/vms/{vm}', variables: { vm } }] };
}

const head = /^\{"openapi":"[\d.]+",/;

/**
 * The document of one VM as JSON text: `shared` with the VM's `servers` inserted. Pass the text of
 * `JSON.stringify(shared)` to share it between VMs; only the few bytes of the address are then new.
 *
 * @throws TypeError if the text is not that of a `vmDocument`
 */
export function renderVmDocument(shared: VmDocument | string, vmId: string): string {
  return vmDocumentParts(typeof shared === 'string' ? shared : JSON.stringify(shared), vmId).join('');
}

/**
 * As {@link renderVmDocument}, in two parts: what is the VM's own, and what all VMs of a build have in common.
 *
 * @param base what stands before the gateway's paths for its clients
 * @throws TypeError if the text is not that of a `vmDocument`
 */
export function vmDocumentParts(shared: string, vmId: string, base = ''): readonly [own: string, common: string] {
  const [start] = head.exec(shared) ?? [];
  if (start === undefined) throw new TypeError('not the text of a VM document: it does not start with its version');
  const servers = JSON.stringify([{ url: `${base}/v1/vms/${encodeURIComponent(vmId)}` }]);
  return [`${start}"servers":${servers},`, shared.slice(start.length)];
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

/** Module of all guest agent commands; their schema is one file, whose name means nothing to readers. */
const agentModule = 'guest-agent';

export function asAgentModule(model: QapiModel): QapiModel {
  const commands = [...model.commands.values()].map((each) => [each.name, { ...each, module: agentModule }] as const);
  return { ...model, commands: new Map(commands) };
}

/** A tag for each QAPI module with commands, sorted. */
export function moduleTags(model: QapiModel): Tag[] {
  const modules = new Set([...model.commands.values()].map(moduleOf));
  return [...modules].sort().map((name) => ({
    name,
    description: name === unknownModule ? 'Commands that no catalog knows' : `Commands of the QAPI module \`${name}\``,
  }));
}

/** Names of the components that are not schemas. */
export function otherComponents(rows: readonly ProblemRow[]): string[] {
  return Object.values(commandComponents(rows, {})).flatMap((section) => Object.keys(section));
}

/** The components that command paths refer to, beside schemas. */
export function commandComponents(
  rows: readonly ProblemRow[],
  problem: JsonSchema,
): Pick<Components, 'responses' | 'parameters' | 'headers'> {
  return {
    responses: { Accepted: acceptedResponse, ...Object.fromEntries(problemResponses(rows, problem)) },
    parameters: controls,
    headers: {
      ...{ ...answerHeaders, ...postAnswerHeaders, ...rateLimitHeaders },
      ...{ Deprecation: deprecationHeader, Location: locationHeader },
    },
  };
}
