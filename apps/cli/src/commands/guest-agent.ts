import type { ServerModel } from '../arguments/schema-model.js';
import { argumentFault, givenArguments } from '../arguments/given-arguments.js';
import { typedArguments } from '../arguments/typed-arguments.js';
import type { CommandContext } from '../command-context.js';
import type { ConnectionFlags } from '../connection.js';
import { CliFault, exitStatus, type ExitStatus } from '../exit-status.js';
import { readFormat, writeOne, writeReturned } from '../output/formats.js';

/** `agent info`: how the agent of a guest is. */
export async function showAgent(
  context: CommandContext,
  id: string,
  flags: ConnectionFlags & { readonly output: string },
): Promise<ExitStatus> {
  const format = readFormat(flags.output);
  const client = await context.connect(flags);
  const agent = await client.vm(id).agent.get();
  const details = [
    ['state', agent.state, 'state'],
    ['version', agent.version ?? undefined],
    ['since', agent.since],
    ['epoch', agent.epoch ?? undefined],
    ['commands', agent.commands.map(({ name }) => name).join(' ') || undefined],
  ] as const;
  await writeOne(context.output, format, agent, { name: id, details });
  return exitStatus.done;
}

/** `agent run`: a command of the agent, its arguments by the agent's own model. */
export async function runAgentCommand(
  context: CommandContext,
  id: string,
  { command, words }: { readonly command: string; readonly words: readonly string[] },
  flags: ConnectionFlags & { readonly output: string; readonly json?: string; readonly timeout?: string },
): Promise<ExitStatus> {
  const format = readFormat(flags.output);
  const given = await givenArguments(context, words, flags.json);
  const client = await context.connect(flags);
  const { agent } = client.vm(id);
  const signal = context.interruption;
  const { timeout } = flags;
  let args: object | undefined;
  if ('json' in given) args = given.json;
  else if (given.pairs.length > 0) {
    const { commands, types } = await agent.get();
    const model: ServerModel = { commands, types };
    const known = commands.find(({ name }) => name === command);
    if (known === undefined)
      throw new CliFault(
        exitStatus.notSent,
        `${id}: the agent has no command ${command}`,
        `${context.program} agent info ${id}`,
      );
    const typed = typedArguments(model, known, given.pairs);
    context.failure.keys = typed.keys;
    if (typed.faults.length > 0) throw argumentFault(typed);
    args = typed.value;
  }
  await writeReturned(context.output, format, await agent.execute(command, args, { timeout, signal }));
  return exitStatus.done;
}
