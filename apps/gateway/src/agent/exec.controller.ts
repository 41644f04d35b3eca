import { Controller, HttpCode, Inject, Param, Post, Req, Res, UseGuards } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { CheckedCommandPath, requireAgent } from '../commands/command-path.js';
import { ReplyRoom } from '../commands/reply-room.js';
import { readResourceControls } from '../commands/request-commands.js';
import { beginStream } from '../listeners/answer.js';
import { readDto } from '../listeners/dto-body.js';
import { onlyParameters } from '../listeners/query-parameters.js';
import type { AuthenticatedContext } from '../listeners/request-context.js';
import type { BodyRequest } from '../listeners/strict-json-body.js';
import { VmDirectory } from '../vms/vm-directory.js';
import { AgentCommands, requireAll } from './agent-commands.js';
import { AgentTasks } from './agent-tasks.js';
import { written } from './back-pressure.js';
import { execArguments, ExecRequest, execTimeoutMs } from './exec-request.js';
import { followProgram, pidOf, type ExecLine, type Pace } from './guest-program.js';

const pace: Pace = { now: () => performance.now(), sleep: (milliseconds) => sleep(milliseconds) };

/** `POST /v1/vms/{vm}/agent/exec`: a program in the guest, from its start to its end, as lines of JSON. */
@Controller('v1/vms/:vm/agent/exec')
@UseGuards(ReplyRoom)
export class ExecController {
  constructor(
    @Inject(VmDirectory) private readonly directory: VmDirectory,
    @Inject(CheckedCommandPath) private readonly path: CheckedCommandPath,
    @Inject(AgentTasks) private readonly tasks: AgentTasks,
  ) {}

  @Post()
  @HttpCode(200)
  async exec(@Req() request: BodyRequest, @Res() response: ServerResponse, @Param('vm') id: string): Promise<void> {
    const { gateway: context } = request;
    onlyParameters(context.query, []);
    requireAgent(this.directory.require(context.principal, id));
    const wanted = readDto(ExecRequest, request.body);
    const args = execArguments(wanted);
    const agent = new AgentCommands(this.path, context, id, readResourceControls(request.headers));
    await requireAll(this.path, context, id, ['guest-exec-status']);
    await this.tasks.run('programs', id, () => this.#follow(agent, args, execTimeoutMs(wanted), context, response));
  }

  async #follow(
    agent: AgentCommands,
    args: object,
    timeoutMs: number,
    context: AuthenticatedContext,
    response: ServerResponse,
  ): Promise<void> {
    const started = await agent.run('guest-exec', args, {});
    const pid = pidOf(started);
    beginStream(response, context, 'application/x-ndjson', started.trace);
    await send(response, { type: 'started', pid, operation: started.trace.operation });
    const listener = {
      gone: () => response.destroyed,
      holds: (bytes: number) => context.replies.count(response, bytes),
    };
    const lines = followProgram(agent.inSession(started.trace.epoch), pid, timeoutMs, listener, pace);
    for await (const line of lines) await send(response, line);
    response.end();
  }
}

function send(response: ServerResponse, line: ExecLine): Promise<void> {
  return written(response, `${JSON.stringify(line)}\n`);
}
