import type { GatewayChannels, ProblemRow, ResourceChannel, ResourceDocuments } from '@qmp-gateway/qapi-openapi';
import type { ModuleDeclarations } from './module-declarations.js';
import { resourceDocuments } from './resource-documents.js';
import type { ResourceRoute } from './resource-routes.js';
import { ShapeSchemas } from './shape.js';

/** All resources of the gateway itself: their routes, and what the documents say of them. */
export class ResourceBook {
  #documents: ResourceDocuments | undefined;
  #channels: GatewayChannels | undefined;

  constructor(
    private readonly declared: Required<ModuleDeclarations>,
    private readonly problems: readonly ProblemRow[],
  ) {}

  get routes(): readonly ResourceRoute[] {
    return this.declared.routes;
  }

  /** What OpenAPI says of them. */
  get documents(): ResourceDocuments {
    return (this.#documents ??= resourceDocuments(this.routes, this.problems));
  }

  /** What AsyncAPI says of the gateway itself. */
  get channels(): GatewayChannels {
    return (this.#channels ??= this.#makeChannels());
  }

  #makeChannels(): GatewayChannels {
    const schemas = new ShapeSchemas();
    const rpcMethods = this.declared.rpcMethods(schemas);
    for (const message of this.declared.messages) schemas.refer(message);
    const channels = this.routes.flatMap(channelsOf);
    return { rpcMethods, schemas: Object.fromEntries(schemas.components), channels };
  }
}

/** What AsyncAPI says of a route that takes an upgrade. */
function channelsOf({ path, declaration }: ResourceRoute): ResourceChannel[] {
  const { upgrade, path: variables = {} } = declaration;
  if (upgrade?.channel === undefined) return [];
  const names = [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => name);
  const describe = (name: string) => ({ description: variables[name]?.what ?? 'Id of the VM' });
  return [
    {
      ...upgrade.channel,
      address: path.replaceAll(/:(\w+)/g, '{$1}'),
      parameters: Object.fromEntries(names.map((name) => [name, describe(name)])),
    },
  ];
}
