import { Controller, Delete, Inject, Param, UseGuards } from '@nestjs/common';
import { JsonAnswer } from '../http/json-answer.js';
import { ReplyRoom } from '../http/reply-room.js';
import { json, Resource, Tag } from '../http/resource/resource.js';
import { OperationDesk } from '../operations/operation-desk.js';
import { operationPath, operationType } from '../operations/operations.controller.js';
import { CheckedCommandPath } from './command-path.js';
import { callerOf, RequestCommands } from './request-commands.js';
import { RequestForVm, type VmRequest } from './vm-request.js';

/** Gives up what goes on at a VM. It takes a command to do so. */
@Tag('operations', 'What became of commands, and of the work that goes on after their reply')
@Controller('v1/vms/:vm/operations/:id')
export class CancellationController {
  constructor(
    @Inject(OperationDesk) private readonly desk: OperationDesk,
    @Inject(CheckedCommandPath) private readonly path: CheckedCommandPath,
  ) {}

  @Delete()
  @UseGuards(ReplyRoom)
  @Resource({
    id: 'cancelOperation',
    summary: 'Ask the VM to give up what goes on',
    description:
      'Runs `job-cancel`, `block-job-cancel` or `migrate_cancel` as a command of the caller; what QMP cannot cancel, or has ended, is answered 405.',
    needs: 'the level of the command that cancels',
    path: operationPath,
    answers: {
      200: json('The operation, which has ended', operationType),
      202: json('The operation, which is about to end', operationType),
    },
    problems: ['operation-not-found', 'method-not-allowed'],
  })
  async cancel(@RequestForVm() { caller, vm, controls }: VmRequest, @Param('id') id: string): Promise<JsonAnswer> {
    const commands = new RequestCommands(this.path, { ...callerOf(caller, vm.id), ...controls });
    const { json: text, over } = await this.desk.cancel(caller.principal, { vm: vm.id, id }, commands);
    return new JsonAnswer(text, { status: over ? 200 : 202, ofVms: true });
  }
}
