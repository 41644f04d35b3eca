import type { ExecRequest } from '@qmp-gateway/client';
import { buffer } from 'node:stream/consumers';
import type { CommandContext } from '../command-context.js';
import type { ConnectionFlags } from '../connection.js';
import { CliFault, exitStatus, usageFault } from '../exit-status.js';
import { problemText } from '../failure.js';

export interface GuestProgramFlags extends ConnectionFlags {
  readonly env?: readonly string[];
  readonly stdin?: boolean;
  readonly timeout?: string;
}

/** As shells tell the end by a signal. */
const signalBase = 128;

/**
 * `agent exec`: runs a program in the guest; its output and its status become those of this process.
 * @returns the status of the program: 128 and the signal, where one ended it
 */
export async function runGuestProgram(
  context: CommandContext,
  id: string,
  words: readonly string[],
  flags: GuestProgramFlags,
): Promise<number> {
  const [path, ...arg] = words;
  if (path === undefined)
    throw usageFault('no program is named', `${context.program} agent exec VM -- PROGRAM ARGUMENTS`);
  const input = flags.stdin === true ? (await buffer(context.stdin)).toString('base64') : undefined;
  const program: ExecRequest = {
    path,
    arg,
    ...(flags.env === undefined ? {} : { env: flags.env }),
    ...(input === undefined ? {} : { inputBase64: input }),
    ...(flags.timeout === undefined ? {} : { timeout: flags.timeout }),
  };
  const client = await context.connect(flags);
  const signal = context.interruption;
  const { output } = context;
  let pid: number | undefined;
  try {
    for await (const line of client.vm(id).agent.exec(program, { signal })) {
      if (line.type === 'started') ({ pid } = line);
      if (line.type === 'output') {
        const bytes = 'text' in line ? line.text : Buffer.from(line.base64, 'base64');
        if (line.stream === 'stdout') output.write(bytes);
        else output.writeError(bytes);
      }
      if (line.type === 'problem')
        throw new CliFault(
          exitStatus.unknown,
          `${problemText(line.problem)}; the program has the number ${line.pid} in the guest`,
        );
      if (line.type === 'exited') {
        if (line.stdoutTruncated || line.stderrTruncated)
          output.note(`${context.program}: the agent kept only a part of the output`);
        return line.exitCode ?? signalBase + (line.signal ?? 0);
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  const number = pid === undefined ? '' : `, number ${pid}`;
  throw new CliFault(
    exitStatus.unknown,
    `${id}: no longer waiting; the program goes on in the guest${number}`,
    `look: ${context.program} agent run ${id} guest-exec-status pid=${pid ?? 'PID'}`,
  );
}
