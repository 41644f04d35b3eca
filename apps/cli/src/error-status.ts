import { GatewayClosed, GatewayProblem, GatewayUnreachable, type ProblemDocument } from '@qmp-gateway/client';
import { CliFault, exitStatus, type ExitStatus } from './exit-status.js';
import { NotConnected } from './not-connected.js';

/** Decisions about the caller; their outcome is `not-sent`, but sending again does not help. */
const decisions: ReadonlySet<string> = new Set(['unauthenticated', 'forbidden', 'origin-refused', 'host-refused']);
const wrongInput: ReadonlySet<string> = new Set(['invalid-arguments', 'invalid-request', 'malformed-json']);

const ofOutcome = {
  refused: exitStatus.refused,
  'not-sent': exitStatus.notSent,
  unknown: exitStatus.unknown,
} as const;

/** The status of a problem: by its outcome, except for what was typed wrong and what was decided against the caller. */
export function statusOfProblem({ code, outcome }: Pick<ProblemDocument, 'code' | 'outcome'>): ExitStatus {
  if (decisions.has(code)) return exitStatus.refused;
  if (wrongInput.has(code)) return exitStatus.usage;
  return ofOutcome[outcome];
}

/** The status of anything that was thrown. */
export function statusOfError(error: unknown): ExitStatus {
  if (error instanceof CliFault) return error.status;
  if (error instanceof GatewayProblem) return statusOfProblem(error);
  if (error instanceof GatewayUnreachable) return isBeforeGateway(error) ? exitStatus.notSent : exitStatus.unknown;
  return error instanceof GatewayClosed ? exitStatus.notSent : exitStatus.unknown;
}

/** A proxy that says 502 or 504 may have handed the request on. */
function isBeforeGateway({ cause, status }: GatewayUnreachable): boolean {
  return cause instanceof NotConnected || (status !== undefined && status !== 502 && status !== 504);
}

/** The status for many VMs: the one that a script must look into first. */
export function worstStatus(statuses: Iterable<ExitStatus>): ExitStatus {
  const bySeverity = [exitStatus.unknown, exitStatus.notSent, exitStatus.refused, exitStatus.usage];
  const seen = new Set(statuses);
  return bySeverity.find((status) => seen.has(status)) ?? exitStatus.done;
}
