import { Controller, Get, UseGuards } from '@nestjs/common';
import { Resource, Tag } from '../http/resource/resource.js';
import { upgradeRequired } from '../upgrades/upgrade-required.js';
import { KnownVm } from '../vms/vm-of-path.js';

/** A plain GET on a path that speaks WebSocket only; the upgrade itself never comes here. */
@Tag('events', 'Event streams and WebSockets')
@Controller('v1')
export class UpgradeRequiredController {
  @Get('ws')
  @Resource({
    id: 'openWebSocket',
    summary: 'JSON-RPC 2.0 over WebSocket (see asyncapi.json)',
    needs: 'level `read`',
    upgrade: { subprotocol: 'qmp-gateway.v1' },
    answers: { 101: { what: 'Sub-protocol `qmp-gateway.v1`' } },
    problems: ['upgrade-required'],
  })
  jsonRpc(): never {
    throw upgradeRequired();
  }

  @Get('vms/:vm/monitor')
  @UseGuards(KnownVm)
  @Resource({
    id: 'openMonitor',
    summary: 'The shared monitor: native QMP over WebSocket',
    needs: 'level `read`; each command needs its own',
    // Frames are one byte stream; a character may span two of them.
    upgrade: { subprotocol: 'qmp', isByteStream: true },
    answers: { 101: { what: 'Sub-protocol `qmp`, or none' } },
    problems: ['upgrade-required', 'vm-not-found'],
  })
  monitor(): never {
    throw upgradeRequired();
  }
}
