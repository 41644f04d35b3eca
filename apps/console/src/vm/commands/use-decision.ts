import type { CommandDecision } from '@qmp-gateway/client';
import { useEffect, useState } from 'react';
import { useVmClient } from '../../api/use-gateway.js';
import type { CommandOfVm } from '../../forms/command-form.js';
import { asArguments } from './draft.js';
import { dependsOnArguments } from './offered-command.js';

/** Milliseconds without typing before the gateway is asked. */
const pauseMs = 300;

/**
 * Whether the caller may run a command with these arguments, where arguments decide it.
 * @param args undefined while they cannot be sent
 * @returns undefined where it is not known: then the gateway decides when it runs
 */
export function useDecision(
  vm: string,
  command: CommandOfVm,
  args: { readonly text: string | undefined } | undefined,
): Pick<CommandDecision, 'allowed' | 'reason'> | undefined {
  const client = useVmClient(vm);
  const [known, setKnown] = useState<{ text: string | undefined; decision: CommandDecision }>();
  const isWanted = args !== undefined && dependsOnArguments(command);
  const text = args?.text;
  useEffect(() => {
    if (!isWanted) return;
    const asking = new AbortController();
    const timer = setTimeout(() => {
      client
        .mayRunWith(command.name, asArguments(text ?? '{}') ?? {}, { signal: asking.signal })
        .then((decision) => asking.signal.aborted || setKnown({ text, decision }))
        // It is decided when the command runs.
        .catch(() => undefined);
    }, pauseMs);
    return () => {
      clearTimeout(timer);
      asking.abort();
    };
    // A client is made for each rendering; it is the same VM.
  }, [vm, command.name, isWanted, text]);
  return isWanted && known?.text === text ? known?.decision : undefined;
}
