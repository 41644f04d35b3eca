import { systemClock, type Clock, type Execution, type Timer } from '@qmp-gateway/qmp';
import { askInTurn } from '../commands/ask-in-turn.js';
import type { CommandQueue } from '../commands/command-queue.js';
import { runStateOf } from './run-state.js';

/** States that end without any event, some of them for another that is no more stable: asked often, whatever they last. */
const endSilently: ReadonlySet<string> = new Set([
  'inmigrate',
  'finish-migrate',
  'save-vm',
  'restore-vm',
  'internal-error',
  'preconfig',
  'colo',
  'debug',
]);

/** Milliseconds between two questions at least: however many events a VM sends. */
export const spacingMs = 100;
/** Milliseconds from an answer to the next question, after the first: doubled each time the answer is the same. */
export const firstPollMs = 100;
/** So rarely at most while the state ends silently: a row is right within a second. */
export const silentPollMs = 800;
/**
 * So rarely at most in any other state that is not `running`: other clients of the VM can change it in silence (a
 * migration of a paused VM does). A VM that runs always says so when it stops.
 */
export const pausedPollMs = 5000;
/** Of StratoVirt, whose events end for good when a client left while one was queued, in every state. */
export const stratovirtPollMs = 5000;
/** After SHUTDOWN most VMs are gone: one that stays (`-no-shutdown`) is asked this much later, one that goes not at all. */
export const shutdownMs = 250;
/** When no turn came: the queue is full. */
const againMs = 500;

/** As far as a question needs it. */
export interface AskedMonitor {
  readonly places: number;
  execute(execution: Execution): void;
}

/** The present session: callbacks of an earlier one compare it. */
interface Watched {
  readonly isStratovirt: boolean;
  runState: string;
  /** Answers in a row that said this state. */
  unchanged: number;
  /** `waiting`: for its turn; `asked`: written, so that whatever the VM says until its answer is in the answer. */
  question: 'none' | 'waiting' | 'asked';
  timer: Timer | null;
  ending: boolean;
}

/**
 * Asks a VM for its run state where events leave it open: after each event that speaks of it, and again while it may
 * change in silence. In turn with the VM's other commands, one question at a time, and bounded in rate.
 */
export class RunStateWatch {
  #watched: Watched | null = null;
  /** Monotonic milliseconds of the latest question. */
  #askedAt = -Infinity;

  /** @param told called at the very place of an answer among the events; `polled`: no event gave a reason to ask */
  constructor(
    private readonly monitor: AskedMonitor,
    private readonly queue: CommandQueue,
    private readonly told: (runState: string, polled: boolean) => void,
    private readonly clock: Clock = systemClock,
  ) {}

  /** A session is ready; `runState` was asked while it was made. */
  start(runState: string, isStratovirt: boolean): void {
    this.stop();
    const watched: Watched = {
      ...{ isStratovirt, runState, unchanged: 0, question: 'none' as const, timer: null, ending: false },
    };
    this.#watched = watched;
    this.#poll(watched);
  }

  stop(): void {
    this.#watched?.timer?.cancel();
    this.#watched = null;
  }

  /** An event spoke of the state, which is this by guess. */
  event(guess: string): void {
    const watched = this.#watched;
    if (watched === null) return;
    watched.runState = guess;
    watched.unchanged = 0;
    // One that was asked answers for what was said before its answer; one that waits for its turn is yet to be asked.
    if (watched.question !== 'none') return;
    const shutdown = guess === 'shutdown';
    if (shutdown && watched.ending) return;
    watched.ending = shutdown;
    this.#askIn(watched, shutdown ? shutdownMs : 0, false);
  }

  #poll(watched: Watched): void {
    const delay = pollDelay(watched);
    if (delay !== undefined) this.#askIn(watched, delay, true);
  }

  #askIn(watched: Watched, delayMs: number, polled: boolean): void {
    watched.timer?.cancel();
    watched.timer = null;
    const delay = Math.max(delayMs, this.#askedAt + spacingMs - this.clock.now());
    if (delay <= 0) this.#ask(watched, polled);
    else watched.timer = this.clock.schedule(delay, () => this.#ask(watched, polled));
  }

  #ask(watched: Watched, polled: boolean): void {
    watched.question = 'waiting';
    watched.ending = false;
    askInTurn(this.queue, this.monitor, {
      send: () => this.#send(watched, polled),
      refuse: () => (watched.question = 'none'),
      giveWay: () => {
        watched.question = 'none';
        if (watched === this.#watched) this.#askIn(watched, againMs, polled);
      },
    });
  }

  #send(watched: Watched, polled: boolean): void {
    if (watched !== this.#watched) return;
    watched.question = 'asked';
    this.#askedAt = this.clock.now();
    // Without a deadline: as long as it is unanswered it holds its place, and another would hold one more.
    this.monitor.execute({
      command: 'query-status',
      settle: (outcome) => {
        watched.question = 'none';
        if (watched !== this.#watched) return;
        const runState = runStateOf(outcome);
        watched.unchanged = runState === watched.runState ? watched.unchanged + 1 : 0;
        watched.runState = runState ?? watched.runState;
        if (runState !== null) this.told(runState, polled);
        // Whoever was told may have let go of the VM.
        if (watched === this.#watched) this.#poll(watched);
      },
    });
  }
}

/** @returns undefined when every change will be told */
function pollDelay({ isStratovirt, runState, unchanged }: Watched): number | undefined {
  if (isStratovirt) return stratovirtPollMs;
  if (runState === 'running') return undefined;
  return Math.min(firstPollMs * 2 ** unchanged, endSilently.has(runState) ? silentPollMs : pausedPollMs);
}
