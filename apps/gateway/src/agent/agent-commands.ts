import type { CheckedCommandPath } from '../commands/command-path.js';
import type { CommandRequest, CommandTrace } from '../commands/command-request.js';
import { RequestCommands, type CommandManner } from '../commands/request-commands.js';
import type { AuthenticatedContext } from '../listeners/request-context.js';

/** What a task of several commands asks of a guest agent. */
export interface GuestCommands {
  /**
   * @returns the return value, read; what is in it was made by the guest
   * @throws Problem when it did not end well
   */
  run(command: string, args: object, manner?: CommandManner): Promise<GuestReply>;
}

export interface GuestReply {
  readonly value: Readonly<Record<string, unknown>>;
  readonly trace: CommandTrace;
}

/** The commands of a VM's guest agent that one request is answered by: each goes the whole way of a command. */
export class AgentCommands implements GuestCommands {
  readonly #commands: RequestCommands;
  readonly #request: Omit<CommandRequest, 'command'>;

  constructor(
    private readonly path: CheckedCommandPath,
    { principal, requestId, traceparent, arrivedAt }: AuthenticatedContext,
    vm: string,
  ) {
    const caller = { principal, requestId, traceparent, vm, agent: true };
    this.#commands = new RequestCommands(path, caller);
    this.#request = { ...caller, entrance: 'resource', arguments: { kind: 'none' }, arrivedAt };
  }

  /**
   * A task is not begun by whoever may not end it. A refusal is audited like one of the command.
   * @throws Problem `forbidden`, `command-not-found`, or why nothing can be asked of the agent
   */
  async requireAll(commands: readonly string[]): Promise<void> {
    for (const command of commands) {
      const request = { ...this.#request, command };
      try {
        this.path.requireAllowed(request);
      } catch (error) {
        await new Promise<never>((_resolve, reject) =>
          this.path.refuse(request, error, undefined, (answer) => {
            if (!answer.ok) reject(answer.problem);
          }),
        );
      }
    }
  }

  async run(command: string, args: object, manner: CommandManner = { part: true }): Promise<GuestReply> {
    const { json, trace } = await this.#commands.run(command, JSON.stringify(args), manner);
    const value: unknown = JSON.parse(json);
    // `guest-file-open` returns a number.
    return { value: typeof value === 'object' && value !== null ? { ...value } : { value }, trace };
  }
}
