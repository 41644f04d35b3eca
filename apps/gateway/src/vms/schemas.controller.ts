import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AuthenticatedContext } from '../access/authenticated-request.js';
import { Caller } from '../access/caller.js';
import { apiHeaders } from '../http/answer.js';
import { anyObject } from '../http/resource/field-type.js';
import { json, QueryOf, Resource, Tag } from '../http/resource/resource.js';
import { shape } from '../http/resource/shape.js';
import { publicAnswers } from '../http/public-document.js';
import { sendTagged } from '../http/tagged-document.js';
import { FlavourQuery } from '../schemas/document-flavour.js';
import { SchemaDocuments } from '../schemas/schema-documents.js';
import type { VmSchema } from '../schemas/vm-schema.js';
import { unavailable } from './unavailable.js';
import { VmOfPath } from './vm-of-path.js';
import { VmSchemaShape } from './vm-shapes.js';
import type { Vm } from './vm.js';

/** What one VM offers, as lists and as OpenAPI. */
@Tag('vms', 'Which VMs there are')
@Controller('v1/vms/:vm')
export class SchemasController {
  constructor(@Inject(SchemaDocuments) private readonly documents: SchemaDocuments) {}

  @Get('schema')
  @Resource({
    id: 'getVmSchema',
    summary: 'Commands, events and types of this VM',
    needs: 'level `read`',
    answers: publicAnswers(
      json(
        'The schema',
        shape(() => VmSchemaShape),
      ),
    ),
    problems: ['vm-unavailable'],
  })
  schema(
    @Caller() caller: AuthenticatedContext,
    @VmOfPath() vm: Vm,
    @Req() request: IncomingMessage,
    @Res() response: ServerResponse,
  ): Promise<void> {
    return sendTagged(request, response, this.documents.schema(schemaOf(vm, caller)), apiHeaders);
  }

  @Get('openapi.json')
  @Resource({
    id: 'getVmOpenApi',
    summary: 'OpenAPI of exactly this VM',
    needs: 'level `read`',
    answers: publicAnswers(json('The document', anyObject())),
    problems: ['vm-unavailable'],
  })
  openapi(
    @Caller() caller: AuthenticatedContext,
    @VmOfPath() vm: Vm,
    @QueryOf(FlavourQuery) { flavour }: FlavourQuery,
    @Res() response: ServerResponse,
  ): Promise<void> {
    return sendTagged(response.req, response, this.documents.openapi(schemaOf(vm, caller), vm.id, flavour), apiHeaders);
  }
}

/** @throws Problem `vm-unavailable` while nothing is known of it: it was not connected yet */
function schemaOf(vm: Vm, { principal }: AuthenticatedContext): VmSchema {
  if (vm.schema === undefined) throw unavailable(vm, principal, { vm: vm.id });
  return vm.schema;
}
