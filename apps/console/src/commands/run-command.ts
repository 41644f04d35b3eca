import { GatewayProblem, GatewayUnreachable, type CommandOperation, type ProblemDocument } from '@qmp-gateway/client';
import type { GatewaySession } from '../api/gateway-session.js';
import type { OutcomeNews } from '../outcomes/outcome-list.js';

/** What became of a command, as far as it is known when the promise resolves. */
export type CommandOutcome<Value = unknown> =
  | {
      readonly kind: 'done';
      readonly value: Value;
      readonly operation?: string | undefined;
      readonly cursor?: string | undefined;
    }
  /** The VM, or the policy for what it answered, said no. */
  | { readonly kind: 'refused'; readonly problem: ProblemDocument }
  /** The VM never saw it. */
  | { readonly kind: 'not-sent'; readonly problem: ProblemDocument }
  /** It was sent, and nobody knows yet. The notice on the page changes when its operation ends. */
  | {
      readonly kind: 'unknown';
      readonly why: string;
      readonly problem?: ProblemDocument | undefined;
      readonly operation?: string | undefined;
    };

export interface CommandRunOptions {
  /** What the notice calls it; default the command's name. */
  readonly title?: string | undefined;
  /** Seconds, or a duration. */
  readonly timeout?: number | string | undefined;
  /** Only in this session with the VM. */
  readonly epoch?: string | undefined;
  /** Show no notice: the caller shows the outcome itself. */
  readonly quiet?: boolean | undefined;
  /** The command starts work that goes on after its reply (a job, a migration, an unplug): the notice follows it to its end. */
  readonly follow?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The used part of a session. */
export type RunningSession = Pick<GatewaySession, 'client' | 'outcomes'>;

/** An operation is asked for its end so long at a time. */
const waitForEnd = '60s';

/**
 * The one way of a command from the console to a VM. Nothing is sent twice. Never rejects: the outcome says what happened, and
 * a notice shows it to the reader, also after the promise has resolved.
 */
// eslint-disable-next-line @typescript-eslint/max-params -- as the client's `execute`, with the session before it
export async function runCommand<Value = unknown>(
  session: RunningSession,
  vm: string,
  command: string,
  args?: Readonly<Record<string, unknown>>,
  options: CommandRunOptions = {},
): Promise<CommandOutcome<Value>> {
  const { timeout, epoch, signal, quiet = false, follow = false, title = `${command} on ${vm}` } = options;
  const notice = quiet ? undefined : session.outcomes.add({ kind: 'pending', title });
  const show = (news: Omit<OutcomeNews, 'id' | 'at' | 'title'>): void => {
    if (notice !== undefined) session.outcomes.change(notice, { ...news, title });
  };
  const outcome = await outcomeOf<Value>(() =>
    session.client.vm(vm).executeInFull(command, args, { timeout, epoch, signal }),
  );
  const operation = outcome.kind === 'done' || outcome.kind === 'unknown' ? outcome.operation : undefined;
  const isOpen = outcome.kind === 'unknown' || (outcome.kind === 'done' && follow);
  if (isOpen && operation !== undefined && !quiet) {
    show({
      kind: 'pending',
      detail: outcome.kind === 'unknown' ? outcome.why : 'The VM has begun.',
      link: operationLink(vm),
    });
    void endOf(session, vm, operation).then(show);
  } else show({ kind: outcome.kind, detail: detailOf(outcome) });
  return outcome;
}

async function outcomeOf<Value>(
  run: () => Promise<{ value: unknown; operation: string | undefined; cursor: string | undefined }>,
): Promise<CommandOutcome<Value>> {
  try {
    const { value, operation, cursor } = await run();
    return { kind: 'done', value: value as Value, operation, cursor };
  } catch (error) {
    return failed(error);
  }
}

function failed(error: unknown): CommandOutcome<never> {
  if (error instanceof GatewayProblem) {
    const { outcome, operation } = error;
    if (outcome !== 'unknown') return { kind: outcome, problem: error };
    return { kind: 'unknown', why: sentenceOf(error), problem: error, operation };
  }
  if (error instanceof GatewayUnreachable)
    return { kind: 'unknown', why: `${error.message}. The command may have been run: look before you send it again.` };
  return { kind: 'unknown', why: error instanceof Error ? error.message : String(error) };
}

/** What a problem says, for a reader. */
export function sentenceOf({ detail, title, qmp, code }: ProblemDocument): string {
  return qmp?.desc ?? detail ?? title ?? code;
}

function detailOf(outcome: CommandOutcome): string | undefined {
  if (outcome.kind === 'done') return undefined;
  if (outcome.kind === 'unknown') return outcome.why;
  const { problem } = outcome;
  const faults = (problem.errors ?? []).map(({ pointer, message }) => `${pointer}: ${message}`);
  return [sentenceOf(problem), ...faults].join('\n');
}

function operationLink(vm: string): { text: string; to: string } {
  return { text: 'Operations', to: `/vms/${encodeURIComponent(vm)}/operations` };
}

/** Waits for the end of an operation, however long it takes; what cannot be asked stays unknown. */
async function endOf(
  { client }: RunningSession,
  vm: string,
  id: string,
): Promise<Omit<OutcomeNews, 'id' | 'at' | 'title'>> {
  try {
    for (;;) {
      const operation = await client.vm(vm).operation(id, { wait: waitForEnd });
      if (operation.state !== 'running') return endNews(vm, operation);
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { kind: 'unknown', detail: `It cannot be asked what became of it: ${why}`, link: operationLink(vm) };
  }
}

function endNews(vm: string, { state, error, problem }: CommandOperation): Omit<OutcomeNews, 'id' | 'at' | 'title'> {
  const link = operationLink(vm);
  const detail = error?.detail ?? (problem === undefined ? undefined : sentenceOf(problem));
  if (state === 'done') return { kind: 'done' };
  if (state === 'ready') return { kind: 'done', detail: 'Ready: it waits to be told to finish.', link };
  if (state === 'lost') return { kind: 'unknown', detail: detail ?? 'The VM went away before its end.', link };
  return { kind: 'refused', detail: detail ?? (state === 'cancelled' ? 'It was cancelled.' : 'It failed.'), link };
}
