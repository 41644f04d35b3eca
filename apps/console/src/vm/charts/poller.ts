/** Asks again and again, one question at a time, with a pause after each answer. */
export class Poller {
  #stop: AbortController | undefined;

  constructor(
    private readonly ask: (signal: AbortSignal) => Promise<void>,
    private readonly options: {
      readonly pauseMs: number;
      /** Called with what `ask` throws; the next question comes after the pause all the same. */
      readonly failed: (error: unknown) => void;
      /** Resolves after this many milliseconds, or early when aborted. Default: `setTimeout`. */
      readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
    },
  ) {}

  /** Begins; does nothing if it has begun. */
  start(): void {
    if (this.#stop !== undefined) return;
    const stop = new AbortController();
    this.#stop = stop;
    void this.#run(stop.signal);
  }

  /** Ends the question that is open, and asks no more. */
  stop(): void {
    this.#stop?.abort();
    this.#stop = undefined;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { pauseMs, failed, sleep = sleepUnlessAborted } = this.options;
    while (!signal.aborted) {
      try {
        await this.ask(signal);
      } catch (error) {
        // Of who asks no more nothing failed.
        if (!isAborted(signal)) failed(error);
      }
      if (!isAborted(signal)) await sleep(pauseMs, signal);
    }
  }
}

/** A function, as it changes while something is awaited. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

function sleepUnlessAborted(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
