import {
  bundledCatalogs,
  describeCommand,
  eventSummary,
  type BundledCatalog,
  type Catalog,
} from '@qmp-gateway/catalog';
import { asyncApiDocument, catalogDocument, gatewayDocument, type Describe } from '@qmp-gateway/qapi-openapi';
import { problemRows } from './schema-documents.js';

/** The bundled catalog of the newest QEMU, or of the newest server of another kind. */
export function newestCatalog(wanted: BundledCatalog['kind'] = 'qemu'): BundledCatalog {
  const [newest] = bundledCatalogs()
    .filter(({ kind }) => kind === wanted)
    .toSorted((a, b) => b.version.localeCompare(a.version, 'en', { numeric: true }));
  if (newest === undefined) throw new Error(`no catalog of kind ${wanted} is bundled`);
  return newest;
}

/**
 * `/openapi.json` and `openapi/gateway.json`: the gateway's own resources and the commands of two catalogs.
 * @param agent the catalog of guest agents
 * @param version of the gateway
 */
export function gatewayDocumentText({ meta, model }: Catalog, agent: Catalog, version: string): string {
  const ofAgent = { model: agent.model, describe: describer(agent.meta) };
  return json(gatewayDocument(model, { describe: describer(meta), problems: problemRows, version, agent: ofAgent }));
}

/**
 * `/asyncapi.json` and `openapi/asyncapi.json`: the gateway's event streams and WebSockets with the events of a catalog.
 * @param version of the gateway
 */
export function asyncApiDocumentText({ meta, model }: Catalog, version: string): string {
  return json(asyncApiDocument(model, { version, summary: ({ name }) => eventSummary(meta.kind, name) }));
}

/** The commands of a catalog, as some VM of that release offers them. */
export function catalogDocumentText({ meta, model }: Catalog): string {
  const title = `QMP commands of ${meta.name} ${meta.version}`;
  return json(
    catalogDocument(model, {
      describe: describer(meta),
      problems: problemRows,
      below: meta.kind === 'guest-agent' ? 'agent' : 'qmp',
      title,
      version: meta.version,
    }),
  );
}

function describer({ kind, version }: Catalog['meta']): Describe {
  return (command) => describeCommand(kind, version, command);
}

/** The one form of published documents, so that the served and the committed ones are the same bytes. */
function json(document: unknown): string {
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
