import type { IncomingHttpHeaders } from 'node:http';
import type { Principal } from '../access/principal.js';
import type { AuthenticatedContext } from '../listeners/request-context.js';
import { Problem } from '../problems/problem.js';
import type { CommandPath, CommandRequest, CommandTrace } from './command-request.js';
import { readControls, type Controls } from './controls.js';

/** For whom a resource of the gateway runs commands, and how. */
export interface CommandCaller extends Controls {
  readonly principal: Principal;
  readonly requestId: string;
  readonly traceparent?: string | undefined;
  readonly vm: string;
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
export function callerOf(
  context: Pick<AuthenticatedContext, 'principal' | 'requestId' | 'traceparent'>,
  vm: string,
): CommandCaller {
  const { principal, requestId, traceparent } = context;
  return { principal, requestId, traceparent, vm };
}

/** What a resource says of one of its commands beside its arguments. */
export type CommandManner = Pick<CommandRequest, 'ruling' | 'part' | 'timeoutMs' | 'late'>;

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
      this.path.execute(request, (answer) => {
        if (answer.ok) resolve({ json: answer.json.toString(), trace: answer.trace });
        else reject(answer.problem);
      }),
    );
  }
}

/**
 * The controls of a request that is answered by several commands: a deadline, the session, and how integers are written.
 * The deadline is one for all commands; but of each for programs and files of a guest, which take as long as they take.
 * @throws Problem `invalid-request` also for controls that make sense for a single command only
 */
export function readResourceControls(headers: IncomingHttpHeaders): Pick<Controls, 'timeoutMs' | 'int64' | 'epoch'> {
  const { dryRun, idempotencyKey, ...controls } = readControls(headers, undefined);
  const odd = dryRun === true ? 'Dry-Run' : idempotencyKey === undefined ? undefined : 'Idempotency-Key';
  if (odd === undefined) return controls;
  const errors = [{ pointer: odd, message: 'is for single commands' }];
  throw new Problem('invalid-request', `${odd} is for single commands.`, { errors });
}
