/** A command that waits for its turn. */
export interface QueuedCommand {
  /** Who asks: turns go round over the principals. */
  readonly principalId: string;
  /** Its turn came: hands itself to the monitor or ends itself. */
  send(): void;
  /** The VM is in no state to wait for. */
  refuse(): void;
}

/**
 * The commands that wait for one VM: first in, first out for each principal, places given round-robin over principals,
 * so that a script with a thousand commands delays nobody else's next one by more than one turn. Bounded in all.
 */
export class CommandQueue {
  /** Insertion order is the order of turns: who was served goes to the end. */
  readonly #waiting = new Map<string, Set<QueuedCommand>>();
  #size = 0;

  constructor(readonly bound: number) {}

  get size(): number {
    return this.#size;
  }

  /** @returns false when the queue is full. */
  add(command: QueuedCommand): boolean {
    if (this.#size >= this.bound) return false;
    let own = this.#waiting.get(command.principalId);
    if (own === undefined) {
      own = new Set();
      this.#waiting.set(command.principalId, own);
    }
    own.add(command);
    this.#size++;
    return true;
  }

  /** Takes a command out whose deadline passed or whose caller left. */
  withdraw(command: QueuedCommand): void {
    const own = this.#waiting.get(command.principalId);
    if (own?.delete(command) !== true) return;
    this.#size--;
    if (own.size === 0) this.#waiting.delete(command.principalId);
  }

  /** The command whose turn it is, or undefined when none waits. */
  next(): QueuedCommand | undefined {
    for (const [principalId, own] of this.#waiting) {
      this.#waiting.delete(principalId);
      for (const command of own) {
        own.delete(command);
        this.#size--;
        if (own.size > 0) this.#waiting.set(principalId, own);
        return command;
      }
    }
    return undefined;
  }

  /** Ends all that wait. */
  refuseAll(): void {
    for (let command = this.next(); command !== undefined; command = this.next()) command.refuse();
  }
}
