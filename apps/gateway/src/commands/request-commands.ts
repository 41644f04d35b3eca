import type { Principal } from '../access/principal.js';
import type { AuthenticatedContext } from '../access/authenticated-request.js';
import type { CommandPath, CommandRequest } from './command-request.js';
import type { CommandTrace } from '../http/command-trace.js';
import type { RequestMark } from '../http/request-context.js';
import type { Controls } from './controls.js';

/** For whom a resource of the gateway runs commands, and how. */
export interface CommandCaller extends Controls {
  readonly principal: Principal;
  readonly requestId: string;
  readonly traceparent?: string | undefined;
  readonly vm: string;
  /** Another node of the fleet has handed the request over: which one. */
  readonly handed?: { readonly node: string } | undefined;
  /** Its guest agent runs them, not its monitor. */
  readonly agent?: boolean;
  /** `performance.now()` from which deadlines run; the moment of each command when absent. */
  readonly arrivedAt?: number;
}

export interface CommandReply {
  /** The return value as the VM wrote it. */
  readonly json: string;
  readonly trace: CommandTrace;
}

/** The caller of the commands that this request is answered by. */
export function callerOf(context: Pick<AuthenticatedContext, 'principal'> & RequestMark, vm: string): CommandCaller {
  const { principal, requestId, traceparent, handed } = context;
  const caller = { principal, requestId, traceparent, vm };
  // The operation that it was given is that of a single command.
  return handed === undefined ? caller : { ...caller, handed: { node: handed.node } };
}

/** What a resource says of one of its commands beside its arguments. */
export type CommandManner = Pick<CommandRequest, 'ruling' | 'part' | 'timeoutMs' | 'late' | 'descriptors'>;

/**
 * The commands that one request for a resource of the gateway is answered by. Each goes the whole way of a command:
 * policy and audit of the caller, the VM's queue, the deadline.
 */
export class RequestCommands {
  #count = 0;

  constructor(
    private readonly path: CommandPath,
    private readonly caller: CommandCaller,
  ) {}

  /** Commands asked for so far. */
  get count(): number {
    return this.#count;
  }

  /**
   * @param args the `arguments` object as JSON text
   * @throws Problem when it did not end well
   */
  run(command: string, args: string, manner: CommandManner = {}): Promise<CommandReply> {
    this.#count++;
    const request: CommandRequest = {
      ...{ entrance: 'resource', command, arguments: { kind: 'json', json: args }, arrivedAt: performance.now() },
      ...this.caller,
      ...manner,
    };
    return new Promise((resolve, reject) =>
      this.path.execute(request, {
        answered(answer) {
          if (answer.ok) resolve({ json: answer.json.toString(), trace: answer.trace });
          else reject(answer.problem);
        },
      }),
    );
  }
}
