import { Controller, Get, Headers, Inject, Param, Req, Res } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { unavailable } from '../commands/unavailable.js';
import { apiHeaders, sendJson } from '../listeners/answer.js';
import { onlyParameters } from '../listeners/query-parameters.js';
import type { GatewayRequest } from '../listeners/request-context.js';
import { VmDirectory } from '../vms/vm-directory.js';
import { SchemaDocuments, type TaggedDocument } from './schema-documents.js';
import type { VmSchema } from './vm-schema.js';

/** What one VM offers, as lists and as OpenAPI. */
@Controller('v1/vms/:vm')
export class SchemasController {
  constructor(
    @Inject(VmDirectory) private readonly directory: VmDirectory,
    @Inject(SchemaDocuments) private readonly documents: SchemaDocuments,
  ) {}

  @Get('schema')
  schema(
    @Req() request: GatewayRequest,
    @Res() response: ServerResponse,
    @Param('vm') id: string,
    @Headers('if-none-match') known: string | undefined,
  ): void {
    sendTagged(response, this.documents.schema(this.#schemaOf(request, id)), known);
  }

  @Get('openapi.json')
  openapi(
    @Req() request: GatewayRequest,
    @Res() response: ServerResponse,
    @Param('vm') id: string,
    @Headers('if-none-match') known: string | undefined,
  ): void {
    sendTagged(response, this.documents.openapi(this.#schemaOf(request, id), id), known);
  }

  #schemaOf(request: GatewayRequest, id: string): VmSchema {
    onlyParameters(request.gateway.query, []);
    const vm = this.directory.require(request.gateway.principal, id);
    // It was not connected yet, so nothing is known of it.
    if (vm.schema === undefined) throw unavailable(vm, request.gateway.principal, { vm: id });
    return vm.schema;
  }
}

/** Answers with a document, or 304 when the client has it. */
export function sendTagged(response: ServerResponse, { text, etag }: TaggedDocument, known: string | undefined): void {
  response.setHeader('ETag', etag);
  if (known?.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag) === true) {
    response.writeHead(304, apiHeaders).end();
    return;
  }
  sendJson(response, 200, text);
}
