import { GatewayProblem } from '@qmp-gateway/client';

/** Why a question had no answer. */
export interface ProblemReason {
  readonly reason: string;
  /** Whether the next question would have none either. */
  readonly isForGood: boolean;
}

/** A failed question in words. */
export function problemReason(error: unknown): ProblemReason {
  if (!(error instanceof GatewayProblem))
    return { reason: error instanceof Error ? error.message : 'The gateway does not answer.', isForGood: false };
  const { code, command, detail, title, qmp } = error;
  if (code === 'command-not-found')
    return { reason: `This VM does not have ${command ?? 'the command'} that would tell it.`, isForGood: true };
  if (code === 'forbidden') return { reason: detail ?? 'Your level does not allow to ask it.', isForGood: true };
  return { reason: qmp?.desc ?? detail ?? title ?? code, isForGood: false };
}
