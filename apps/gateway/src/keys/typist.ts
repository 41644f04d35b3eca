import type { RequestCommands } from '../commands/request-commands.js';
import { Problem } from '../problems/problem.js';
import type { Vm } from '../vms/vm.js';
import { strokeMs, type Keys } from './keys-request.js';
import type { CommandTrace } from '../commands/command-request.js';

/** In other run states QEMU takes keys, says that it did, and drops them. */
const listening: ReadonlySet<string | null> = new Set(['running', 'suspended']);

/** Time as this uses it, in milliseconds; injected, so that tests move it. */
export interface Pace {
  now(): number;
  sleep(milliseconds: number): Promise<void>;
}

/** For whom keys are typed, and until when. */
export interface Typing {
  /** Is somebody still there? What is typed for nobody ends. */
  asked(): boolean;
  /** On the clock of the pace: the last key is let go by then. */
  readonly endsAt: number;
}

/**
 * Types keys by `send-key`, a stroke at a time, and is done when the last was let go. QEMU plays a stroke over its time,
 * after it has answered, and drops what comes when over 1,024 presses, releases and pauses wait; so the next is sent when
 * the one before has been played, and only if there is time to play it.
 *
 * @throws Problem `vm-not-running`, with nothing sent; `deadline-exceeded`; or that of the command. Each says how much
 *   was typed before
 */
export async function typeKeys(
  commands: RequestCommands,
  vm: Vm,
  { strokes, holdMs }: Keys,
  typing: Typing,
  pace: Pace,
): Promise<CommandTrace> {
  let trace: CommandTrace = {};
  for (const [index, stroke] of strokes.entries()) {
    if (!typing.asked()) break;
    const playMs = strokeMs(stroke, holdMs);
    try {
      if (vm.ready && !listening.has(vm.runState))
        throw new Problem('vm-not-running', `The VM is ${vm.runState ?? 'away'}: it would lose the keys.`, {
          vm: vm.id,
        });
      const timeoutMs = Math.ceil(typing.endsAt - pace.now() - playMs);
      if (timeoutMs <= 0) throw tooLate(vm);
      const keys = stroke.map((data) => ({ type: 'qcode', data }));
      const args = JSON.stringify({ keys, 'hold-time': holdMs });
      ({ trace } = await commands.run('send-key', args, { part: strokes.length > 1, timeoutMs }));
    } catch (error) {
      throw index === 0 ? atKeys(error) : afterSome(error, index, strokes.length);
    }
    await pace.sleep(playMs);
  }
  return trace;
}

function tooLate(vm: Vm): Problem {
  const fields = { vm: vm.id, command: 'send-key', outcome: 'not-sent', retryable: true } as const;
  return new Problem('deadline-exceeded', 'The deadline leaves no time for the next key.', fields);
}

/** Pointers of faults as in the body: there a key is its name alone. */
function atKeys(error: unknown): unknown {
  if (!(error instanceof Problem) || error.fields.errors === undefined) return error;
  const errors = error.fields.errors.map((fault) => ({
    ...fault,
    pointer: fault.pointer.replace(/^(\/keys\/\d+)\/data$/, '$1'),
  }));
  return new Problem(error.code, error.detail, { ...error.fields, errors });
}

/** Part of the text is typed: the same again would type it twice. */
function afterSome(error: unknown, done: number, all: number): unknown {
  if (!(error instanceof Problem)) return error;
  const fields = { ...error.fields, outcome: 'unknown', retryable: false } as const;
  return new Problem(error.code, `After ${done} of ${all} characters: ${error.detail}`, fields);
}
