import { Body, Controller, Delete, Get, Headers, HttpCode, Inject, Param, Put, Query, Req, Res } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { Problem } from '../problems/problem.js';
import { sendJson } from '../listeners/answer.js';
import type { GatewayRequest } from '../listeners/request-context.js';
import { parseDuration } from '../settings/duration.js';
import { onlyParameters } from '../listeners/query-parameters.js';
import { VmAdministration } from './vm-administration.js';
import { VmDirectory } from './vm-directory.js';

const longestWaitMs = 120_000;

/** `/v1/vms`: which VMs there are and how they are, from memory alone: no VM can hold these answers up. */
@Controller('v1/vms')
export class VmsController {
  constructor(
    @Inject(VmDirectory) private readonly directory: VmDirectory,
    @Inject(VmAdministration) private readonly administration: VmAdministration,
  ) {}

  @Get()
  list(@Req() request: GatewayRequest, @Res() response: ServerResponse): void {
    const query = onlyParameters(request.gateway.query, ['vm', 'label']);
    sendJson(
      response,
      200,
      this.directory.renderList(request.gateway.principal, query.getAll('vm'), query.getAll('label')),
    );
  }

  @Get(':vm')
  async one(
    @Req() request: GatewayRequest,
    @Res() response: ServerResponse,
    @Param('vm') id: string,
    @Query('wait') wait: string | undefined,
  ): Promise<void> {
    onlyParameters(request.gateway.query, ['wait']);
    const { principal } = request.gateway;
    const vm = this.directory.require(principal, id);
    const waitMs = wait === undefined ? 0 : parseDuration(wait);
    if (waitMs === undefined || waitMs > longestWaitMs)
      throw new Problem('invalid-request', `wait: must be a duration of at most ${longestWaitMs / 1000} s.`);
    if (waitMs > 0) await this.directory.untilReady(vm, waitMs, request);
    // It may have been forgotten, or replaced, meanwhile.
    sendJson(response, 200, this.directory.render(principal, this.directory.require(principal, id)));
  }

  @Put(':vm')
  async put(
    @Req() request: GatewayRequest,
    @Res() response: ServerResponse,
    @Param('vm') id: string,
    @Body() body: unknown,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
  ): Promise<void> {
    const { gateway } = request;
    const { vm, created } = await this.administration.put(gateway.principal, gateway, id, body, ifNoneMatch);
    sendJson(response, created ? 201 : 200, this.directory.render(gateway.principal, vm));
  }

  @Delete(':vm')
  @HttpCode(204)
  async delete(@Req() request: GatewayRequest, @Param('vm') id: string): Promise<void> {
    await this.administration.delete(request.gateway.principal, request.gateway, id);
  }
}
