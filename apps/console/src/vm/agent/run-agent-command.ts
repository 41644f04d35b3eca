import { GatewayProblem } from '@qmp-gateway/client';
import type { GatewaySession } from '../../api/gateway-session.js';
import { agentProblemWords } from './agent-problem-words.js';

/**
 * Asks the agent of a VM to do something, and shows what became of it.
 * @returns whether it was done; never rejects
 */
export async function runAgentCommand(
  session: Pick<GatewaySession, 'client' | 'outcomes'>,
  vm: string,
  command: string,
  title: string,
): Promise<boolean> {
  const notice = session.outcomes.add({ kind: 'pending', title });
  try {
    await session.client.vm(vm).agent.execute(command);
    session.outcomes.change(notice, { kind: 'done', title });
    return true;
  } catch (error) {
    const kind = error instanceof GatewayProblem ? error.outcome : 'unknown';
    session.outcomes.change(notice, { kind, title, detail: agentProblemWords(error) });
    return false;
  }
}
