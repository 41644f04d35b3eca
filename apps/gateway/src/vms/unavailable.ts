import { systemClock, type Clock } from '@qmp-gateway/qmp';
import type { Principal } from '../access/principal.js';
import { Problem, type ProblemFields } from '../problems/problem.js';
import type { CommandServer } from './command-server.js';

/** What of a server tells why it takes no commands. */
export type AwayServer = Pick<CommandServer, 'condition' | 'lastError'> & {
  readonly monitor: Pick<CommandServer['monitor'], 'state'>;
};

/**
 * Why a VM, or its agent, takes no commands now, and when the gateway dials it next.
 * @param principal who asks: only from level `configure` up the problem has details, which may show host paths
 */
export function unavailable(
  server: AwayServer,
  principal: Principal,
  about: { readonly vm: string; readonly command?: string },
  clock: Clock = systemClock,
): Problem {
  const { lastError, condition } = server;
  const { state } = server.monitor;
  // It is not dialled any more.
  if (lastError === null || state.name === 'stopped') return new Problem('vm-unavailable', condition, about);
  const { code, detail, time } = lastError;
  const shown = {
    code,
    ...(principal.reaches('configure') ? { detail } : {}),
    time: new Date(time).toISOString(),
  };
  return new Problem('vm-unavailable', awayText(server), { ...about, lastError: shown, ...retryFields(state, clock) });
}

/** Why there is no session, in a line without host paths: `The VM is waiting (no-such-file); the next try is at …`. */
export function awayText({ condition, lastError, monitor: { state } }: AwayServer): string {
  const text = condition.replace(/\.$/, '');
  const reason = lastError === null || state.name === 'stopped' ? '' : ` (${lastError.code})`;
  const retryAt = retryTimeOf(state);
  const next = retryAt === null ? '' : `; the next try is at ${new Date(retryAt).toISOString()}`;
  return `${text}${reason}${next}.`;
}

type State = AwayServer['monitor']['state'];

/** Null while a try is under way, and where the VM is to dial in. */
function retryTimeOf(state: State): number | null {
  return 'retryAt' in state ? state.retryAt : null;
}

function retryFields(state: State, clock: Clock): ProblemFields {
  const retryAt = retryTimeOf(state);
  if (retryAt === null) return {};
  const seconds = Math.max(1, Math.ceil((retryAt - clock.wall()) / 1000));
  return { retryAt: new Date(retryAt).toISOString(), headers: { 'Retry-After': String(seconds) } };
}
