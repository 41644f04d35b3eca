import type { Clock } from './clock.js';
import type { Execution, Outcome } from './execution.js';
import type { OutgoingMessage } from './message-channel.js';

/** A command between `execute` and its outcome. */
export class InFlight implements OutgoingMessage {
  /** Monotonic milliseconds. */
  readonly since: number;
  handedOver = false;
  /** The server's last refusal of a command that is to be sent again. */
  refusal: Outcome | null = null;
  /** Times it was sent again. */
  attempts = 0;

  constructor(
    readonly number: number,
    readonly text: string,
    readonly execution: Execution,
    clock: Clock,
  ) {
    this.since = clock.now();
  }

  get inBand(): boolean {
    return this.execution.outOfBand !== true;
  }

  handingOver(): void {
    if (this.handedOver) return;
    this.handedOver = true;
    this.execution.onWrite?.();
  }
}

/** The unanswered commands of a session, in the order they were sent. */
export class InFlightTable {
  readonly #byNumber = new Map<number, InFlight>();
  #inBand = 0;

  /** In-band commands. */
  get inBand(): number {
    return this.#inBand;
  }

  get size(): number {
    return this.#byNumber.size;
  }

  add(command: InFlight): void {
    this.#byNumber.set(command.number, command);
    if (command.inBand) this.#inBand++;
  }

  get(number: number): InFlight | undefined {
    return this.#byNumber.get(number);
  }

  delete(command: InFlight): void {
    if (this.#byNumber.delete(command.number) && command.inBand) this.#inBand--;
  }

  /** Whether a command of that name was handed over and is unanswered. */
  awaits(name: string): boolean {
    for (const { handedOver, execution } of this.#byNumber.values())
      if (handedOver && execution.command === name) return true;
    return false;
  }

  oldestInBand(): InFlight | undefined {
    for (const command of this.#byNumber.values()) if (command.inBand) return command;
    return undefined;
  }

  /** Empties the table. */
  takeAll(): InFlight[] {
    const all = [...this.#byNumber.values()];
    this.#byNumber.clear();
    this.#inBand = 0;
    return all;
  }
}
