import { Controller, Get, Inject, Param, Req, Res, UseGuards } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { CheckedCommandPath } from '../commands/command-path.js';
import { requireReadable } from '../commands/readable-text.js';
import { ReplyRoom } from '../commands/reply-room.js';
import { callerOf, readResourceControls, RequestCommands } from '../commands/request-commands.js';
import { writeResource } from '../listeners/answer.js';
import { onlyParameters } from '../listeners/query-parameters.js';
import type { GatewayRequest } from '../listeners/request-context.js';
import { Problem } from '../problems/problem.js';
import { VmDirectory } from '../vms/vm-directory.js';
import { Screenshots, type Display } from './screenshots.js';

const longestDevice = 200;
const firstContactMs = 10_000;

/** `/v1/vms/{vm}/screen.png`: what the VM shows, now. A browser's `<img>` gets it with the session cookie. */
@Controller('v1/vms/:vm/screen.png')
@UseGuards(ReplyRoom)
export class ScreenController {
  constructor(
    @Inject(VmDirectory) private readonly directory: VmDirectory,
    @Inject(CheckedCommandPath) private readonly path: CheckedCommandPath,
    @Inject(Screenshots) private readonly screenshots: Screenshots,
  ) {}

  @Get()
  async get(@Req() request: GatewayRequest, @Res() response: ServerResponse, @Param('vm') id: string): Promise<void> {
    const { gateway: context } = request;
    const vm = this.directory.require(context.principal, id);
    const display = readDisplay(context.query);
    const controls = readResourceControls(request.headers);
    // Whether it can make PNG stands in its schema.
    if (vm.schema === undefined && vm.arriving) await this.directory.untilReady(vm, firstContactMs, request);
    const { arrivedAt } = context;
    const commands = new RequestCommands(this.path, { ...callerOf(context, vm.id), arrivedAt, ...controls });
    const endsAt = arrivedAt + (controls.timeoutMs ?? Infinity);
    const { png, trace } = await this.screenshots.take(commands, vm, display, endsAt);
    writeResource(response, context, trace, { type: 'image/png', bytes: png });
  }
}

function readDisplay(query: string): Display {
  const parameters = onlyParameters(query, ['device', 'head']);
  const device = parameters.get('device');
  const head = parameters.get('head');
  if (device === '' || (device !== null && device.length > longestDevice))
    throw new Problem('invalid-request', `device: must be the id of a display device.`);
  requireReadable('parameter "device"', device ?? '');
  if (head !== null && !/^\d{1,9}$/.test(head))
    throw new Problem('invalid-request', 'head: must be the number of a head, from 0.');
  return { ...(device === null ? {} : { device }), ...(head === null ? {} : { head: Number(head) }) };
}
