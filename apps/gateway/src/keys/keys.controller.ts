import { Controller, Inject, Post, Res, UseGuards } from '@nestjs/common';
import { answerHeaders, headerReferences } from '@qmp-gateway/qapi-openapi';
import type { ServerResponse } from 'node:http';
import { CheckedCommandPath } from '../commands/command-path.js';
import { callerOf, RequestCommands } from '../commands/request-commands.js';
import { RequestForVm, type VmRequest } from '../commands/vm-request.js';
import { writeResource } from '../http/answer.js';
import { ReplyRoom } from '../http/reply-room.js';
import { BodyOf, Resource, Tag } from '../http/resource/resource.js';
import { Keyboards } from './keyboards.js';
import { KeysRequest, readKeys, usualTimeoutMs } from './keys-request.js';

/** `POST /v1/vms/{vm}/keys`: a keyboard for the guest. */
@Tag('console', 'Screen and keyboard of a VM')
@Controller('v1/vms/:vm/keys')
@UseGuards(ReplyRoom)
export class KeysController {
  constructor(
    @Inject(CheckedCommandPath) private readonly path: CheckedCommandPath,
    @Inject(Keyboards) private readonly keyboards: Keyboards,
  ) {}

  @Post()
  @Resource({
    id: 'sendKeys',
    summary: 'Type a text or press keys (`send-key`)',
    description:
      'Answers when the last key was let go. One request types at a time on a VM, the next waits. All is typed within a minute, or within `Request-Timeout`; a problem says how much was typed before it.',
    needs: 'level `operate`',
    answers: { 204: { what: 'Typed', headers: headerReferences(Object.keys(answerHeaders)) } },
    problems: ['vm-not-running'],
  })
  async post(
    @RequestForVm() { caller, vm, controls: { timeoutMs = usualTimeoutMs, ...controls } }: VmRequest,
    @BodyOf(KeysRequest) body: KeysRequest,
    @Res() response: ServerResponse,
  ): Promise<void> {
    const typing = { keys: readKeys(body), asked: () => !response.destroyed, timeoutMs };
    const commands = new RequestCommands(this.path, { ...callerOf(caller, vm.id), ...controls });
    const trace = await this.keyboards.type(commands, vm, typing);
    writeResource(response, caller, trace);
  }
}
