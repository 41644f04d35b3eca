import type { Vm } from '@qmp-gateway/client';
import { runCommand, type CommandOutcome, type RunningSession } from '../../commands/run-command.js';
import type { GatewaySession } from '../../api/gateway-session.js';
import type { PowerAction } from './power-actions.js';

/** How long the console looks for what comes of an action before it says that it has not come. */
const longestWaitMs = 60_000;

export type PowerSession = RunningSession & { readonly vms: Pick<GatewaySession['vms'], 'changed' | 'vm'> };

/** Does it, and tells in the notice what became of it: of the command, then of the VM. */
export async function runPowerAction(
  session: PowerSession,
  vm: string,
  { command, title, comes }: PowerAction,
  waitMs = longestWaitMs,
): Promise<CommandOutcome> {
  const named = `${title} ${vm}`;
  if (comes === undefined) return runCommand(session, vm, command, undefined, { title: named });
  const notice = session.outcomes.add({ kind: 'pending', title: named });
  const outcome = await runCommand(session, vm, command, undefined, { title: named, quiet: true });
  if (outcome.kind !== 'done') {
    const detail = outcome.kind === 'unknown' ? outcome.why : (outcome.problem.qmp?.desc ?? outcome.problem.detail);
    session.outcomes.change(notice, { kind: outcome.kind, title: named, detail });
    return outcome;
  }
  session.outcomes.change(notice, {
    kind: 'pending',
    title: named,
    detail: 'The VM has taken it. Waiting for what comes.',
  });
  const hasCome = await becomes(session, vm, comes.when, waitMs);
  if (hasCome) session.outcomes.change(notice, { kind: 'done', title: named, detail: comes.then });
  else session.outcomes.change(notice, { kind: 'unknown', title: named, detail: comes.otherwise });
  return outcome;
}

/** Waits for a VM to be so. @returns false when it was not in time */
function becomes(
  { vms }: PowerSession,
  id: string,
  isSo: (vm: Vm | undefined) => boolean,
  waitMs: number,
): Promise<boolean> {
  if (isSo(vms.vm(id))) return Promise.resolve(true);
  return new Promise((resolve) => {
    const end = (result: boolean): void => {
      clearTimeout(timer);
      stop();
      resolve(result);
    };
    const timer = setTimeout(() => end(false), waitMs);
    const stop = vms.changed.subscribe(() => {
      if (isSo(vms.vm(id))) end(true);
    });
  });
}
