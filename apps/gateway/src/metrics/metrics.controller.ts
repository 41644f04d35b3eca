import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { apiHeaders } from '../listeners/answer.js';
import type { GatewayRequest } from '../listeners/request-context.js';
import { Problem } from '../problems/problem.js';
import { GatewayMetrics } from './gateway-metrics.js';

@Controller('metrics')
export class MetricsController {
  constructor(@Inject(GatewayMetrics) private readonly metrics: GatewayMetrics) {}

  /** For principals that see all VMs: the labels name every VM there is. */
  @Get()
  async scrape(@Req() request: GatewayRequest, @Res() response: ServerResponse): Promise<void> {
    if (!request.gateway.principal.seesAll)
      throw new Problem('forbidden', 'Metrics name every VM: they need credentials for all VMs (rule: vms).');
    const text = await this.metrics.render();
    response.writeHead(200, { ...apiHeaders, 'Content-Type': this.metrics.contentType });
    response.end(text);
  }
}
