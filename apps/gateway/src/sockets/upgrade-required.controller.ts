import { Controller, Get } from '@nestjs/common';
import { Problem } from '../problems/problem.js';

/** A plain GET on a path that speaks WebSocket only. */
@Controller()
export class UpgradeRequiredController {
  @Get(['v1/ws', 'v1/vms/:vm/monitor'])
  refuse(): never {
    throw new Problem('upgrade-required', 'This path speaks WebSocket: ask for the upgrade.');
  }
}
