import { Controller, Get, Inject, Param, Res, UseGuards } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { apiHeaders } from '../http/answer.js';
import { JsonAnswer } from '../http/json-answer.js';
import { ReplyRoom } from '../http/reply-room.js';
import type { ReceivedRequest } from '../http/request-context.js';
import { text } from '../http/resource/field-type.js';
import { header, json, QueryOf, Resource, Tag } from '../http/resource/resource.js';
import { shape } from '../http/resource/shape.js';
import { upgradeRequired } from '../upgrades/upgrade-required.js';
import { KnownVm, VmOfPath } from '../vms/vm-of-path.js';
import type { Vm } from '../vms/vm.js';
import { serialNews, serialSubprotocol, serialWish } from './serial-channel.js';
import type { SerialLine } from './serial-line.js';
import { SerialLines } from './serial-lines.js';
import { positionText } from './serial-position.js';
import { SerialListShape, SerialStreamQuery, SerialTextQuery, type SerialShape } from './serial-shapes.js';
import type { VmSerials } from './vm-serials.js';

const serialId = { serial: { type: text(), what: 'Id of the serial line' } };

/** `/v1/vms/{vm}/serials`: the serial lines of a VM. */
@Tag('console', 'Screen and keyboard of a VM')
@Controller('v1/vms/:vm/serials')
export class SerialsController {
  constructor(@Inject(SerialLines) private readonly lines: SerialLines) {}

  @Get()
  @Resource({
    id: 'listSerials',
    summary: 'The serial lines of a VM',
    description: 'The VM is asked; when it does not answer within two seconds, this is what was known before.',
    needs: 'level `read`',
    answers: {
      200: json(
        'The lines',
        shape(() => SerialListShape),
      ),
    },
  })
  async list(@VmOfPath() vm: Vm): Promise<JsonAnswer> {
    const serials = this.lines.of(vm.id);
    await serials?.look();
    const answer: SerialListShape = {
      serials: [...(serials?.all() ?? [])].map((line) => shown(line, serials)),
      reason: serials?.reason ?? null,
    };
    return JsonAnswer.of(answer);
  }

  @Get(':serial')
  @UseGuards(ReplyRoom)
  @Resource({
    id: 'getSerial',
    summary: 'What is kept of the output of a serial line',
    description: 'Bytes as the guest sent them, control characters included. It is at most 256 KiB.',
    needs: 'level `read`',
    path: serialId,
    answers: {
      200: {
        what: 'The newest output',
        content: { 'text/plain': text() },
        headers: { 'Serial-Position': header('Position after the last byte, for `after` of the stream') },
      },
    },
    problems: ['device-not-found', 'vm-unavailable'],
  })
  async text(
    @VmOfPath() vm: Vm,
    @Param('serial') id: string,
    @QueryOf(SerialTextQuery) query: SerialTextQuery,
    @Res() response: ServerResponse,
  ): Promise<void> {
    const { line } = await this.lines.require(vm.id, id);
    const { output } = line;
    const bytes = output.read(Math.max(output.start, output.end - query.most()), Infinity);
    (response.req as ReceivedRequest).gateway.replies.count(response, bytes.length);
    response.writeHead(200, {
      ...apiHeaders,
      'Content-Type': 'text/plain; charset=utf-8',
      'Content-Length': bytes.length,
      'Serial-Position': positionText(line, output.end),
    });
    response.end(bytes);
  }

  @Get(':serial/stream')
  @UseGuards(KnownVm)
  @Resource({
    id: 'openSerial',
    summary: 'A serial line over WebSocket: first what is kept, then live',
    needs: 'level `read` to look, `operate` to type',
    path: serialId,
    upgrade: {
      subprotocol: serialSubprotocol,
      channel: {
        name: 'serial',
        title: 'Serial line',
        description:
          'Binary frames are bytes of the line, cut anywhere: first what is kept, then live. Text frames are control messages. The first who types is the typist; `{"take":true}` takes over. Close codes: 1001 the gateway stops; 1008 a text frame that is no control message; 1011 a fault of the gateway; 1012 the line or the VM went away; 1013 the line cannot be had now; 4401 credentials; 4404 no such line; 4408 too slow.',
        sends: [
          { name: 'serialOutput', title: 'What the guest said' },
          { name: 'serialNews', title: 'What the gateway says', payload: serialNews },
        ],
        receives: [
          { name: 'serialInput', title: 'What is typed' },
          { name: 'serialWish', title: 'What the client asks the gateway for', payload: serialWish },
        ],
      },
    },
    answers: { 101: { what: `Sub-protocol \`${serialSubprotocol}\`` } },
    problems: ['upgrade-required', 'vm-not-found'],
  })
  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- the upgrade reads it, and the documents show it
  stream(@QueryOf(SerialStreamQuery) query: SerialStreamQuery): never {
    throw upgradeRequired();
  }
}

function shown(line: SerialLine, serials: VmSerials | undefined): SerialShape {
  const { id, output, readers, typist, isAttached } = line;
  const { backEnd, device } = line.found;
  const reason = serials?.whyNot(line) ?? null;
  return {
    ...{ id, kind: backEnd.kind, qdev: device.path, device: device.type },
    ...{ available: reason === null, reason, attached: isAttached, kept: output.end - output.start },
    ...{ readers, typist: typist?.name ?? null },
  };
}
