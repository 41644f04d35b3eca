import { Body, Controller, Inject, Param, Post, Req, Res, UseGuards } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { CheckedCommandPath } from '../commands/command-path.js';
import { ReplyRoom } from '../commands/reply-room.js';
import { callerOf, readResourceControls, RequestCommands } from '../commands/request-commands.js';
import { writeResource } from '../listeners/answer.js';
import { onlyParameters } from '../listeners/query-parameters.js';
import type { GatewayRequest } from '../listeners/request-context.js';
import { VmDirectory } from '../vms/vm-directory.js';
import { Keyboards } from './keyboards.js';
import { readKeys, usualTimeoutMs } from './keys-request.js';

/** `POST /v1/vms/{vm}/keys`: a keyboard for the guest. */
@Controller('v1/vms/:vm/keys')
@UseGuards(ReplyRoom)
export class KeysController {
  constructor(
    @Inject(VmDirectory) private readonly directory: VmDirectory,
    @Inject(CheckedCommandPath) private readonly path: CheckedCommandPath,
    @Inject(Keyboards) private readonly keyboards: Keyboards,
  ) {}

  @Post()
  async post(
    @Req() request: GatewayRequest,
    @Res() response: ServerResponse,
    @Param('vm') id: string,
    @Body() body: unknown,
  ): Promise<void> {
    const { gateway: context } = request;
    const vm = this.directory.require(context.principal, id);
    onlyParameters(context.query, []);
    const { timeoutMs = usualTimeoutMs, ...controls } = readResourceControls(request.headers);
    const typing = { asked: () => !response.destroyed, endsAt: performance.now() + timeoutMs };
    const keys = readKeys(body);
    const commands = new RequestCommands(this.path, { ...callerOf(context, vm.id), ...controls });
    const trace = await this.keyboards.type(commands, vm, keys, typing);
    writeResource(response, context, trace);
  }
}
