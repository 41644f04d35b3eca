import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { sendJson } from '../listeners/answer.js';
import { readDto } from '../listeners/dto-body.js';
import { onlyParameters } from '../listeners/query-parameters.js';
import type { GatewayRequest } from '../listeners/request-context.js';
import { TokenAdministration } from './token-administration.js';
import { TokenRequest } from './token-request.js';

/** `/v1/tokens`: credentials of this gateway's own. */
@Controller('v1/tokens')
export class TokensController {
  constructor(@Inject(TokenAdministration) private readonly tokens: TokenAdministration) {}

  @Get()
  list(@Req() request: GatewayRequest, @Res() response: ServerResponse): void {
    onlyParameters(request.gateway.query, []);
    sendJson(response, 200, JSON.stringify({ tokens: this.tokens.list(request.gateway.principal) }));
  }

  @Post()
  create(@Req() request: GatewayRequest, @Res() response: ServerResponse, @Body() body: unknown): void {
    onlyParameters(request.gateway.query, []);
    const { gateway } = request;
    const made = this.tokens.create(gateway.principal, gateway, readDto(TokenRequest, body));
    const { id, token, name, level, vms, commands, endpoints, expires } = made;
    sendJson(response, 201, JSON.stringify({ id, token, name, level, vms, commands, endpoints, expires }));
  }

  @Delete(':id')
  @HttpCode(204)
  revoke(@Req() request: GatewayRequest, @Param('id') id: string): void {
    onlyParameters(request.gateway.query, []);
    this.tokens.revoke(request.gateway.principal, request.gateway, id);
  }
}
