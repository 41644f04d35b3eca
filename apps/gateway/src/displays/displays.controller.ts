import { Controller, Get, Inject, Param, Post, Res, UseGuards } from '@nestjs/common';
import { answerHeaders, headerReferences, severalCommandsHeaders } from '@qmp-gateway/qapi-openapi';
import type { ServerResponse } from 'node:http';
import { CheckedCommandPath } from '../commands/command-path.js';
import { callerOf, RequestCommands } from '../commands/request-commands.js';
import { RequestForVm, type VmRequest } from '../commands/vm-request.js';
import { writeValue } from '../http/answer.js';
import { ReplyRoom } from '../http/reply-room.js';
import { json, QueryOf, Resource, Tag } from '../http/resource/resource.js';
import { shape } from '../http/resource/shape.js';
import { upgradeRequired } from '../upgrades/upgrade-required.js';
import { KnownVm } from '../vms/vm-of-path.js';
import { displayId, DisplayListShape, DisplayShape, RfbQuery } from './display-shapes.js';
import { Displays } from './displays.js';

/** `/v1/vms/{vm}/displays`: what others than QEMU's own windows can show and use. */
@Tag('console', 'Screen and keyboard of a VM')
@Controller('v1/vms/:vm/displays')
export class DisplaysController {
  constructor(
    @Inject(CheckedCommandPath) private readonly path: CheckedCommandPath,
    @Inject(Displays) private readonly displays: Displays,
  ) {}

  @Get()
  @UseGuards(ReplyRoom)
  @Resource({
    id: 'listDisplays',
    summary: 'The VNC displays of a VM (`query-vnc-servers`)',
    needs: 'level `read`',
    commandsWithoutArguments: true,
    answers: {
      200: json(
        'Of a VM without any, an empty list and why',
        shape(() => DisplayListShape),
        {
          headers: headerReferences(severalCommandsHeaders),
        },
      ),
    },
  })
  async list(@RequestForVm() request: VmRequest, @Res() response: ServerResponse): Promise<void> {
    const { caller, vm } = request;
    const { list, trace } = await this.displays.list(this.#commands(request), vm);
    writeValue(response, JSON.stringify(list), caller, trace);
  }

  @Post(':display')
  @UseGuards(ReplyRoom)
  @Resource({
    id: 'openDisplay',
    summary: 'Open a display that has no address (`display-update`)',
    description:
      'Of a VM that was started with `-vnc none`: QEMU listens at a socket for the gateway alone from then on. A display that is available already is answered as it is.',
    needs: 'level `configure`',
    path: { display: displayId },
    answers: {
      200: json(
        'The display',
        shape(() => DisplayShape),
        { headers: headerReferences(Object.keys(answerHeaders)) },
      ),
    },
    problems: ['no-display', 'device-not-found', 'not-offered'],
  })
  async open(
    @RequestForVm() request: VmRequest,
    @Param('display') id: string,
    @Res() response: ServerResponse,
  ): Promise<void> {
    const { caller, vm } = request;
    const { display, trace } = await this.displays.open(this.#commands(request), vm, id);
    writeValue(response, JSON.stringify(display), caller, trace);
  }

  @Get(':display/rfb')
  @UseGuards(KnownVm)
  @Resource({
    id: 'openRfb',
    summary: 'A display over WebSocket: RFB in binary frames, as noVNC speaks it',
    needs: 'level `read` to look, `operate` to type',
    path: { display: displayId },
    upgrade: {
      subprotocol: 'binary',
      isByteStream: true,
      channel: {
        name: 'rfb',
        title: 'Display',
        description:
          'RFB 3.8 in binary frames, cut anywhere. Sub-protocol `binary`, or none. Messages that change the guest are dropped with `view=true` or below level `operate`. One client types; `take=true` takes over. Close codes: 1008 not allowed, or not RFB; 1011 a fault of the gateway; 1012 the VM or its display went away; 1013 too many displays, or clients of its display; 1014 the VM does not speak RFB; 4401 credentials; 4404 no such display; 4408 too slow; 4409 somebody else types; 4410 nothing typed for too long.',
        sends: [{ name: 'rfbServer', title: 'What the display sends' }],
        receives: [{ name: 'rfbClient', title: 'What the client sends' }],
      },
    },
    answers: { 101: { what: 'Sub-protocol `binary`, or none' } },
    problems: ['upgrade-required', 'vm-not-found'],
  })
  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- the upgrade reads it, and the documents show it
  rfb(@QueryOf(RfbQuery) query: RfbQuery): never {
    throw upgradeRequired();
  }

  #commands({ caller, vm, controls }: VmRequest): RequestCommands {
    const { arrivedAt } = caller;
    return new RequestCommands(this.path, { ...callerOf(caller, vm.id), arrivedAt, ...controls });
  }
}
