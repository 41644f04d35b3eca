import { GatewayProblem } from '@qmp-gateway/client';

/** Why the agent did not do something, in words. */
export function agentProblemWords(error: unknown): string {
  if (!(error instanceof GatewayProblem)) return error instanceof Error ? error.message : String(error);
  if (error.code === 'command-not-found') return 'This agent does not offer it.';
  if (error.code === 'deadline-exceeded') return 'The agent did not answer in time.';
  return error.qmp?.desc ?? error.detail ?? error.title ?? error.code;
}
