import {
  asText,
  returnedObject,
  serverBounds,
  systemClock,
  wholeText,
  type Clock,
  type Monitor,
  type Outcome,
  type Timer,
} from '@qmp-gateway/qmp';
import { askInTurn } from '../commands/ask-in-turn.js';
import type { CommandQueue } from '../commands/command-queue.js';

/** Milliseconds from one answer to the next question. */
export const pollEveryMs = 5000;
const deadlineMs = 10_000;

/** The run state that the outcome of `query-status` tells; null when it tells none, or what can be none. */
export function runStateOf(outcome: Outcome): string | null {
  return wholeText(asText(returnedObject(outcome)?.['status']), serverBounds.runState) ?? null;
}

/**
 * Asks a VM for its run state again and again, in turn with its other commands. For StratoVirt, whose events end for
 * good when a client left while one was queued, and go to whichever of two monitors was connected last.
 */
export class RunStatePoll {
  #timer: Timer | null = null;

  /** @param told called at the very place of the answer among the events */
  constructor(
    private readonly monitor: Monitor,
    private readonly queue: CommandQueue,
    private readonly told: (runState: string) => void,
    private readonly clock: Clock = systemClock,
  ) {}

  start(): void {
    this.stop();
    this.#timer = this.clock.schedule(pollEveryMs, () => this.#ask());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #ask(): void {
    askInTurn(this.queue, this.monitor, {
      send: () => this.#send(),
      refuse: () => undefined,
      giveWay: () => this.start(),
    });
  }

  #send(): void {
    const asked = this.#timer;
    void this.monitor
      .run('query-status', undefined, {
        deadlineMs,
        arrived: (outcome) => {
          const runState = runStateOf(outcome);
          if (runState !== null) this.told(runState);
        },
      })
      // Unless it was stopped meanwhile, with the session or for good.
      .then(() => this.#timer === asked && this.start());
  }
}
