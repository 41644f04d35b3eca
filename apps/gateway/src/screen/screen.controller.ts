import { Controller, Get, Inject, Res, UseGuards } from '@nestjs/common';
import { headerReferences, severalCommandsHeaders } from '@qmp-gateway/qapi-openapi';
import type { ServerResponse } from 'node:http';
import { CheckedCommandPath } from '../commands/command-path.js';
import { callerOf, RequestCommands } from '../commands/request-commands.js';
import { RequestForVm, type VmRequest } from '../commands/vm-request.js';
import { writeResource } from '../http/answer.js';
import { ReplyRoom } from '../http/reply-room.js';
import { anything } from '../http/resource/field-type.js';
import { QueryOf, Resource, Tag } from '../http/resource/resource.js';
import { VmDirectory } from '../vms/vm-directory.js';
import { ScreenQuery } from './screen-query.js';
import { screenRuling, Screenshots } from './screenshots.js';

const firstContactMs = 10_000;

/** `/v1/vms/{vm}/screen.png`: what the VM shows, now. A browser's `<img>` gets it with the session cookie. */
@Tag('console', 'Screen and keyboard of a VM')
@Controller('v1/vms/:vm/screen.png')
@UseGuards(ReplyRoom)
export class ScreenController {
  constructor(
    @Inject(VmDirectory) private readonly directory: VmDirectory,
    @Inject(CheckedCommandPath) private readonly path: CheckedCommandPath,
    @Inject(Screenshots) private readonly screenshots: Screenshots,
  ) {}

  @Get()
  @Resource({
    id: 'getScreen',
    summary: 'What a VM shows, as PNG',
    needs: 'level `read`',
    cookie: true,
    answers: {
      200: {
        what: 'The picture',
        headers: headerReferences(severalCommandsHeaders),
        content: { 'image/png': anything() },
      },
    },
    problems: ['no-display'],
  })
  async get(
    @RequestForVm() { caller, vm, controls }: VmRequest,
    @QueryOf(ScreenQuery) query: ScreenQuery,
    @Res() response: ServerResponse,
  ): Promise<void> {
    const display = query.display();
    // Whether it can make PNG stands in its schema.
    if (vm.schema === undefined && vm.arriving) await this.directory.untilReady(vm, firstContactMs, response.req);
    const { arrivedAt } = caller;
    const commands = new RequestCommands(this.path, { ...callerOf(caller, vm.id), arrivedAt, ...controls });
    const endsAt = arrivedAt + (controls.timeoutMs ?? Infinity);
    const wish = { command: 'screendump', arguments: { kind: 'json', json: '{}' }, ruling: screenRuling } as const;
    const request = { ...callerOf(caller, vm.id), ...wish, entrance: 'resource', arrivedAt } as const;
    const refusal = () => this.path.refusalOf(request)?.problem;
    const { png, trace } = await this.screenshots.take(commands, vm, display, { endsAt, refusal });
    writeResource(response, caller, trace, { type: 'image/png', bytes: png });
  }
}
