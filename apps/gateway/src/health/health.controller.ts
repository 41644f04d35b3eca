import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { GatewayIdentity } from './gateway-identity.js';
import { sendJson } from '../listeners/answer.js';

/** What load balancers, supervisors and the curious ask first; no VM's data is in it. */
@Controller()
export class HealthController {
  constructor(@Inject(GatewayIdentity) private readonly identity: GatewayIdentity) {}

  @Get('v1')
  about(@Res() response: ServerResponse): void {
    const { name, version, run, capabilities } = this.identity;
    sendJson(response, 200, JSON.stringify({ name, version, run, capabilities }));
  }

  /** The process runs. */
  @Get('livez')
  live(@Res() response: ServerResponse): void {
    sendJson(response, 200, '{"status":"ok"}');
  }

  /** Listeners are up and settings loaded, whatever the VMs do; 503 while stopping is answered before any route. */
  @Get('readyz')
  ready(@Res() response: ServerResponse): void {
    sendJson(response, 200, '{"status":"ok"}');
  }
}
