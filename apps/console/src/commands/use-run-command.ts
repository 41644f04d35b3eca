import { useCallback } from 'react';
import { useGateway } from '../api/use-gateway.js';
import { runCommand, type CommandOutcome, type CommandRunOptions } from './run-command.js';

/** {@link runCommand} of the session, for one VM. */
export function useRunCommand(
  vm: string,
): (command: string, args?: Readonly<Record<string, unknown>>, options?: CommandRunOptions) => Promise<CommandOutcome> {
  const session = useGateway();
  return useCallback((command, args, options) => runCommand(session, vm, command, args, options), [session, vm]);
}
