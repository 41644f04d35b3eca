import type { QapiModel } from '@qmp-gateway/qapi';
import { acceptedWith } from './answer-headers.js';
import type { Describe, DocumentOptions } from './describe.js';
import { dryRunName, dryRunSchema } from './dry-run.js';
import { argumentTypes, SchemaComponents } from './json-schema.js';
import type { OpenApiDocument, Parameter, PathItem, SecurityScheme, Tag } from './openapi.js';
import { problemSchema } from './problems.js';
import { referencedComponents } from './referenced.js';
import type { JsonSchema } from './schema-keywords.js';
import { sortedRecord } from './sorted.js';
import {
  asAgentModule,
  bearerScheme,
  commandComponents,
  commandPaths,
  componentPrefix,
  license,
  moduleTags,
  openapi,
  otherComponents,
} from './vm-document.js';

/** What the resources of a gateway itself add to its document. */
export interface ResourceDocuments {
  readonly tags: readonly Tag[];
  readonly paths: Readonly<Record<string, PathItem>>;
  /** Component schemas by name. */
  readonly schemas: Readonly<Record<string, JsonSchema>>;
  /** The path parameter of all that lies below a VM. */
  readonly vmParameter: Parameter;
}

export interface GatewayDocumentOptions extends DocumentOptions {
  readonly resources: ResourceDocuments;
  /** Models of older releases: their VMs send answers that lack what is new. */
  readonly older?: readonly QapiModel[];
  /** The commands of guest agents, described like those of the model. */
  readonly agent?: { readonly model: QapiModel; readonly older?: readonly QapiModel[]; readonly describe: Describe };
}

const vmParameterName = 'VmId';
/** Name of the schema that resources give operations, where they have one. */
const operationName = 'CommandOperation';

const sessionScheme: SecurityScheme = {
  type: 'apiKey',
  in: 'cookie',
  name: 'qmpgw_session',
  description: 'From `POST /v1/session`',
};

/**
 * OpenAPI 3.1 of the gateway: its fixed resources, and the commands of `model` (the newest catalog) below
 * `/v1/vms/{vm}/qmp/`, those of guest agents below `/v1/vms/{vm}/agent/`. What a given VM takes stands in that VM's own
 * documents.
 *
 * @throws TypeError when something refers to a component that there is not
 */
export function gatewayDocument(model: QapiModel, options: GatewayDocumentOptions): OpenApiDocument {
  const { resources, agent } = options;
  const agentModel = agent && asAgentModule(agent.model);
  const schemas = new SchemaComponents({
    prefix: componentPrefix,
    argumentTypes: new Set([...argumentTypes(model), ...(agentModel ? argumentTypes(agentModel) : [])]),
    older: [...(options.older ?? []), ...(agent?.older ?? [])],
    reserved: [...otherComponents(options.problems), vmParameterName],
  });
  const problem = schemas.add('Problem', problemSchema);
  schemas.add(dryRunName, dryRunSchema);
  for (const [name, schema] of Object.entries(resources.schemas)) schemas.add(name, schema);

  const paths = sortedRecord(
    Object.entries({
      ...resources.paths,
      ...(agentModel && ofSomeVm(commandPaths(agentModel, { ...options, ...agent }, schemas, '/v1/vms/{vm}/agent/'))),
      ...ofSomeVm(commandPaths(model, options, schemas, '/v1/vms/{vm}/qmp/')),
    }),
  );
  const shared = commandComponents(options.problems, problem);
  const operation = resources.schemas[operationName] && { $ref: componentPrefix + operationName };
  return {
    openapi,
    info: {
      title: options.title ?? 'qmp-gateway',
      version: options.version ?? '1',
      description: 'QMP monitors as HTTP resources. Durations are seconds, or carry a unit: `5`, `5s`, `500ms`, `10m`.',
      license,
    },
    servers: [{ url: '/', description: 'The gateway that serves this document' }],
    security: [{ bearer: [] }],
    tags: oneOfEachName([...resources.tags, ...(agentModel ? moduleTags(agentModel) : []), ...moduleTags(model)]),
    paths,
    components: referencedComponents(paths, {
      ...shared,
      responses: { ...shared.responses, ...(operation && { Accepted: acceptedWith(operation) }) },
      parameters: { ...shared.parameters, [vmParameterName]: resources.vmParameter },
      schemas: schemas.schemas(),
      securitySchemes: { bearer: bearerScheme, session: sessionScheme },
    }),
  };
}

/** A module may be called as a group of resources is: what both are about is the same. */
function oneOfEachName(tags: readonly Tag[]): Tag[] {
  const names = tags.map(({ name }) => name);
  return tags.filter(({ name }, at) => names.indexOf(name) === at);
}

const vmReference = { $ref: `#/components/parameters/${vmParameterName}` };

function ofSomeVm(paths: Record<string, PathItem>): Record<string, PathItem> {
  return Object.fromEntries(
    Object.entries(paths).map(([path, item]) => [path, { parameters: [vmReference], ...item }]),
  );
}
