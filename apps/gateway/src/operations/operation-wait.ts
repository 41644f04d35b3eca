import type { Clock, Timer } from '@qmp-gateway/qmp';
import type { Operation, OperationWatcher } from './operation.js';

/** Whoever waits for an operation, for so long and no longer. */
export interface OperationWaiter {
  /** What was waited for is there, the time is over, or the gateway stops. Called once at most. */
  waited(operation: Operation): void;
}

export interface OperationLooker {
  /** Somebody wants to know how far an operation is. */
  look(operation: Operation): void;
}

export interface WaitOptions {
  readonly clock: Clock;
  readonly waitMs: number;
  /** It is enough to know how far it is. */
  readonly isForMeasure?: boolean;
}

/** One wait: for the end of an operation, or only until it is known how far it is. */
export class OperationWait implements OperationWatcher {
  readonly #timer: Timer;
  readonly #isForMeasure: boolean;

  constructor(
    private readonly operation: Operation,
    private readonly waiter: OperationWaiter,
    private readonly looker: OperationLooker,
    { clock, waitMs, isForMeasure = false }: WaitOptions,
  ) {
    this.#isForMeasure = isForMeasure;
    this.#timer = clock.schedule(waitMs, () => this.over());
    operation.watch(this);
  }

  replied(): void {
    this.looker.look(this.operation);
  }

  measured(): void {
    if (this.#isForMeasure) this.over();
  }

  over(): void {
    this.cancel();
    this.waiter.waited(this.operation);
  }

  /** Nobody waits any more. */
  cancel(): void {
    this.#timer.cancel();
    this.operation.unwatch(this);
  }
}
