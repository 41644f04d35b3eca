/** What `serve` does at a signal. */
export interface SignalHandlers {
  /** At SIGTERM and SIGINT. */
  stop(signal: NodeJS.Signals): void;
  /** At SIGHUP. */
  reload(): void;
}

/**
 * The signals of the process, from its first moment: the launcher makes this before it loads anything else. Without a handler
 * SIGHUP would end a gateway that is still starting, and a process with id 1, as in a container, would not see SIGTERM at all.
 */
export class ProcessSignals {
  #handlers: SignalHandlers | undefined;
  #reloadWanted = false;

  constructor() {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => this.#stop(signal));
    process.on('SIGHUP', () => this.#reload());
  }

  /** From now on these get the signals, and a SIGHUP that came before: it may have come after the settings were read. */
  handOver(handlers: SignalHandlers): void {
    this.#handlers = handlers;
    if (this.#reloadWanted) handlers.reload();
  }

  #stop(signal: NodeJS.Signals): void {
    // Nothing has begun that would have to end in order.
    if (this.#handlers === undefined) process.exit(0);
    this.#handlers.stop(signal);
  }

  #reload(): void {
    if (this.#handlers === undefined) this.#reloadWanted = true;
    else this.#handlers.reload();
  }
}
