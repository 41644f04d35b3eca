import { Controller, Get, Inject, Param, Req, Res } from '@nestjs/common';
import { bundledCatalogs, loadBundledCatalog } from '@qmp-gateway/catalog';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { GatewayIdentity } from '../state/gateway-identity.js';
import { ResourceBook } from '../http/resource/resource-book.js';
import { publicAnswers, sendPublicDocument } from '../http/public-document.js';
import { KeptDocument, type TaggedDocument } from '../http/tagged-document.js';
import { Problem } from '../problems/problem.js';
import { asyncApiDocumentText, catalogDocumentText, gatewayDocumentText, newestCatalog } from './catalog-documents.js';
import { linkTo } from '../settings/links.js';
import { anyObject, list, text } from '../http/resource/field-type.js';
import { json, QueryOf, Resource, Tag } from '../http/resource/resource.js';
import { Required, shape } from '../http/resource/shape.js';
import { FlavourQuery } from './document-flavour.js';

class CatalogRow {
  @Required(text())
  name!: string;

  @Required(text())
  version!: string;

  @Required(text(), 'Kind of server')
  kind!: string;

  @Required(text(), 'Where its document is')
  url!: string;
}

class CatalogList {
  @Required(list(shape(() => CatalogRow)))
  catalogs!: readonly CatalogRow[];
}

const documentAnswers = publicAnswers(json('The document', anyObject()));

/**
 * The documents everyone may read: what the gateway offers, and what each release it knows offers. No VM's data is in
 * them. Each is made on first demand and kept; there are two for each bundled catalog
 * and for the gateway, and one of events.
 */
@Tag('service', 'The gateway itself')
@Controller()
export class DocumentsController {
  readonly #documents = new Map<string, Promise<TaggedDocument>>();

  constructor(
    @Inject(GatewayIdentity) private readonly identity: GatewayIdentity,
    @Inject(ResourceBook) private readonly book: ResourceBook,
  ) {}

  @Get('openapi.json')
  @Resource({ id: 'getOpenApi', summary: 'This document', answers: documentAnswers, problems: ['invalid-request'] })
  async openapi(
    @Req() request: IncomingMessage,
    @Res() response: ServerResponse,
    @QueryOf(FlavourQuery) { flavour }: FlavourQuery,
  ): Promise<void> {
    const own = { version: this.identity.version, resources: this.book.documents };
    const made = this.#document(`openapi ${flavour}`, () => gatewayDocumentText(own, flavour));
    await sendPublicDocument(request, response, await made);
  }

  @Get('asyncapi.json')
  @Resource({ id: 'getAsyncApi', summary: 'AsyncAPI 3 of events and WebSockets', answers: documentAnswers })
  async asyncapi(@Req() request: IncomingMessage, @Res() response: ServerResponse): Promise<void> {
    const { version } = this.identity;
    const made = this.#document('asyncapi', async () =>
      asyncApiDocumentText(await loadBundledCatalog(newestCatalog()), version, this.book.channels),
    );
    await sendPublicDocument(request, response, await made);
  }

  /** Which catalogs there are, for the selector of `/docs`. */
  @Get('docs/catalogs.json')
  @Resource({
    id: 'listCatalogs',
    summary: 'Releases whose commands this gateway knows',
    answers: publicAnswers(
      json(
        'The catalogs',
        shape(() => CatalogList),
      ),
    ),
  })
  catalogs(@Req() request: IncomingMessage, @Res() response: ServerResponse): Promise<void> {
    const catalogs = bundledCatalogs().map(({ file, name, version, kind }) => ({
      name,
      version,
      kind,
      url: linkTo(`/docs/catalogs/${file}`),
    }));
    return sendPublicDocument(request, response, jsonDocument(JSON.stringify({ catalogs } satisfies CatalogList)));
  }

  @Get('docs/catalogs/:file')
  @Resource({
    id: 'getCatalogOpenApi',
    summary: 'OpenAPI 3.1 of the commands of one release',
    path: { file: { type: text(), what: 'The last part of a `url` of `/docs/catalogs.json`' } },
    answers: documentAnswers,
    problems: ['route-not-found', 'invalid-request'],
  })
  async catalog(
    @Req() request: IncomingMessage,
    @Res() response: ServerResponse,
    @Param('file') file: string,
    @QueryOf(FlavourQuery) { flavour }: FlavourQuery,
  ): Promise<void> {
    if (!bundledCatalogs().some((catalog) => catalog.file === file))
      throw new Problem('route-not-found', 'No catalog has this name.');
    const made = this.#document(`catalog ${file} ${flavour}`, async () =>
      catalogDocumentText(await loadBundledCatalog({ file }), flavour),
    );
    await sendPublicDocument(request, response, await made);
  }

  #document(key: string, make: () => Promise<string>): Promise<TaggedDocument> {
    let document = this.#documents.get(key);
    if (document === undefined) {
      document = make().then(jsonDocument);
      this.#documents.set(key, document);
      // Reading a catalog may have failed for want of file descriptors: the next reader tries again.
      document.catch(() => this.#documents.delete(key));
    }
    return document;
  }
}

function jsonDocument(text: string): TaggedDocument {
  return new KeptDocument(Buffer.from(text), 'application/json');
}
