import type { QapiModel } from '@qmp-gateway/qapi';
import type { GatewayDocumentOptions } from './describe.js';
import { accessPaths } from './gateway/access.js';
import { agentPaths, agentSchemas } from './gateway/agent.js';
import { commandPaths as otherCommandPaths } from './gateway/commands.js';
import { consolePaths, consoleSchemas } from './gateway/console.js';
import { eventPaths } from './gateway/events.js';
import { operationPaths } from './gateway/operations.js';
import { qomPaths, qomSchemas } from './gateway/qom.js';
import { inPath, ResourceWriter, vmParameter } from './gateway/resource.js';
import { gatewaySchemas, vmId } from './gateway/schemas.js';
import { servicePaths } from './gateway/service.js';
import { vmPaths } from './gateway/vms.js';
import { argumentTypes, SchemaComponents } from './json-schema.js';
import type { OpenApiDocument, PathItem, SecurityScheme, Tag } from './openapi.js';
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
} from './vm-document.js';

const sessionScheme: SecurityScheme = {
  type: 'apiKey',
  in: 'cookie',
  name: 'qmpgw_session',
  description: 'From `POST /v1/session`',
};

const resourceTags: Tag[] = [
  { name: 'access', description: 'Tokens and what they allow' },
  { name: 'agent', description: 'The guest agent of a VM: programs and files of the guest' },
  { name: 'commands', description: 'Commands in other forms' },
  { name: 'console', description: 'Screen and keyboard of a VM' },
  { name: 'events', description: 'Event streams and WebSockets' },
  { name: 'operations', description: 'What became of commands, and of the work that goes on after their reply' },
  { name: 'qom', description: 'The object tree of a VM' },
  { name: 'service', description: 'The gateway itself' },
  { name: 'vms', description: 'Which VMs there are' },
];

/**
 * OpenAPI 3.1 of the gateway: its fixed resources, and the commands of `model` (the newest catalog) below
 * `/v1/vms/{vm}/qmp/`, those of guest agents below `/v1/vms/{vm}/agent/`. What a given VM takes stands in that VM's own
 * documents.
 *
 * @throws TypeError when `options.problems` lacks a code that the fixed resources can end in
 */
export function gatewayDocument(model: QapiModel, options: GatewayDocumentOptions): OpenApiDocument {
  const schemas = new SchemaComponents({ prefix: componentPrefix, argumentTypes: argumentTypes(model) });
  const ownSchema = (name: string): JsonSchema => ({ $ref: componentPrefix + name });
  const problem = schemas.add('Problem', problemSchema);
  const ownSchemas = {
    ...gatewaySchemas(ownSchema),
    ...agentSchemas(ownSchema),
    ...consoleSchemas(),
    ...qomSchemas(ownSchema),
  };
  for (const [name, schema] of Object.entries(ownSchemas)) schemas.add(name, schema);

  const { agent } = options;
  const agentModel = agent && asAgentModule(agent.model);
  // Components of their own: what arguments use is known for each model alone. Names of guest types start with Guest.
  const agentComponents = new SchemaComponents({
    prefix: componentPrefix,
    ...(agentModel && { argumentTypes: argumentTypes(agentModel) }),
  });

  const writer = new ResourceWriter(options.problems, ownSchema);
  const paths = sortedRecord(
    Object.entries({
      ...servicePaths(writer),
      ...vmPaths(writer),
      ...otherCommandPaths(writer, options.problems),
      ...operationPaths(writer),
      ...eventPaths(writer),
      ...accessPaths(writer),
      ...qomPaths(writer, options.problems),
      ...agentPaths(writer, options.problems),
      ...(agentModel &&
        ofSomeVm(commandPaths(agentModel, { ...options, ...agent }, agentComponents, '/v1/vms/{vm}/agent/'))),
      ...consolePaths(writer, options.problems),
      ...ofSomeVm(commandPaths(model, options, schemas, '/v1/vms/{vm}/qmp/')),
    }),
  );
  const shared = commandComponents(options.problems, problem);
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
    tags: [...resourceTags, ...(agentModel ? moduleTags(agentModel) : []), ...moduleTags(model)],
    paths,
    components: referencedComponents(paths, {
      ...shared,
      parameters: { ...shared.parameters, VmId: inPath('vm', vmId, 'Id of a VM') },
      schemas: sortedRecord(Object.entries({ ...agentComponents.schemas(), ...schemas.schemas() })),
      securitySchemes: { bearer: bearerScheme, session: sessionScheme },
    }),
  };
}

function ofSomeVm(paths: Record<string, PathItem>): Record<string, PathItem> {
  return Object.fromEntries(
    Object.entries(paths).map(([path, item]) => [path, { parameters: [vmParameter], ...item }]),
  );
}
