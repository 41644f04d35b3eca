import { Controller, Delete, Get, Inject, Param, Req, Res, UseGuards } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { CheckedCommandPath } from '../commands/command-path.js';
import { ReplyRoom } from '../commands/reply-room.js';
import { callerOf, readResourceControls, RequestCommands } from '../commands/request-commands.js';
import { sendJson } from '../listeners/answer.js';
import { onlyParameters } from '../listeners/query-parameters.js';
import type { GatewayRequest } from '../listeners/request-context.js';
import { Problem } from '../problems/problem.js';
import { parseDuration } from '../settings/duration.js';
import { parseVmSelector } from '../vms/vm-selector.js';
import { OperationDesk } from './operation-desk.js';
import { longestWaitMs } from './preference.js';

const defaultLimit = 1000;
const highestLimit = 10_000;
const states = ['running', 'ready', 'done', 'failed', 'cancelled', 'lost'];

/** What became of commands, and of the work that goes on after their reply. */
@Controller('v1')
export class OperationsController {
  constructor(
    @Inject(OperationDesk) private readonly desk: OperationDesk,
    @Inject(CheckedCommandPath) private readonly path: CheckedCommandPath,
  ) {}

  @Get('operations')
  all(@Req() request: GatewayRequest, @Res() response: ServerResponse): void {
    const query = onlyParameters(request.gateway.query, ['vm', 'label', 'state', 'limit']);
    const { selector, faults: selectorFaults } = parseVmSelector(query.getAll('vm'), query.getAll('label'));
    const faults = [...selectorFaults];
    const state = query.get('state') ?? undefined;
    if (state !== undefined && !states.includes(state))
      faults.push({ pointer: '/state', message: `expected one of ${states.join(', ')}` });
    const limit = Number(query.get('limit') ?? defaultLimit);
    if (!Number.isInteger(limit) || limit < 1 || limit > highestLimit)
      faults.push({ pointer: '/limit', message: `expected a number from 1 to ${highestLimit}` });
    if (faults.length > 0)
      throw new Problem('invalid-request', 'The selection of operations cannot be read.', { errors: faults });
    send(request, response, 200, this.desk.ofAll(request.gateway.principal, selector, state, limit));
  }

  @Get('vms/:vm/operations')
  list(@Req() request: GatewayRequest, @Res() response: ServerResponse, @Param('vm') vm: string): void {
    onlyParameters(request.gateway.query, []);
    send(request, response, 200, this.desk.ofVm(request.gateway.principal, vm));
  }

  @Get('vms/:vm/operations/:operation')
  async one(
    @Req() request: GatewayRequest,
    @Res() response: ServerResponse,
    @Param('vm') vm: string,
    @Param('operation') id: string,
  ): Promise<void> {
    const wait = onlyParameters(request.gateway.query, ['wait']).get('wait');
    const waitMs = wait === null ? 0 : parseDuration(wait);
    if (waitMs === undefined || waitMs > longestWaitMs)
      throw new Problem('invalid-request', `wait: must be a duration of at most ${longestWaitMs / 60_000} minutes.`, {
        errors: [{ pointer: '/wait', message: `expected a duration of at most ${longestWaitMs / 60_000} minutes` }],
      });
    send(request, response, 200, await this.desk.one(request.gateway.principal, vm, id, waitMs, request));
  }

  @Delete('vms/:vm/operations/:operation')
  @UseGuards(ReplyRoom)
  async cancel(
    @Req() request: GatewayRequest,
    @Res() response: ServerResponse,
    @Param('vm') vm: string,
    @Param('operation') id: string,
  ): Promise<void> {
    onlyParameters(request.gateway.query, []);
    const { gateway: context } = request;
    const controls = readResourceControls(request.headers);
    const commands = new RequestCommands(this.path, { ...callerOf(context, vm), ...controls });
    const { json, over } = await this.desk.cancel(context.principal, commands, vm, id);
    send(request, response, over ? 200 : 202, json);
  }
}

/** What VMs returned and said may be large: it counts while a slow reader has not taken it. */
function send({ gateway }: GatewayRequest, response: ServerResponse, status: number, json: string): void {
  gateway.replies.count(response, Buffer.byteLength(json));
  sendJson(response, status, json);
}
