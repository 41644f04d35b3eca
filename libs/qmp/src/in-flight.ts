import type { Clock } from './clock.js';
import type { Execution, Settlement } from './execution.js';
import type { OutgoingMessage } from './message-channel.js';

/** A command between `execute` and its outcome. */
export class InFlight implements OutgoingMessage {
  /** Monotonic milliseconds. */
  readonly since: number;
  handedOver = false;
  /** The server's last rejection of a command that will be sent again. */
  refusal: Settlement | null = null;
  /** Number of times it was sent again. */
  attempts = 0;
  /** Those of the execution that the server takes. */
  descriptors?: readonly number[];

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

/**
 * The unanswered commands of a session, in the order they were sent. There are at most a window of them and a few out
 * of band, so searching a short array is fast; the churn of a Map would leave dead tables that keep old commands alive.
 */
export class InFlightTable {
  readonly #commands: InFlight[] = [];
  #inBand = 0;

  /** In-band commands. */
  get inBand(): number {
    return this.#inBand;
  }

  /** Bytes of the longest expected reply; 0 if none is expected. @param longest of a command that sets no bound */
  answerBytes(longest: number): number {
    let most = 0;
    for (const { execution } of this.#commands) most = Math.max(most, execution.answerBytes ?? longest);
    return most;
  }

  get size(): number {
    return this.#commands.length;
  }

  add(command: InFlight): void {
    this.#commands.push(command);
    if (command.inBand) this.#inBand++;
  }

  get(number: number): InFlight | undefined {
    for (const command of this.#commands) if (command.number === number) return command;
    return undefined;
  }

  has(command: InFlight): boolean {
    return this.#commands.includes(command);
  }

  /** Commands whose bytes the kernel has or is receiving. */
  handedOver(): InFlight[] {
    return this.#commands.filter((command) => command.handedOver);
  }

  delete(command: InFlight): void {
    const at = this.#commands.indexOf(command);
    if (at < 0) return;
    if (at === 0) this.#commands.shift();
    else this.#commands.splice(at, 1);
    if (command.inBand) this.#inBand--;
  }

  /** Whether a command of this name was handed over and is unanswered. */
  awaits(name: string): boolean {
    return this.#commands.some(({ handedOver, execution }) => handedOver && execution.command === name);
  }

  oldestInBand(): InFlight | undefined {
    for (const command of this.#commands) if (command.inBand) return command;
    return undefined;
  }

  /** Empties the table. */
  takeAll(): InFlight[] {
    this.#inBand = 0;
    return this.#commands.splice(0);
  }
}
