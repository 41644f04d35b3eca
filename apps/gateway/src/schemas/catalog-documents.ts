import {
  agentKind,
  bundledCatalogs,
  describeCommand,
  eventSummary,
  loadBundledCatalog,
  referenceKind,
  serverKinds,
  type BundledCatalog,
  type Catalog,
} from '@qmp-gateway/catalog';
import {
  asyncApiDocument,
  catalogDocument,
  gatewayDocument,
  type Describe,
  type GatewayChannels,
  type OpenApiDocument,
  type ResourceDocuments,
} from '@qmp-gateway/qapi-openapi';
import type { QapiModel } from '@qmp-gateway/qapi';
import { linkTo } from '../settings/links.js';
import { flavoured, type DocumentFlavour } from './document-flavour.js';
import { problemRows } from './schema-documents.js';

/** The bundled catalogs of a kind of server, the newest first. */
function catalogsOf(kind: BundledCatalog['kind']): BundledCatalog[] {
  return bundledCatalogs()
    .filter((catalog) => catalog.kind === kind)
    .toSorted((a, b) => b.version.localeCompare(a.version, 'en', { numeric: true }));
}

/** The bundled catalog of the newest QEMU, or of the newest server of another kind. */
export function newestCatalog(wanted: BundledCatalog['kind'] = referenceKind): BundledCatalog {
  const [newest] = catalogsOf(wanted);
  if (newest === undefined) throw new Error(`no catalog of kind ${wanted} is bundled`);
  return newest;
}

/** A catalog, and those of the older releases of its kind. */
interface CatalogLine {
  readonly newest: Catalog;
  readonly older: readonly QapiModel[];
}

async function catalogLine(kind: BundledCatalog['kind']): Promise<CatalogLine> {
  const [newest, ...older] = await Promise.all(catalogsOf(kind).map(loadBundledCatalog));
  if (newest === undefined) throw new Error(`no catalog of kind ${kind} is bundled`);
  return { newest, older: older.map(({ model }) => model) };
}

/** The gateway's own part of its document. */
export interface OwnPart {
  /** Of the gateway. */
  readonly version: string;
  /** What the gateway's own resources declare. */
  readonly resources: ResourceDocuments;
}

/**
 * `/openapi.json` and `openapi/gateway.json`: the gateway's own resources, and the commands of the newest QEMU and the
 * newest guest agent. Of a reply it requires what all releases with a catalog send.
 */
export async function gatewayDocumentText(own: OwnPart, flavour: DocumentFlavour): Promise<string> {
  const { newest, older } = await catalogLine(referenceKind);
  const agent = await catalogLine(agentKind);
  const document = gatewayDocument(newest.model, {
    describe: describer(newest.meta),
    problems: problemRows,
    older,
    agent: { model: agent.newest.model, older: agent.older, describe: describer(agent.newest.meta) },
    ...own,
  });
  const origin =
    `Commands below \`/qmp/\` are those of ${releaseOf(newest.meta)}, those below \`/agent/\` of ${releaseOf(agent.newest.meta)}, as the ` +
    'catalogs have them. What a VM itself takes is in its own document, `/v1/vms/{vm}/openapi.json`, and what its guest ' +
    'agent takes in `/v1/vms/{vm}/agent/openapi.json`.';
  const { info } = document;
  const described = { ...document, info: { ...info, description: `${info.description ?? ''} ${origin}` } };
  return servedJson(flavoured(described, flavour));
}

function releaseOf({ kind, version }: Catalog['meta']): string {
  return `${serverKinds[kind].title} ${version}`;
}

/**
 * `/asyncapi.json` and `openapi/asyncapi.json`: the gateway's event streams and WebSockets with the events of a catalog.
 * @param version of the gateway
 */
export function asyncApiDocumentText({ meta, model }: Catalog, version: string, gateway: GatewayChannels): string {
  const summary = ({ name }: { readonly name: string }) => eventSummary(meta.kind, name);
  const document = asyncApiDocument(model, { version, gateway, summary });
  const base = linkTo('');
  if (base === '') return json(document);
  const servers = Object.entries(document.servers).map(([name, server]) => [name, { ...server, pathname: base }]);
  return json({ ...document, servers: Object.fromEntries(servers) as object });
}

/** The commands of a catalog, as some VM of that release offers them. */
export function catalogDocumentText({ meta, model }: Catalog, flavour: DocumentFlavour): string {
  const title = `QMP commands of ${meta.name} ${meta.version}`;
  const document = catalogDocument(model, {
    describe: describer(meta),
    problems: problemRows,
    below: serverKinds[meta.kind].path,
    title,
    version: meta.version,
  });
  return servedJson(flavoured(document, flavour));
}

function describer({ kind, version }: Catalog['meta']): Describe {
  return (command) => describeCommand(kind, version, command);
}

/** With the addresses that clients of this gateway have; a committed one has those of any gateway. */
function servedJson(document: OpenApiDocument): string {
  const servers = (document.servers ?? []).map((server) => ({
    ...server,
    url: linkTo(server.url).replace(/(.)\/$/, '$1'),
  }));
  return json({ ...document, servers });
}

/** The one form of published documents, so that the served and the committed ones are the same bytes. */
function json(document: unknown): string {
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
