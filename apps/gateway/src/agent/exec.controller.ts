import { Controller, HttpCode, Inject, Post, Res, UseGuards } from '@nestjs/common';
import { answerHeaders, headerReferences } from '@qmp-gateway/qapi-openapi';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AuthenticatedContext } from '../access/authenticated-request.js';
import { CheckedCommandPath } from '../commands/command-path.js';
import { beginStream } from '../http/answer.js';
import { ReplyRoom } from '../http/reply-room.js';
import { BodyOf, Resource } from '../http/resource/resource.js';
import { AgentCommands, requireAll } from './agent-commands.js';
import { execLineType, type ExecLine } from './agent-shapes.js';
import { AgentTag } from './agent-tag.js';
import { AgentTasks } from './agent-tasks.js';
import { written } from './back-pressure.js';
import { execArguments, ExecRequest, execTimeoutMs } from './exec-request.js';
import { followProgram, pidOf, type PollingPace } from './guest-program.js';
import { RequestForAgent, type AgentRequest } from './request-for-agent.js';

const pace: PollingPace = { now: () => performance.now(), sleep: (milliseconds) => sleep(milliseconds) };

/** `POST /v1/vms/{vm}/agent/exec`: a program in the guest, from its start to its end, as lines of JSON. */
@AgentTag
@Controller('v1/vms/:vm/agent/exec')
@UseGuards(ReplyRoom)
export class ExecController {
  constructor(
    @Inject(CheckedCommandPath) private readonly path: CheckedCommandPath,
    @Inject(AgentTasks) private readonly tasks: AgentTasks,
  ) {}

  @Post()
  @HttpCode(200)
  @Resource({
    id: 'execInGuest',
    summary: 'Run a program in the guest and follow it to its end',
    description:
      'Lines: `started`, `running` every few seconds, `output`, and last `exited` or `problem`, without which the answer was cut. The agent keeps the output until the program has ended, 16 MiB of each stream at most, so `output` comes at the end.',
    needs: 'level `host`',
    answers: {
      200: {
        what: 'The program was started; how it ended stands in the last line',
        headers: headerReferences(Object.keys(answerHeaders)),
        content: { 'application/x-ndjson': execLineType },
      },
    },
  })
  async exec(
    @RequestForAgent() { caller, agent, controls }: AgentRequest,
    @BodyOf(ExecRequest) wanted: ExecRequest,
    @Res() response: ServerResponse,
  ): Promise<void> {
    const commands = new AgentCommands(this.path, { context: caller, vm: agent.id, controls });
    await requireAll(this.path, caller, agent.id, ['guest-exec-status']);
    await this.tasks.run('programs', agent.id, () => this.#follow(commands, wanted, caller, response));
  }

  async #follow(
    commands: AgentCommands,
    wanted: ExecRequest,
    caller: AuthenticatedContext,
    response: ServerResponse,
  ): Promise<void> {
    const started = await commands.run('guest-exec', execArguments(wanted), {});
    const pid = pidOf(started);
    beginStream(response, caller, started.trace, { type: 'application/x-ndjson' });
    await send(response, { type: 'started', pid, operation: started.trace.operation });
    const listener = {
      gone: () => response.destroyed,
      holds: (bytes: number) => caller.replies.count(response, bytes),
    };
    const inSession = commands.inSession(started.trace.epoch);
    const lines = followProgram(inSession, { pid, timeoutMs: execTimeoutMs(wanted) }, listener, pace);
    for await (const line of lines) await send(response, line);
    response.end();
  }
}

function send(response: ServerResponse, line: ExecLine): Promise<void> {
  return written(response, `${JSON.stringify(line)}\n`);
}
