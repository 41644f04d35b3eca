import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { sendJson } from '../listeners/answer.js';
import { onlyParameters } from '../listeners/query-parameters.js';
import type { GatewayRequest } from '../listeners/request-context.js';
import { Problem } from '../problems/problem.js';
import { AccessExplainer } from './access-explainer.js';

/** `GET /v1/access`: what the caller may do and, of one command on one VM, why. */
@Controller('v1/access')
export class AccessController {
  constructor(@Inject(AccessExplainer) private readonly explainer: AccessExplainer) {}

  @Get()
  explain(@Req() request: GatewayRequest, @Res() response: ServerResponse): void {
    const { principal } = request.gateway;
    const query = onlyParameters(request.gateway.query, ['vm', 'command']);
    const vm = query.get('vm');
    const command = query.get('command');
    if ((vm === null) !== (command === null))
      throw new Problem('invalid-request', 'vm and command go together.', {
        errors: [{ pointer: vm === null ? '/vm' : '/command', message: 'missing' }],
      });
    const grant = this.explainer.grantOf(principal);
    const decision = vm === null || command === null ? {} : this.explainer.explain(principal, vm, command);
    sendJson(response, 200, JSON.stringify({ ...grant, ...decision }));
  }
}
