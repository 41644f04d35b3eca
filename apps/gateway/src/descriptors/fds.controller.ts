import { Controller, Get, HttpCode, Inject, Post, Res, UseGuards } from '@nestjs/common';
import { answerHeaders, headerReferences, severalCommandsHeaders } from '@qmp-gateway/qapi-openapi';
import type { ServerResponse } from 'node:http';
import { CheckedCommandPath } from '../commands/command-path.js';
import { callerOf, RequestCommands } from '../commands/request-commands.js';
import { RequestForVm, type VmRequest } from '../commands/vm-request.js';
import { writeValue } from '../http/answer.js';
import { ReplyRoom } from '../http/reply-room.js';
import { BodyOf, json, Resource, Tag } from '../http/resource/resource.js';
import { shape } from '../http/resource/shape.js';
import { DescriptorPassing, type Passing } from './descriptor-passing.js';
import { FdListShape, FdRequest, PassedFdShape, requireConsistent } from './fd-shapes.js';

/** `/v1/vms/{vm}/fds`: open files of the host for a VM that may not open them itself. */
@Tag('fds', 'File descriptors of VMs')
@Controller('v1/vms/:vm/fds')
@UseGuards(ReplyRoom)
export class FdsController {
  constructor(
    @Inject(CheckedCommandPath) private readonly path: CheckedCommandPath,
    @Inject(DescriptorPassing) private readonly passing: DescriptorPassing,
  ) {}

  @Get()
  @Resource({
    id: 'listFds',
    summary: 'What a VM was given through this gateway, and whether it has it still (`query-fdsets`)',
    needs: 'level `read`',
    commandsWithoutArguments: true,
    answers: {
      200: json(
        'Of a server that has no sets, names alone',
        shape(() => FdListShape),
        { headers: headerReferences(severalCommandsHeaders) },
      ),
    },
  })
  async list(@RequestForVm() request: VmRequest, @Res() response: ServerResponse): Promise<void> {
    const { fds, trace } = await this.passing.list(this.#passing(request));
    writeValue(response, JSON.stringify({ fds }), request.caller, trace);
  }

  @Post()
  @HttpCode(200)
  @Resource({
    id: 'passFd',
    summary: 'Open a file or a tap interface of the host and pass it to a VM (`getfd`, `add-fd`)',
    description:
      'The gateway opens what the setting `hostPaths` allows, and passes the descriptor over its own session with the VM. A command that uses it must be sent in the same session: later ones are refused.',
    needs: 'level `host`',
    answers: {
      200: json(
        'The VM has it',
        shape(() => PassedFdShape),
        { headers: headerReferences(Object.keys(answerHeaders)) },
      ),
    },
    problems: ['host-path-unusable', 'not-offered'],
  })
  async post(
    @RequestForVm() request: VmRequest,
    @BodyOf(FdRequest) body: FdRequest,
    @Res() response: ServerResponse,
  ): Promise<void> {
    requireConsistent(body);
    const { passed, trace } = await this.passing.pass(this.#passing(request), body);
    writeValue(response, JSON.stringify(passed), request.caller, trace);
  }

  #passing({ caller, vm, controls }: VmRequest): Passing {
    const { arrivedAt } = caller;
    const commands = new RequestCommands(this.path, { ...callerOf(caller, vm.id), arrivedAt, ...controls });
    return { caller, vm, commands };
  }
}
