import { Controller, Get, Headers, Inject, Param, Req, Res } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { requireAgent } from '../commands/command-path.js';
import { unavailable } from '../commands/unavailable.js';
import { sendJson } from '../listeners/answer.js';
import { onlyParameters } from '../listeners/query-parameters.js';
import type { GatewayRequest } from '../listeners/request-context.js';
import { SchemaDocuments } from '../schemas/schema-documents.js';
import { sendTagged } from '../schemas/schemas.controller.js';
import type { VmAgent } from '../vms/vm-agent.js';
import { VmDirectory } from '../vms/vm-directory.js';

/** What the guest agent of a VM is and offers, from memory: it is not asked. */
@Controller('v1/vms/:vm/agent')
export class AgentController {
  constructor(
    @Inject(VmDirectory) private readonly directory: VmDirectory,
    @Inject(SchemaDocuments) private readonly documents: SchemaDocuments,
  ) {}

  @Get()
  agent(@Req() request: GatewayRequest, @Res() response: ServerResponse, @Param('vm') id: string): void {
    sendJson(response, 200, this.#render(this.#agentOf(request, id)));
  }

  @Get('openapi.json')
  openapi(
    @Req() request: GatewayRequest,
    @Res() response: ServerResponse,
    @Param('vm') id: string,
    @Headers('if-none-match') known: string | undefined,
  ): void {
    const agent = this.#agentOf(request, id);
    if (agent.schema === undefined) throw unavailable(agent, request.gateway.principal, { vm: id });
    sendTagged(response, this.documents.openapi(agent.schema, id), known);
  }

  #agentOf(request: GatewayRequest, id: string): VmAgent {
    onlyParameters(request.gateway.query, []);
    return requireAgent(this.directory.require(request.gateway.principal, id));
  }

  #render({ state, since, epoch, schema }: VmAgent): string {
    const head = { state, since: new Date(since).toISOString(), epoch, version: schema?.origin.version ?? null };
    const offered =
      schema === undefined ? '{"schema":null,"commands":[],"types":{}}' : this.documents.schema(schema).text;
    return `${JSON.stringify(head).slice(0, -1)},${offered.slice(1)}`;
  }
}
