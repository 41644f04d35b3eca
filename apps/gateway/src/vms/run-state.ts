import { asObject, parsedJson, type QmpEvent } from '@qmp-gateway/qmp';

/** Events that change the run state by themselves (QAPI RunState). */
const follows: Readonly<Record<string, string>> = {
  RESUME: 'running',
  SHUTDOWN: 'shutdown',
  SUSPEND: 'suspended',
  SUSPEND_DISK: 'suspended',
  WAKEUP: 'running',
};

/** Events that, when their action pauses the VM, say why the STOP next to them came. */
const causes: Readonly<Record<string, { member: string; value: string; runState: string }>> = {
  BLOCK_IO_ERROR: { member: 'action', value: 'stop', runState: 'io-error' },
  GUEST_PANICKED: { member: 'action', value: 'pause', runState: 'guest-panicked' },
  WATCHDOG: { member: 'action', value: 'pause', runState: 'watchdog' },
};

/** Follows a VM's run state by its events, so that showing it costs no command. */
export class RunStateFollower {
  #cause: string | undefined;

  /** @returns the state after the event, `current` when it changes nothing. */
  next(current: string | null, event: QmpEvent): string | null {
    const cause = causes[event.name];
    if (cause !== undefined) {
      const data = asObject(parsedJson(event.data ?? '{}'));
      if (data?.[cause.member] !== cause.value) return current;
      this.#cause = cause.runState;
      // The STOP may have come first.
      return current === 'paused' ? cause.runState : current;
    }
    if (event.name === 'STOP') {
      const state = this.#cause ?? 'paused';
      this.#cause = undefined;
      return current === 'shutdown' ? current : state;
    }
    const next = follows[event.name];
    if (next === undefined) return current;
    this.#cause = undefined;
    return next;
  }
}
