import { Controller, Get, Inject, Param, Req, Res } from '@nestjs/common';
import { bundledCatalogs, loadBundledCatalog, type Catalog } from '@qmp-gateway/catalog';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { GatewayIdentity } from '../health/gateway-identity.js';
import { Problem } from '../problems/problem.js';
import { asyncApiDocumentText, catalogDocumentText, gatewayDocumentText, newestCatalog } from './catalog-documents.js';
import { publicDocument, sendPublicDocument, type PublicDocument } from './public-document.js';

/**
 * The documents everyone may read: what the gateway offers, and what each release it knows offers. No VM's data is in
 * them. Each is made on first demand and kept; there are as many as bundled catalogs and two more.
 */
@Controller()
export class DocumentsController {
  readonly #documents = new Map<string, Promise<PublicDocument>>();

  constructor(@Inject(GatewayIdentity) private readonly identity: GatewayIdentity) {}

  @Get('openapi.json')
  openapi(@Req() request: IncomingMessage, @Res() response: ServerResponse): Promise<void> {
    const make = async (newest: Catalog) => {
      const agent = await loadBundledCatalog(newestCatalog('guest-agent'));
      return gatewayDocumentText(newest, agent, this.identity.version);
    };
    return this.#answer(request, response, 'openapi', newestCatalog().file, make);
  }

  @Get('asyncapi.json')
  asyncapi(@Req() request: IncomingMessage, @Res() response: ServerResponse): Promise<void> {
    const make = (newest: Catalog) => asyncApiDocumentText(newest, this.identity.version);
    return this.#answer(request, response, 'asyncapi', newestCatalog().file, make);
  }

  /** Which catalogs there are, for the selector of `/docs`. */
  @Get('docs/catalogs.json')
  catalogs(@Req() request: IncomingMessage, @Res() response: ServerResponse): void {
    const catalogs = bundledCatalogs().map(({ file, name, version, kind }) => ({
      name,
      version,
      kind,
      url: `/docs/catalogs/${file}`,
    }));
    sendPublicDocument(request, response, jsonDocument(JSON.stringify({ catalogs })));
  }

  @Get('docs/catalogs/:file')
  catalog(
    @Req() request: IncomingMessage,
    @Res() response: ServerResponse,
    @Param('file') file: string,
  ): Promise<void> {
    if (!bundledCatalogs().some((catalog) => catalog.file === file))
      throw new Problem('route-not-found', 'There is no catalog of this name.');
    return this.#answer(request, response, 'catalog', file, catalogDocumentText);
  }

  async #answer(
    request: IncomingMessage,
    response: ServerResponse,
    kind: string,
    catalogFile: string,
    make: (catalog: Catalog) => string | Promise<string>,
  ): Promise<void> {
    const key = `${kind} ${catalogFile}`;
    let document = this.#documents.get(key);
    if (document === undefined) {
      document = loadBundledCatalog({ file: catalogFile }).then(async (catalog) => jsonDocument(await make(catalog)));
      this.#documents.set(key, document);
      // Reading the catalog may have failed for want of file descriptors: the next reader tries again.
      document.catch(() => this.#documents.delete(key));
    }
    sendPublicDocument(request, response, await document);
  }
}

function jsonDocument(text: string): PublicDocument {
  return publicDocument(Buffer.from(text), 'application/json');
}
