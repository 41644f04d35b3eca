import type { CheckedCommandPath } from '../commands/command-path.js';
import { callerOf } from '../commands/request-commands.js';
import { Problem } from '../problems/problem.js';
import type { SocketConnection } from './socket-connection.js';

/** A command that does what typing does. */
export interface TypingCommand {
  readonly command: string;
  /** Its `arguments` as JSON text. */
  readonly json: string;
}

/**
 * Why the principal of a connection may not type, as policy has it for the command that does the same: its class, and
 * the globs of the credentials. Where the VM has no such command, or none is known yet, the level alone decides.
 */
export function typingRefusal(
  path: CheckedCommandPath,
  connection: SocketConnection,
  vm: string,
  { command, json }: TypingCommand,
): Problem | undefined {
  try {
    return path.refusalOf({
      ...{ ...callerOf(connection, vm), command, arguments: { kind: 'json', json } },
      ...{ entrance: 'resource', arrivedAt: performance.now() },
    })?.problem;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (connection.principal.reaches('operate')) return undefined;
    return new Problem('forbidden', 'To type needs level operate.');
  }
}
