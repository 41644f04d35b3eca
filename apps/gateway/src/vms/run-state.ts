import {
  asObject,
  asText,
  parsedJson,
  returnedObject,
  serverBounds,
  wholeText,
  type Settlement,
  type QmpEvent,
} from '@qmp-gateway/qmp';

/** The run state in the outcome of `query-status`; null if there is none, or a value that cannot be one. */
export function runStateOf(settlement: Settlement): string | null {
  return wholeText(asText(returnedObject(settlement)?.['status']), serverBounds.runState) ?? null;
}

/** Events that most often mean one run state (QAPI RunState). */
const follows: Readonly<Record<string, string>> = {
  RESUME: 'running',
  SHUTDOWN: 'shutdown',
  SUSPEND: 'suspended',
  SUSPEND_DISK: 'suspended',
  WAKEUP: 'running',
};

/** Events after which the run state may be any: a reset VM is `running` or `prelaunch`, a migration ends in one of five. */
const opens: ReadonlySet<string> = new Set(['RESET', 'MIGRATION', 'COLO_EXIT']);

/** Events that, when their action pauses the VM, say why the STOP next to them came. */
const causes: Readonly<Record<string, { member: string; value: string; runState: string }>> = {
  BLOCK_IO_ERROR: { member: 'action', value: 'stop', runState: 'io-error' },
  GUEST_PANICKED: { member: 'action', value: 'pause', runState: 'guest-panicked' },
  WATCHDOG: { member: 'action', value: 'pause', runState: 'watchdog' },
};

/**
 * Guesses a VM's run state by its events, so that what is shown does not wait for an answer. Only a guess: a STOP gives no
 * reason, a RESUME of a guest that sleeps leaves it asleep, and QEMU holds some reasons back for a second.
 */
export class RunStateGuess {
  #cause: string | undefined;

  /** @returns the state after the event, most likely; undefined when the event has nothing to do with it. */
  next(current: string, event: QmpEvent): string | undefined {
    const cause = causes[event.name];
    if (cause !== undefined) {
      const data = asObject(parsedJson(event.data ?? '{}'));
      if (data?.[cause.member] !== cause.value) return undefined;
      this.#cause = cause.runState;
      // The STOP may have come first.
      return current === 'paused' ? cause.runState : current;
    }
    if (event.name === 'STOP') {
      const state = this.#cause ?? 'paused';
      this.#cause = undefined;
      return current === 'shutdown' ? current : state;
    }
    const next = opens.has(event.name) ? current : follows[event.name];
    if (next !== undefined) this.#cause = undefined;
    return next;
  }
}
