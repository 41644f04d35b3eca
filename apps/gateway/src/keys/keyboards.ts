import { systemClock, type Clock } from '@qmp-gateway/qmp';
import type { CommandTrace } from '../commands/command-request.js';
import type { RequestCommands } from '../commands/request-commands.js';
import { Turns, type NoTurn } from '../commands/turns.js';
import { Problem } from '../problems/problem.js';
import type { Vm } from '../vms/vm.js';
import { playMs, type Keys } from './keys-request.js';
import { typeKeys, type Pace, type Typing } from './typist.js';

/** Requests that wait for the keyboard of a VM. */
const mostWaiting = 32;

/**
 * A keyboard for each VM, on which one request types at a time. Two would mix their letters; and QEMU, which plays one
 * stroke while two are sent, would drop what is too much, and answer that all is well.
 */
export class Keyboards {
  readonly #turns = new WeakMap<Vm, Turns>();
  readonly #pace: Pace;

  constructor(private readonly clock: Clock = systemClock) {
    this.#pace = {
      now: () => clock.now(),
      sleep: (milliseconds) => new Promise((resolve) => void clock.schedule(milliseconds, resolve)),
    };
  }

  /**
   * Types when those who came before are done, as long as there is time for all of it then.
   * @throws Problem `too-many-requests` or `deadline-exceeded`, with nothing typed; or as {@link typeKeys}
   */
  type(commands: RequestCommands, vm: Vm, keys: Keys, typing: Typing): Promise<CommandTrace> {
    let turns = this.#turns.get(vm);
    if (turns === undefined) {
      turns = new Turns(1, mostWaiting, this.clock);
      this.#turns.set(vm, turns);
    }
    const waitMs = typing.endsAt - this.clock.now() - playMs(keys);
    return turns.run(
      () => typeKeys(commands, vm, keys, typing, this.#pace),
      waitMs,
      (why) => notTyped(why, vm),
    );
  }
}

function notTyped(why: NoTurn, vm: Vm): Problem {
  if (why === 'full')
    return new Problem('too-many-requests', `${mostWaiting} requests wait to type on this VM already.`, { vm: vm.id });
  return new Problem('deadline-exceeded', 'Others were typing on this VM; nothing of this was typed.', {
    ...{ vm: vm.id, outcome: 'not-sent', retryable: true },
  });
}
