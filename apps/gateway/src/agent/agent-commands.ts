import { parsedJson } from '@qmp-gateway/qmp';
import { setTimeout as pause } from 'node:timers/promises';
import type { CheckedCommandPath, RefusedCommand } from '../commands/command-path.js';
import type { CommandAnswer, CommandPath, CommandRequest } from '../commands/command-request.js';
import type { CommandTrace } from '../http/command-trace.js';
import type { Controls } from '../commands/controls.js';
import { callerOf, RequestCommands, type CommandCaller, type CommandManner } from '../commands/request-commands.js';
import type { AuthenticatedContext } from '../access/authenticated-request.js';
import { Problem } from '../problems/problem.js';

/** How to run one of the commands of a task. */
export interface GuestManner extends Pick<CommandManner, 'part' | 'timeoutMs'> {
  /** Called with a reply that comes after the deadline. */
  readonly late?: ((reply: GuestReply) => void) | undefined;
}

/** What a task of several commands needs from a guest agent. */
export interface GuestCommands {
  /**
   * @returns the parsed return value, which the guest made
   * @throws Problem if the command did not succeed
   */
  run(command: string, args: object, manner?: GuestManner): Promise<GuestReply>;

  /**
   * Runs a command that cleans up in the guest. It has no caller any more: if the agent is not available now, the
   * command is repeated later. Resolves after the attempt, however it ended, and never rejects.
   */
  cleanUp(command: string, args: object): Promise<void>;

  /** The same for the rest of a task: an agent's handles and process ids mean something else in another session. */
  inSession(epoch: string | undefined): GuestCommands;
}

export interface GuestReply {
  readonly value: Readonly<Record<string, unknown>>;
  readonly trace: CommandTrace;
}

/** What a caller may set for the commands of a task: the deadline of each, and the session. */
export type TaskControls = Pick<Controls, 'timeoutMs' | 'epoch'>;

/** Milliseconds after which a failed cleanup is repeated; an agent that was away for longer has restarted. */
const cleanUpPauses = [1000, 2000, 4000, 8000, 15_000];

/** The end of the gateway does not wait for it. */
const unheldPause = async (milliseconds: number): Promise<void> => {
  await pause(milliseconds, undefined, { ref: false });
};

/** The request that a task belongs to, and the VM whose agent does it. */
export interface AgentTask {
  readonly context: Pick<AuthenticatedContext, 'principal' | 'requestId' | 'traceparent'>;
  readonly vm: string;
  readonly controls?: TaskControls;
  /** Passes the time between two attempts of a cleanup; injected, so that tests control it. */
  readonly sleep?: (milliseconds: number) => Promise<void>;
}

/** The guest agent commands behind one request: each passes all steps of a command. */
export class AgentCommands implements GuestCommands {
  readonly #commands: RequestCommands;
  readonly #caller: CommandCaller;

  constructor(
    private readonly path: CommandPath,
    private readonly task: AgentTask,
  ) {
    this.#caller = { ...callerOf(task.context, task.vm), agent: true };
    // Integers stay unchanged: the agent's handles and process ids go back to it.
    const { timeoutMs, epoch } = task.controls ?? {};
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
    return new AgentCommands(this.path, { ...this.task, controls: { ...this.task.controls, epoch } });
  }

  async #tryAgain(command: string, args: object): Promise<void> {
    const { sleep = unheldPause } = this.task;
    for (const milliseconds of cleanUpPauses) {
      await sleep(milliseconds);
      if (await this.#isDone(command, args)) return;
    }
  }

  /** False if it was not sent, and may be sent later. */
  async #isDone(command: string, args: object): Promise<boolean> {
    try {
      // Not the caller's deadline, because nobody waits.
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
 * A caller who may not end a task may not start it. A refusal is audited like that of a command.
 * @throws Problem `forbidden`, `command-not-found`, or the reason why the agent is not available
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
        const answered = (end: CommandAnswer) => {
          if (!end.ok) reject(end.problem);
        };
        path.refuse(request, { answered }, error, refused);
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
