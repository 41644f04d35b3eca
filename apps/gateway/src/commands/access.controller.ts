import { Controller, Get, HttpCode, Inject, Post } from '@nestjs/common';
import type { AuthenticatedContext } from '../access/authenticated-request.js';
import { Caller } from '../access/caller.js';
import { JsonAnswer } from '../http/json-answer.js';
import { invalid } from '../http/resource/read-shape.js';
import { BodyOf, json, QueryOf, Resource, Tag } from '../http/resource/resource.js';
import { shape } from '../http/resource/shape.js';
import type { ProblemCode } from '../problems/catalogue.js';
import { AccessExplainer, type CommandQuestion } from './access-explainer.js';
import { CommandsElsewhereToken, type CommandsElsewhere } from './commands-elsewhere.js';
import { AccessQuestion, AccessRequest, AccessShape } from './access-shapes.js';

const accessType = shape(() => AccessShape);
const problems: readonly ProblemCode[] = ['vm-not-found', 'route-not-found', 'command-not-found', 'vm-unavailable'];

/** `/v1/access`: what the caller may do and, of one command on one VM, why. */
@Tag('access', 'Tokens and what they allow')
@Controller('v1/access')
export class AccessController {
  constructor(
    @Inject(AccessExplainer) private readonly explainer: AccessExplainer,
    @Inject(CommandsElsewhereToken) private readonly elsewhere: CommandsElsewhere | null,
  ) {}

  /** Of a command before its arguments are known. */
  @Get()
  @Resource({
    id: 'getAccess',
    summary: 'What the caller may do, and why',
    description: 'Of a command: whether it may be run whatever its arguments, with none, or with some only.',
    needs: 'level `read`',
    answers: { 200: json('Level and scope', accessType) },
    problems,
  })
  explain(
    @Caller() { principal }: AuthenticatedContext,
    @QueryOf(AccessQuestion) question: AccessQuestion,
  ): JsonAnswer {
    const asked = askedCommand(question);
    const outlook = asked === undefined ? {} : this.explainer.outlook(principal, asked);
    return JsonAnswer.of({ ...this.explainer.grantOf(principal), ...outlook } satisfies AccessShape);
  }

  /** Of a command with its arguments. Nothing is sent. */
  @Post()
  @HttpCode(200)
  @Resource({
    id: 'askAccess',
    summary: 'Whether the caller may run a command with these arguments, and why',
    description: 'Nothing is sent. Whether the arguments fit the command is not asked: a dry run tells that.',
    needs: 'level `read`',
    answers: { 200: json('Level and scope, and the decision', accessType) },
    problems,
  })
  async decide(
    @Caller() caller: AuthenticatedContext,
    @BodyOf(AccessRequest) asked: AccessRequest,
  ): Promise<JsonAnswer> {
    const { vm, command, agent = false } = asked;
    const told = await this.elsewhere?.askAccess(caller, vm, JSON.stringify(asked));
    if (told !== undefined) return new JsonAnswer(told.json, { headers: { 'QMP-Node': told.node } });
    const { principal } = caller;
    const decision = this.explainer.decide(principal, { vm, command, agent }, asked.arguments);
    return JsonAnswer.of({ ...this.explainer.grantOf(principal), ...decision } satisfies AccessShape);
  }
}

/** @throws Problem `invalid-request` */
function askedCommand({ vm, command, agent }: AccessQuestion): CommandQuestion | undefined {
  if (vm === undefined && command === undefined && agent === undefined) return undefined;
  if (vm === undefined || command === undefined) {
    const message = 'missing; vm and command go together';
    throw invalid('query', [{ pointer: vm === undefined ? '/vm' : '/command', message }]);
  }
  return { vm, command, agent: agent === true };
}
