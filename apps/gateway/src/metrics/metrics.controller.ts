import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import type { AuthenticatedContext } from '../access/authenticated-request.js';
import { Caller } from '../access/caller.js';
import { apiHeaders } from '../http/answer.js';
import { text } from '../http/resource/field-type.js';
import { Resource, Tag } from '../http/resource/resource.js';
import { Problem } from '../problems/problem.js';
import { GatewayMetrics } from './gateway-metrics.js';

@Tag('service', 'The gateway itself')
@Controller('metrics')
export class MetricsController {
  constructor(@Inject(GatewayMetrics) private readonly metrics: GatewayMetrics) {}

  /** For principals that see all VMs: the labels name every VM there is. */
  @Get()
  @Resource({
    id: 'getMetrics',
    summary: 'Metrics for Prometheus',
    needs: 'level `read` on all VMs',
    answers: { 200: { what: 'Metrics', content: { 'text/plain': text() } } },
  })
  async scrape(@Caller() { principal }: AuthenticatedContext, @Res() response: ServerResponse): Promise<void> {
    if (!principal.seesAll)
      throw new Problem('forbidden', 'Metrics name every VM: they need credentials for all VMs (rule: vms).');
    const body = await this.metrics.render();
    response.writeHead(200, { ...apiHeaders, 'Content-Type': this.metrics.contentType });
    response.end(body);
  }
}
