import { systemClock, type Clock, type Execution, type Timer } from '@qmp-gateway/qmp';
import { queryThroughQueue } from './query-through-queue.js';
import type { CommandQueue } from './command-queue.js';
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
/** In every state of a server whose events can end for good. */
export const lossyPollMs = 5000;
/** After SHUTDOWN most VMs are gone: one that stays (`-no-shutdown`) is asked this much later, one that goes not at all. */
export const shutdownMs = 250;
/** When no turn came: the queue is full. */
const againMs = 500;

/** As far as a question needs it. */
export interface AskedMonitor {
  readonly places: number;
  execute(execution: Execution): void;
}

/** Who wants to know the run state of a VM. */
export interface RunStateListener {
  /**
   * The VM said it has this run state; called at the very place of its answer among the events.
   * @param polled no event gave a reason to ask
   */
  runStateLearned(runState: string, polled: boolean): void;
}

/** The present session: callbacks of an earlier one compare it. */
interface Watched {
  readonly losesEvents: boolean;
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

  constructor(
    private readonly monitor: AskedMonitor,
    private readonly queue: CommandQueue,
    private readonly listener: RunStateListener,
    private readonly clock: Clock = systemClock,
  ) {}

  /**
   * A session is ready.
   * @param runState as the VM answered while the session was made
   * @param losesEvents whether events of this kind of server can fail to come
   */
  start(runState: string, losesEvents: boolean): void {
    this.stop();
    const watched: Watched = {
      ...{ losesEvents, runState, unchanged: 0, question: 'none' as const, timer: null, ending: false },
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
    queryThroughQueue(this.queue, this.monitor, {
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
        if (runState !== null) this.listener.runStateLearned(runState, polled);
        // The listener may have let go of the VM.
        if (watched === this.#watched) this.#poll(watched);
      },
    });
  }
}

/** @returns undefined when every change will be told */
function pollDelay({ losesEvents, runState, unchanged }: Watched): number | undefined {
  if (losesEvents) return lossyPollMs;
  if (runState === 'running') return undefined;
  return Math.min(firstPollMs * 2 ** unchanged, endSilently.has(runState) ? silentPollMs : pausedPollMs);
}
