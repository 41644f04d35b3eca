import { systemClock, type Clock } from '@qmp-gateway/qmp';
import type { CommandTrace } from '../http/command-trace.js';
import type { RequestCommands } from '../commands/request-commands.js';
import { WaitingLine, type NoPlace } from '../bounds/waiting-line.js';
import { Problem } from '../problems/problem.js';
import type { Vm } from '../vms/vm.js';
import { playMs } from './keys-request.js';
import { typeKeys, type TypingPace, type Typing } from './typist.js';

/** Requests that wait for the keyboard of a VM. */
const mostWaiting = 32;

/** What a request asks to be typed. */
export interface TypingRequest extends Omit<Typing, 'endsAt'> {
  readonly timeoutMs: number;
}

/**
 * A keyboard for each VM, on which one request types at a time. Two would mix their letters; and QEMU, which plays one
 * stroke while two are sent, would drop the excess and still report success.
 */
export class Keyboards {
  readonly #lines = new WeakMap<Vm, WaitingLine>();
  readonly #pace: TypingPace;

  constructor(private readonly clock: Clock = systemClock) {
    this.#pace = {
      now: () => clock.now(),
      sleep: (milliseconds) => new Promise((resolve) => void clock.schedule(milliseconds, resolve)),
    };
  }

  /**
   * Types after the earlier requests, if there is time for the whole text then.
   * @throws Problem `too-many-requests` or `deadline-exceeded`, with nothing typed; or like {@link typeKeys}
   */
  type(commands: RequestCommands, vm: Vm, request: TypingRequest): Promise<CommandTrace> {
    let line = this.#lines.get(vm);
    if (line === undefined) {
      line = new WaitingLine(1, mostWaiting, this.clock);
      this.#lines.set(vm, line);
    }
    const { keys, timeoutMs } = request;
    const typing = { keys, asked: () => request.asked(), endsAt: this.clock.now() + timeoutMs };
    return line.run(
      () => typeKeys(commands, vm, typing, this.#pace),
      timeoutMs - playMs(keys),
      (why) => notTyped(why, vm),
    );
  }
}

function notTyped(why: NoPlace, vm: Vm): Problem {
  if (why === 'full')
    return new Problem('too-many-requests', `${mostWaiting} requests already wait to type on this VM.`, { vm: vm.id });
  return new Problem('deadline-exceeded', 'Other requests were typing on this VM; nothing of this request was typed.', {
    ...{ vm: vm.id, outcome: 'not-sent', retryable: true },
  });
}
