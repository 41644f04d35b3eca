import { useCallback, useEffect, useState } from 'react';
import { useVmClient } from '../../api/use-gateway.js';
import { agentProblemWords } from './agent-problem-words.js';

/** What an agent answered to a question that changes nothing. */
export interface AgentAnswer {
  readonly kind: 'asking' | 'answered' | 'failed';
  readonly value: unknown;
  /** In words, when it failed. */
  readonly why: string;
  readonly askAgain: () => void;
}

/** Seconds: whoever looks at a page does not wait longer. */
const patience = 10;

/** Asks the agent when the view is opened, and again on demand. */
export function useAgentAnswer(vm: string, command: string): AgentAnswer {
  const { agent } = useVmClientOf(vm);
  const [times, setTimes] = useState(0);
  const [state, setState] = useState<Omit<AgentAnswer, 'askAgain'>>({ kind: 'asking', value: undefined, why: '' });
  useEffect(() => {
    const stop = new AbortController();
    const { signal } = stop;
    agent.execute(command, undefined, { timeout: patience, signal }).then(
      (value) => {
        if (!signal.aborted) setState({ kind: 'answered', value, why: '' });
      },
      (error: unknown) => {
        if (!signal.aborted) setState({ kind: 'failed', value: undefined, why: agentProblemWords(error) });
      },
    );
    return () => stop.abort();
  }, [agent, command, times]);
  const askAgain = useCallback(() => setTimes((before) => before + 1), []);
  return { ...state, askAgain };
}

/** The same client for as long as the VM is the same, so that effects do not run again for nothing. */
function useVmClientOf(vm: string): ReturnType<typeof useVmClient> {
  const client = useVmClient(vm);
  const [kept, setKept] = useState(client);
  if (kept.id === client.id) return kept;
  setKept(client);
  return client;
}
