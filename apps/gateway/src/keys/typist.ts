import type { RequestCommands } from '../commands/request-commands.js';
import { invalid } from '../http/resource/read-shape.js';
import { Problem } from '../problems/problem.js';
import type { Vm } from '../vms/vm.js';
import { strokeMs, type Keys } from './keys-request.js';
import type { CommandTrace } from '../http/command-trace.js';

/** In other run states QEMU accepts keys, reports success, and drops them. */
const listening: ReadonlySet<string | null> = new Set(['running', 'suspended']);

/** The time source, in milliseconds; injected, so that tests control it. */
export interface TypingPace {
  now(): number;
  sleep(milliseconds: number): Promise<void>;
}

/** The keys that a request asks for, and its deadline. */
export interface Typing {
  readonly keys: Keys;
  /** Whether the caller is still connected; otherwise typing ends. */
  asked(): boolean;
  /** On the clock of the pace: the last key is released by then. */
  readonly endsAt: number;
}

/**
 * Types keys with `send-key`, a stroke at a time, and resolves when the last one is released. QEMU plays a stroke after
 * it has answered, and drops new ones while over 1,024 presses, releases and pauses wait; so the next one is sent when
 * the one before has been played, and only if there is time to play it.
 *
 * @throws Problem `vm-not-running`, with nothing sent; `deadline-exceeded`; or that of the command. Each says how much
 * was typed before
 */
export async function typeKeys(
  commands: RequestCommands,
  vm: Vm,
  typing: Typing,
  pace: TypingPace,
): Promise<CommandTrace> {
  const { strokes, holdMs } = typing.keys;
  let trace: CommandTrace = {};
  for (const [index, stroke] of strokes.entries()) {
    if (!typing.asked()) break;
    const playMs = strokeMs(stroke, holdMs);
    try {
      // Of a server without keyboard the run state, if it has one, is no matter: the command is refused, as it always will be.
      if (vm.ready && vm.schema?.commands.has('send-key') !== false && !listening.has(vm.runState))
        throw new Problem(
          'vm-not-running',
          `The VM is ${vm.runState ?? 'in no known state'}: it would lose the keys.`,
          {
            vm: vm.id,
          },
        );
      const timeoutMs = Math.ceil(typing.endsAt - pace.now() - playMs);
      if (timeoutMs <= 0) throw tooLate(vm);
      const keys = stroke.map((data) => ({ type: 'qcode', data }));
      const args = JSON.stringify({ keys, 'hold-time': holdMs });
      ({ trace } = await commands.run('send-key', args, { part: strokes.length > 1, timeoutMs }));
    } catch (error) {
      throw index === 0 ? inWordsOfKeys(error) : afterSome(error, index, strokes.length);
    }
    await pace.sleep(playMs);
  }
  return trace;
}

function tooLate(vm: Vm): Problem {
  const fields = { vm: vm.id, command: 'send-key', outcome: 'not-sent', retryable: true } as const;
  return new Problem('deadline-exceeded', 'The deadline leaves no time for the next key.', fields);
}

/** Callers know of no `send-key`: what is wrong with its arguments is wrong with the body, in which a key is just its name. */
function inWordsOfKeys(error: unknown): unknown {
  if (!(error instanceof Problem)) return error;
  const { vm, command, errors } = error.fields;
  if (error.code === 'command-not-found' && error.outcome === 'not-sent')
    return new Problem(error.code, 'The VM has no keyboard: its server has no command send-key.', {
      ...(vm === undefined ? {} : { vm }),
      ...(command === undefined ? {} : { command }),
    });
  if (error.code !== 'invalid-arguments' || errors === undefined) return error;
  const ofBody = errors.map((fault) => ({ ...fault, pointer: fault.pointer.replace(/^(\/keys\/\d+)\/data$/, '$1') }));
  const { code, detail, fields: faults } = invalid('body', ofBody);
  return new Problem(code, detail, { ...error.fields, ...faults });
}

/** Part of the text is typed: sending the request again would type it twice. */
function afterSome(error: unknown, done: number, all: number): unknown {
  if (!(error instanceof Problem)) return error;
  const fields = { ...error.fields, outcome: 'unknown', retryable: false } as const;
  return new Problem(error.code, `After ${done} of ${all} characters: ${error.detail}`, fields);
}
