import { GatewayProblem, GatewayUnreachable } from './gateway-problem.js';

/** Ends one exchange with the gateway: if it is silent for too long, or if the caller aborts. */
export class Watchdog {
  readonly #ending = new AbortController();
  readonly #endedByCaller = (): void => this.#ending.abort();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #silentFor: number | undefined;

  constructor(private readonly caller: AbortSignal | undefined) {
    if (caller?.aborted === true) this.#ending.abort();
    caller?.addEventListener('abort', this.#endedByCaller, { once: true });
  }

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** Expects an answer within `ms` from now. */
  arm(ms: number): void {
    this.disarm();
    this.#timer = setTimeout(() => {
      this.#silentFor = ms;
      this.#ending.abort();
    }, ms);
  }

  /** Expects nothing. */
  disarm(): void {
    clearTimeout(this.#timer);
  }

  /** Detaches from the caller's signal and ends what is still in progress. */
  end(): void {
    this.disarm();
    this.caller?.removeEventListener('abort', this.#endedByCaller);
    this.#ending.abort();
  }

  /** Converts an error: to the caller's own reason, or to what became of the exchange. */
  explain(error: unknown): unknown {
    if (this.caller?.aborted === true) return this.caller.reason;
    if (this.#silentFor !== undefined) return new GatewayUnreachable(`no answer within ${this.#silentFor} ms`);
    if (error instanceof GatewayProblem || error instanceof GatewayUnreachable) return error;
    return new GatewayUnreachable('the connection to the gateway failed', { cause: error });
  }
}
