import { Body, Controller, Get, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { sendJson } from '../listeners/answer.js';
import { readDto } from '../listeners/dto-body.js';
import { onlyParameters } from '../listeners/query-parameters.js';
import type { GatewayRequest } from '../listeners/request-context.js';
import { Problem } from '../problems/problem.js';
import { AccessExplainer, type CommandQuestion } from './access-explainer.js';
import { AccessRequest } from './access-request.js';

/** `/v1/access`: what the caller may do and, of one command on one VM, why. */
@Controller('v1/access')
export class AccessController {
  constructor(@Inject(AccessExplainer) private readonly explainer: AccessExplainer) {}

  /** Of a command before its arguments are known. */
  @Get()
  explain(@Req() request: GatewayRequest, @Res() response: ServerResponse): void {
    const { principal, query } = request.gateway;
    const asked = readQuestion(query);
    const outlook = asked === undefined ? {} : this.explainer.outlook(principal, asked);
    sendJson(response, 200, JSON.stringify({ ...this.explainer.grantOf(principal), ...outlook }));
  }

  /** Of a command with its arguments. Nothing is sent. */
  @Post()
  @HttpCode(200)
  decide(@Req() request: GatewayRequest, @Res() response: ServerResponse, @Body() body: unknown): void {
    const { principal, query } = request.gateway;
    onlyParameters(query, []);
    const asked = readDto(AccessRequest, body);
    const decision = this.explainer.decide(principal, asked, asked.arguments);
    sendJson(response, 200, JSON.stringify({ ...this.explainer.grantOf(principal), ...decision }));
  }
}

/** @throws Problem `invalid-request` */
function readQuestion(text: string): CommandQuestion | undefined {
  const query = onlyParameters(text, ['vm', 'command', 'agent']);
  const vm = query.get('vm');
  const command = query.get('command');
  const agent = query.get('agent');
  if (vm === null && command === null && agent === null) return undefined;
  if (vm === null || command === null)
    throw new Problem('invalid-request', 'vm and command go together.', {
      errors: [{ pointer: vm === null ? '/vm' : '/command', message: 'missing' }],
    });
  if (agent !== null && agent !== 'true' && agent !== 'false')
    throw new Problem('invalid-request', 'agent must be true or false.', {
      errors: [{ pointer: '/agent', message: 'must be true or false' }],
    });
  return { vm, command, agent: agent === 'true' };
}
