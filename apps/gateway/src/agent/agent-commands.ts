import { parsedJson } from '@qmp-gateway/qmp';
import { setTimeout as pause } from 'node:timers/promises';
import type { CheckedCommandPath, RefusedCommand } from '../commands/command-path.js';
import type { CommandAnswer, CommandPath, CommandRequest, CommandTrace } from '../commands/command-request.js';
import type { Controls } from '../commands/controls.js';
import { callerOf, RequestCommands, type CommandCaller, type CommandManner } from '../commands/request-commands.js';
import type { AuthenticatedContext } from '../listeners/request-context.js';
import { Problem } from '../problems/problem.js';

/** How one of the commands of a task is run. */
export interface GuestManner extends Pick<CommandManner, 'part' | 'timeoutMs'> {
  /** Told the reply that comes after the deadline was told. */
  readonly late?: ((reply: GuestReply) => void) | undefined;
}

/** What a task of several commands asks of a guest agent. */
export interface GuestCommands {
  /**
   * @returns the return value, read; what is in it was made by the guest
   * @throws Problem when it did not end well
   */
  run(command: string, args: object, manner?: GuestManner): Promise<GuestReply>;

  /**
   * Runs a command that puts away what is left in the guest. It has no caller any more: of an agent that cannot be asked
   * now it is asked again later. Resolves when it was tried, however that ended, and never rejects.
   */
  cleanUp(command: string, args: object): Promise<void>;

  /** The same for the rest of a task: numbers that an agent gave mean something else in another session. */
  inSession(epoch: string | undefined): GuestCommands;
}

export interface GuestReply {
  readonly value: Readonly<Record<string, unknown>>;
  readonly trace: CommandTrace;
}

/** What a caller may say of the commands of a task: the deadline of each, and the session. */
export type TaskControls = Pick<Controls, 'timeoutMs' | 'epoch'>;

/** After so many milliseconds what could not be put away is tried again; an agent away for longer was started anew. */
const cleanUpPauses = [1000, 2000, 4000, 8000, 15_000];

/** The gateway's end does not wait for it. */
const unheldPause = async (milliseconds: number): Promise<void> => {
  await pause(milliseconds, undefined, { ref: false });
};

/** The commands of a VM's guest agent that one request is answered by: each goes the whole way of a command. */
export class AgentCommands implements GuestCommands {
  readonly #commands: RequestCommands;
  readonly #caller: CommandCaller;

  constructor(
    private readonly path: CommandPath,
    private readonly context: Pick<AuthenticatedContext, 'principal' | 'requestId' | 'traceparent'>,
    vm: string,
    private readonly controls: TaskControls = {},
    private readonly sleep: (milliseconds: number) => Promise<void> = unheldPause,
  ) {
    this.#caller = { ...callerOf(context, vm), agent: true };
    // Integers stay as they are: the numbers of an agent go back to it.
    const { timeoutMs, epoch } = controls;
    this.#commands = new RequestCommands(path, { ...this.#caller, timeoutMs, epoch });
  }

  async run(command: string, args: object, manner: GuestManner = { part: true }): Promise<GuestReply> {
    const { late, ...others } = manner;
    const tellLate = (answer: CommandAnswer): void => {
      if (answer.ok) late?.(readReply(answer.json.toString(), answer.trace));
    };
    const { json, trace } = await this.#commands.run(command, JSON.stringify(args), { ...others, late: tellLate });
    return readReply(json, trace);
  }

  async cleanUp(command: string, args: object): Promise<void> {
    if (await this.#isDone(command, args)) return;
    void this.#tryAgain(command, args);
  }

  inSession(epoch: string | undefined): AgentCommands {
    return new AgentCommands(this.path, this.context, this.#caller.vm, { ...this.controls, epoch }, this.sleep);
  }

  async #tryAgain(command: string, args: object): Promise<void> {
    for (const milliseconds of cleanUpPauses) {
      await this.sleep(milliseconds);
      if (await this.#isDone(command, args)) return;
    }
  }

  /** False when it was not sent, and may be later. */
  async #isDone(command: string, args: object): Promise<boolean> {
    try {
      // Not the caller's deadline: nobody waits.
      await this.run(command, args, { part: true, timeoutMs: undefined });
      return true;
    } catch (error) {
      return !(error instanceof Problem && error.outcome === 'not-sent' && error.retryable);
    }
  }
}

function readReply(json: string, trace: CommandTrace): GuestReply {
  const value = parsedJson(json);
  // `guest-file-open` returns a number.
  return { value: typeof value === 'object' && value !== null ? { ...value } : { value }, trace };
}

/**
 * A task is not begun by whoever may not end it. A refusal is audited like one of the command.
 * @throws Problem `forbidden`, `command-not-found`, or why nothing can be asked of the agent
 */
export async function requireAll(
  path: CheckedCommandPath,
  context: AuthenticatedContext,
  vm: string,
  commands: readonly string[],
): Promise<void> {
  const caller = { ...callerOf(context, vm), agent: true, arrivedAt: context.arrivedAt };
  for (const command of commands) {
    const request: CommandRequest = { ...caller, entrance: 'resource', command, arguments: { kind: 'none' } };
    const refuse = (error: unknown, refused?: RefusedCommand) =>
      new Promise<never>((_resolve, reject) => {
        const answer = (end: CommandAnswer) => {
          if (!end.ok) reject(end.problem);
        };
        path.refuse(request, error, refused?.target, answer, refused?.decision);
      });
    let refused: RefusedCommand | undefined;
    try {
      refused = path.refusalOf(request);
    } catch (error) {
      await refuse(error);
    }
    if (refused !== undefined) await refuse(refused.problem, refused);
  }
}
