import { randomInt } from 'node:crypto';

/** Numbers of three digits: each further one would cost QEMU some 3 µs a command, as it reads its monitor byte by byte. */
const least = 100;
const most = 999;

/** Numbers of lost commands to remember; a session loses at most those that were in flight. */
const remembered = 64;

/**
 * The numbers that are the ids of one monitor's commands, over all of its sessions. They begin anywhere and go round;
 * left out are those of commands in flight, and those that were in flight when a former session ended.
 */
export class CommandNumbers {
  #last: number;
  #unanswered: readonly number[] = [];

  /** @param first default: a random one */
  constructor(first = randomInt(least, most + 1)) {
    this.#last = first - 1;
  }

  /** The number of the next command; of more digits only if all shorter ones are in use. */
  next(isInFlight: (number: number) => boolean): number {
    const isFree = (number: number): boolean => !isInFlight(number) && !this.#unanswered.includes(number);
    for (let tries = least; tries <= most; tries++) {
      this.#last = this.#last >= most ? least : this.#last + 1;
      if (isFree(this.#last)) return this.#last;
    }
    let number = most + 1;
    while (!isFree(number)) number++;
    return number;
  }

  /** The session has ended with these unanswered: their replies may reach a later one. */
  leave(numbers: readonly number[]): void {
    if (numbers.length > 0) this.#unanswered = [...this.#unanswered, ...numbers].slice(-remembered);
  }
}
